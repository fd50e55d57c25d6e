#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "reports/grid.hpp"
#include "reports/report.hpp"
#include "reports/short_labels.hpp"
#include "reports/summary.hpp"

namespace assay {
namespace {

struct Replacement {
  std::string_view from;
  std::string_view to;
};

/// LaTeX's ten special characters, and the signs of our own that old engines do not know.
constexpr std::array replacements{
    Replacement{"\\", "\\textbackslash{}"},
    Replacement{"_", "\\_"},
    Replacement{"%", "\\%"},
    Replacement{"&", "\\&"},
    Replacement{"#", "\\#"},
    Replacement{"$", "\\$"},
    Replacement{"{", "\\{"},
    Replacement{"}", "\\}"},
    Replacement{"~", "$\\sim$"},
    Replacement{"^", "\\textasciicircum{}"},
    Replacement{"<", "\\textless{}"},
    Replacement{">", "\\textgreater{}"},
    Replacement{"|", "\\textbar{}"},
    Replacement{"\"", "\\char34{}"},
    Replacement{"[", "{[}"},  // after a line end it would be read as a length
    Replacement{"*", "{*}"},
    Replacement{"†", "\\textsuperscript{\\dag}"},
    Replacement{"µ", "$\\mu$"},
    Replacement{"×", "$\\times$"},
    Replacement{"±", "$\\pm$"},
    Replacement{"–", "--"},
    Replacement{"\u202f", "\\,"},
    Replacement{"\n", " "},
    Replacement{"\r", " "},
};

std::string latex_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto found = std::ranges::find_if(
        replacements, [&](const Replacement& r) { return text.starts_with(r.from); });
    const bool special = found != replacements.end();
    out += special ? found->to : text.substr(0, 1);
    text.remove_prefix(special ? found->from.size() : 1);
  }
  return out;
}

std::string table_line(const std::vector<std::string>& cells) {
  std::vector<std::string> escaped;
  std::ranges::transform(cells, std::back_inserter(escaped), latex_text);
  return fmt::format("  {} \\\\\n", fmt::join(escaped, " & "));
}

std::string caption_of(const ReportInput& input, const ReportTable& table, const Grid& grid) {
  std::string caption = latex_text(input.title) + ".";
  if (!grid.note.empty()) caption += fmt::format(" {}", latex_text(grid.note));
  const std::string notice = board_notice(summarize(input));
  if (!notice.empty()) caption += fmt::format(" {}", notice);
  if (!table.rows.empty()) caption += fmt::format(" {}.", latex_text(legend_sentence(table)));
  return caption;
}

/// What a \label may hold: letters, digits and '-'.
std::string label_of(std::string_view title) {
  std::string label;
  for (const char c : title)
    label += std::isalnum(static_cast<unsigned char>(c)) ? c : '-';
  return label;
}

}  // namespace

std::string render_latex(const ReportInput& input) {
  const ReportTable table = printed_table(input, ColumnChoice::printed);
  const Grid grid = make_grid(table, {"\u202f", " ± ", "–"});
  std::string alignment;
  std::vector<std::string> titles, notes;
  for (const auto& column : grid.columns) {
    alignment += column.numeric ? 'r' : 'l';
    titles.push_back(column.title);
    notes.push_back(column.note);
  }
  std::string out = "% needs \\usepackage{booktabs,graphicx}\n\\begin{table}\n\\centering\n";
  out += fmt::format("\\caption{{{}}}\n", caption_of(input, table, grid));
  out += fmt::format(
      "\\label{{tab:{}}}\n\\resizebox{{\\ifdim\\width>\\linewidth\\linewidth"
      "\\else\\width\\fi}}{{!}}{{%\n",
      label_of(input.title));
  out += fmt::format("\\begin{{tabular}}{{{}}}\n", alignment);
  out += fmt::format("  \\toprule\n{}{}  \\midrule\n", table_line(titles), table_line(notes));
  for (const auto& row : grid.rows)
    out += table_line(row);
  out += "  \\bottomrule\n\\end{tabular}}\n";
  for (const auto& [mark, meaning] : table.notes)
    out += fmt::format("\\par\\smallskip{{\\footnotesize {} {}}}\n", latex_text(mark),
                       latex_text(meaning));
  return out + "\\end{table}\n";
}

}  // namespace assay

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <sstream>

#include "reports/comparison.hpp"
#include "reports/grid.hpp"
#include "reports/report.hpp"
#include "reports/summary.hpp"

namespace assay {
namespace {

/// Columns a UTF-8 text takes in a terminal: its code points (labels and our own signs are narrow).
std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Control characters would break the alignment, or talk to the terminal.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return text;
}

std::string aligned(const std::string& text, std::size_t width, bool right) {
  const std::string space(width - display_width(text), ' ');
  return right ? space + text : text + space;
}

constexpr std::string_view gap = "  ";

/// A heading over several lines: as many words on each as the column is wide anyway.
std::vector<std::string> heading_lines(const std::string& title, std::size_t width) {
  std::vector<std::string> lines;
  std::istringstream words(title);
  for (std::string word; words >> word;) {
    const bool fits = !lines.empty() && display_width(lines.back() + " " + word) <= width;
    if (fits)
      lines.back() += " " + word;
    else
      lines.push_back(word);
  }
  return lines;
}

/// A column as wide as its widest figure, note or word of its heading.
std::vector<std::size_t> column_widths(const Grid& grid) {
  std::vector<std::size_t> widths;
  for (const auto& column : grid.columns) {
    widths.push_back(display_width(column.note));
    for (const auto& word : heading_lines(column.title, 0))
      widths.back() = std::max(widths.back(), display_width(word));
  }
  for (const auto& row : grid.rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  return widths;
}

std::size_t table_width(const Grid& grid) {
  const auto widths = column_widths(grid);
  return std::reduce(widths.begin(), widths.end()) + gap.size() * (widths.size() - 1);
}

std::string line_of(const Grid& grid, const std::vector<std::size_t>& widths,
                    const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += gap;
    line += aligned(cells[i], widths[i], grid.columns[i].numeric);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

/// Titles with their last lines next to the notes below them, notes, and a rule.
std::string heading_of(const Grid& grid, const std::vector<std::size_t>& widths) {
  std::vector<std::vector<std::string>> titles;
  std::vector<std::string> notes, rules;
  std::size_t height = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    titles.push_back(heading_lines(grid.columns[i].title, widths[i]));
    height = std::max(height, titles.back().size());
    notes.push_back(grid.columns[i].note);
    rules.emplace_back();
    for (std::size_t k = 0; k < widths[i]; ++k)
      rules.back() += "─";
  }
  std::string out;
  for (std::size_t line = 0; line < height; ++line) {
    std::vector<std::string> cells;
    for (const auto& title : titles) {
      const std::size_t above = height - title.size();
      cells.push_back(line < above ? "" : title[line - above]);
    }
    out += line_of(grid, widths, cells);
  }
  return out + line_of(grid, widths, notes) + line_of(grid, widths, rules);
}

std::string body_of(const Grid& grid) {
  const auto widths = column_widths(grid);
  std::string out = heading_of(grid, widths);
  for (const auto& row : grid.rows)
    out += line_of(grid, widths, row);
  return out;
}

/// The table as a grid of at most `limit` columns, if leaving out what other formats have does it.
Grid fitting_grid(ReportTable table, std::size_t limit) {
  const auto make = [&] {
    Grid grid = make_grid(table, {",", " ± ", "–"});
    for (auto& row : grid.rows)
      std::ranges::transform(row, row.begin(), printable);
    return grid;
  };
  Grid grid = make();
  for (const std::string_view name : {"accuracy_top1_float", "compression_ratio"}) {
    if (table_width(grid) <= limit) break;
    std::erase_if(table.columns, [&](const Column& column) { return column.name == name; });
    grid = make();
  }
  return grid;
}

/// What went wrong, a line each, with an empty line after them; nothing when all passed.
std::string failures_of(const ReportTable& table) {
  std::string out;
  for (const auto& row : table.rows)
    if (!row.verdict_detail.empty())
      out += printable(fmt::format("{}: {} on {}: {}", to_string(row.verdict), row.label,
                                   board_name(row), row.verdict_detail)) +
             "\n";
  return out.empty() ? out : out + "\n";
}

/// A line for every row that is held against another, and what it comes to; with an empty line
/// before them.
std::string comparison_of(const ReportInput& input) {
  const ReportTable table = report_table(input, ColumnChoice::all);
  const auto share = [](std::optional<double> ratio) {
    return ratio ? fmt::format("{:.3g}", *ratio) : "an unknown part";
  };
  std::string out;
  for (const Contrast& contrast : find_contrasts(table, input))
    out += printable(fmt::format("{} on {}: {} of the flash and {} of the time of {}: {}",
                                 contrast.row->label, board_name(*contrast.row),
                                 share(contrast.flash), share(contrast.time),
                                 contrast.reference->label, contrast.verdict())) +
           "\n";
  return out.empty() ? out : "\n" + out;
}

}  // namespace

std::string render_text(const ReportInput& input) {
  constexpr std::size_t terminal_width = 120;
  const ReportTable table = report_table(input, ColumnChoice::printed);
  if (table.rows.empty()) return "No records.\n";
  const Grid grid = fitting_grid(table, terminal_width);
  std::string out = body_of(grid) + "\n" + failures_of(table);
  if (!grid.note.empty()) out += grid.note + "\n";
  out += legend_sentence(table) + "\n";
  for (const auto& [mark, meaning] : table.notes)
    out += fmt::format("{} {}\n", printable(mark), printable(meaning));
  out += comparison_of(input);
  const std::string notice = board_notice(summarize(input));
  if (!notice.empty()) out += notice + "\n";
  return out;
}

}  // namespace assay

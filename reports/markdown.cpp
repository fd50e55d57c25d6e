#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "reports/comparison.hpp"
#include "reports/grid.hpp"
#include "reports/report.hpp"
#include "reports/short_labels.hpp"
#include "reports/summary.hpp"

namespace assay {
namespace {

/// A backslash before everything that GitHub's Markdown reads as markup; line breaks become spaces.
std::string markdown_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\`*_{}[]<>#|~&").find(c) != std::string_view::npos) out += '\\';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out;
}

std::string table_line(std::vector<std::string> cells) {
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

std::string markdown_table(const Grid& grid) {
  std::vector<std::string> titles, rules;
  for (const auto& column : grid.columns) {
    const std::string note = column.note.empty() ? "" : fmt::format(" ({})", column.note);
    titles.push_back(markdown_text(column.title + note));
    rules.emplace_back(column.numeric ? "---:" : "---");
  }
  std::string out = table_line(titles) + table_line(rules);
  for (const auto& row : grid.rows) {
    std::vector<std::string> cells;
    std::ranges::transform(row, std::back_inserter(cells), markdown_text);
    out += table_line(cells);
  }
  return out;
}

}  // namespace

std::string render_markdown(const ReportInput& input) {
  const ReportTable table = printed_table(input, ColumnChoice::printed);
  const ReportSummary summary = summarize(input);
  std::string out = fmt::format("# {}\n\n", markdown_text(input.title));
  for (const auto& [name, value] : heading_facts(summary))
    out += fmt::format("- {}: {}\n", name, markdown_text(value));
  const std::string notice = board_notice(summary);
  if (!notice.empty()) out += fmt::format("\n> **{}**\n", notice);
  const FigureStyle style{",", " ± ", "–"};
  const Grid grid = make_grid(table, style);
  out += "\n" + markdown_table(grid);
  for (const auto& row : table.rows)
    if (!row.verdict_detail.empty())
      out +=
          fmt::format("\n**{}** {} on {}: {}\n", to_string(row.verdict), markdown_text(row.label),
                      markdown_text(board_name(row)), markdown_text(row.verdict_detail));
  if (!grid.note.empty()) out += fmt::format("\n{}\n", markdown_text(grid.note));
  if (const auto comparison = comparison_grid(input, style))
    out += fmt::format("\n## {}\n\n{}\n{}\n", markdown_text(comparison_title(input)),
                       markdown_table(*comparison), markdown_text(comparison->note));
  out += fmt::format("\n{}\n", markdown_text(legend_sentence(table)));
  for (const auto& [mark, meaning] : table.notes)
    out += fmt::format("\n{} {}\n", markdown_text(mark), markdown_text(meaning));
  if (summary.command) out += fmt::format("\n    {}\n", *summary.command);
  return out;
}

}  // namespace assay

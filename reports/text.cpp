#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

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

std::vector<std::size_t> column_widths(const Grid& grid) {
  std::vector<std::size_t> widths;
  for (const auto& column : grid.columns)
    widths.push_back(std::max(display_width(column.title), display_width(column.note)));
  for (const auto& row : grid.rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  return widths;
}

std::string line_of(const std::vector<std::string>& cells) {
  std::string line = fmt::format("{}", fmt::join(cells, "  "));
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string body_of(const Grid& grid) {
  const auto widths = column_widths(grid);
  std::vector<std::string> titles, notes, rules;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const auto& column = grid.columns[i];
    titles.push_back(aligned(column.title, widths[i], column.numeric));
    notes.push_back(aligned(column.note, widths[i], column.numeric));
    std::string rule;
    for (std::size_t k = 0; k < widths[i]; ++k)
      rule += "─";
    rules.push_back(rule);
  }
  std::string out = line_of(titles) + line_of(notes) + line_of(rules);
  for (const auto& row : grid.rows) {
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < row.size(); ++i)
      cells.push_back(aligned(row[i], widths[i], grid.columns[i].numeric));
    out += line_of(cells);
  }
  return out;
}

/// What went wrong, a line each, with an empty line after them; nothing when all passed.
std::string failures_of(const ReportTable& table) {
  std::string out;
  for (const auto& row : table.rows)
    if (!row.verdict_detail.empty())
      out += printable(fmt::format("{}: {} on {}: {}", to_string(row.verdict), row.label, row.board,
                                   row.verdict_detail)) +
             "\n";
  return out.empty() ? out : out + "\n";
}

}  // namespace

std::string render_text(const ReportInput& input) {
  const ReportTable table = build_table(input.records, ColumnChoice::headline);
  if (table.rows.empty()) return "No records.\n";
  Grid grid = make_grid(table, {",", " ± ", "–"});
  for (auto& row : grid.rows)
    std::ranges::transform(row, row.begin(), printable);
  std::string out = body_of(grid) + "\n" + failures_of(table);
  out += legend_sentence(table) + "\n";
  const std::string notice = virtual_notice(summarize(input));
  if (!notice.empty()) out += notice + "\n";
  return out;
}

}  // namespace assay

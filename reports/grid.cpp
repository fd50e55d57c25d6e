#include "reports/grid.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/number.hpp"

namespace assay {
namespace {

constexpr std::string_view confirmed = "samples_confirmed";
constexpr std::string_view virtual_prefix = "virtual:";

bool all_passed(const ReportTable& table) {
  return !table.rows.empty() && std::ranges::all_of(table.rows, [](const Row& row) {
    return row.verdict == Verdict::pass;
  });
}

bool all_virtual(const ReportTable& table) {
  return !table.rows.empty() && std::ranges::all_of(table.rows, &Row::virtual_board);
}

/// The figure that every row on a board has in this column, if it is the same one.
std::optional<double> shared_value(const ReportTable& table, std::string_view column) {
  std::optional<double> shared;
  for (const auto& row : table.rows) {
    if (row.on_host()) continue;
    const auto found = row.figures.find(std::string(column));
    if (found == row.figures.end() || found->second.half_width) return std::nullopt;
    if (shared.value_or(found->second.value) != found->second.value) return std::nullopt;
    shared = found->second.value;
  }
  return shared;
}

std::string heading_note(const Column& column) {
  if (!column.provenance) return column.unit;
  return fmt::format("{}{}{}", column.unit, column.unit.empty() ? "" : " ",
                     provenance_mark(*column.provenance));
}

std::string passed_note(const ReportTable& table, std::optional<double> samples,
                        std::string_view thousands) {
  if (all_on_host(table)) return "";  // there was no verdict to reach
  const bool boards = std::ranges::none_of(table.rows, &Row::on_host);
  const std::string who = boards ? "All rows" : "All rows on boards";
  if (!samples) return who + " passed.";
  return fmt::format(
      "{} passed: {} test images streamed through the board, every logit as on the host.", who,
      format_number(*samples, 0, thousands));
}

}  // namespace

std::string short_board_name(const Row& row) {
  const bool prefixed = row.virtual_board && row.board.starts_with(virtual_prefix);
  const std::string name = board_name(row);
  return prefixed ? name.substr(virtual_prefix.size()) : name;
}

std::string seeds_text(const Row& row) {
  if (row.seeds == row.records.size()) return std::to_string(row.seeds);
  return fmt::format("{} of {}", row.seeds, row.records.size());
}

Grid make_grid(const ReportTable& table, const FigureStyle& style) {
  const bool passed = all_passed(table);
  const bool on_virtual = all_virtual(table);
  const bool boards = !all_on_host(table);
  const auto samples = passed ? shared_value(table, confirmed) : std::nullopt;
  Grid grid;
  grid.columns = {{"Model", "", false}};
  if (boards) grid.columns.push_back({"Board", on_virtual ? "virtual" : "", false});
  if (passed) grid.note = passed_note(table, samples, style.thousands);
  if (!passed) grid.columns.push_back({"Verdict", "", false});
  if (table.grouped) grid.columns.push_back({"Seeds", "", true});
  std::vector<const Column*> shown;
  for (const auto& column : table.columns)
    if (!samples || column.name != confirmed) shown.push_back(&column);
  for (const auto* column : shown)
    grid.columns.push_back({column->title, heading_note(*column), true});
  for (const auto& row : table.rows) {
    std::vector<std::string> cells{row_name(row)};
    if (boards) cells.push_back(on_virtual ? short_board_name(row) : board_name(row));
    if (!passed) cells.emplace_back(to_string(row.verdict));
    if (table.grouped) cells.push_back(seeds_text(row));
    for (const auto* column : shown)
      cells.push_back(figure_text(row, *column, style));
    grid.rows.push_back(std::move(cells));
  }
  return grid;
}

}  // namespace assay

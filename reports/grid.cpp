#include "reports/grid.hpp"

#include <fmt/format.h>

#include "reports/number.hpp"

namespace assay {

Grid make_grid(const ReportTable& table, const FigureStyle& style) {
  Grid grid;
  grid.columns = {{"Model", "", false}, {"Board", "", false}, {"Verdict", "", false}};
  if (table.grouped) grid.columns.push_back({"Seeds", "", true});
  for (const auto& column : table.columns) {
    std::string note = column.unit;
    if (column.provenance) {
      if (!note.empty()) note += ' ';
      note += provenance_mark(*column.provenance);
    }
    grid.columns.push_back({column.title, note, true});
  }
  for (const auto& row : table.rows) {
    std::vector<std::string> cells{row.label, row.board, std::string(to_string(row.verdict))};
    if (table.grouped)
      cells.push_back(row.seeds == row.records.size()
                          ? std::to_string(row.seeds)
                          : fmt::format("{} of {}", row.seeds, row.records.size()));
    for (const auto& column : table.columns)
      cells.push_back(figure_text(row, column, style));
    grid.rows.push_back(std::move(cells));
  }
  return grid;
}

}  // namespace assay

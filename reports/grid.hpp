// The printed table as plain text cells, shared by the terminal, Markdown and LaTeX. Pure.
#pragma once

#include <string>
#include <vector>

#include "reports/table.hpp"

namespace assay {

/// One column of cells: a title, what stands under it (unit and provenance mark), alignment.
struct GridColumn {
  std::string title;
  std::string note;  ///< "B c", "%"; empty without
  bool numeric = false;
};

/// Heading and body; every row has as many cells as there are columns.
struct Grid {
  std::vector<GridColumn> columns;
  std::vector<std::vector<std::string>> rows;
};

/// Label, board, verdict, seeds (when grouped) and every metric, with figures in that style.
Grid make_grid(const ReportTable& table, const FigureStyle& style);

}  // namespace assay

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
  std::string note;  ///< a sentence in place of columns that would say the same in every row
};

/// Label, board, verdict, seeds (when grouped) and every metric, with figures in that style. When
/// every row passed, with as many samples confirmed, the note says so in place of two columns; when
/// every board is virtual, the heading says so in place of their names; without any board there is
/// no column for them.
Grid make_grid(const ReportTable& table, const FigureStyle& style);

/// A board's name without the "virtual:" that a board nobody listed has, for where "virtual" stands
/// beside it.
std::string short_board_name(const Row& row);

/// The seeds a row stands for: "3", or "2 of 3" when one did not pass.
std::string seeds_text(const Row& row);

}  // namespace assay

// The board's share of a firmware: its constants and vector table as C++ source for the runtime in
// targets/port/. Pure functions, thread-safe.
#pragma once

#include <string>

#include "harness/core/board_type.hpp"

namespace assay {

/// Source of board.cpp for this board at this core clock. Errors (bad_input), each naming the board
/// and the figure: the clock is above the part's maximum, no PLL setting makes it, the UART cannot
/// make the baud within 2 % (half of what one 8N1 character tolerates), or the part names a clock
/// driver that targets/port/ does not have.
Result<std::string> board_source(const BoardType& board, Hertz clock);

}  // namespace assay

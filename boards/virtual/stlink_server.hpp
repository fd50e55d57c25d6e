// ST's stlink-server protocol on TCP, as far as OpenOCD's `st-link backend tcp` speaks it: every
// board is one probe on the same port, told apart by its serial number.
#pragma once

#include <span>

#include "boards/virtual/board.hpp"

namespace assay::virtual_board {

/// Serves one client until it leaves. `trace` logs every USB command to standard error.
void serve_stlink(int socket, std::span<const std::unique_ptr<Board>> boards, bool trace);

}  // namespace assay::virtual_board

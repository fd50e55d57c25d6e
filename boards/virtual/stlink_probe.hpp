// A virtual ST-Link/V3 in front of one board: the USB commands OpenOCD's driver sends, answered
// from the board's debug port. The command set follows what that driver uses in its direct-DAP
// mode. One probe belongs to one client connection; it takes the board's lock for each command.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "boards/virtual/board.hpp"

namespace assay::virtual_board {

class StlinkProbe {
 public:
  explicit StlinkProbe(Board& board) : board_(board) {}

  /// One command of 16 bytes, with the data the host sends along, and the answer of `answer_size`
  /// bytes (zero-filled where the command has less to say).
  std::vector<std::uint8_t> command(std::span<const std::uint8_t> request,
                                    std::span<const std::uint8_t> data, std::size_t answer_size);

 private:
  using Answer = std::vector<std::uint8_t>;

  void debug_command(Board::Access& board, std::span<const std::uint8_t> request,
                     std::span<const std::uint8_t> data, Answer& answer);
  void access_register(Board::Access& board, std::span<const std::uint8_t> request, Answer& answer,
                       bool write);
  void read_memory(Board::Access& board, std::span<const std::uint8_t> request, Answer& answer,
                   std::uint32_t size, bool advance);
  void write_memory(Board::Access& board, std::span<const std::uint8_t> request,
                    std::span<const std::uint8_t> data, Answer& answer, std::uint32_t size,
                    bool advance);
  void run_queue(Board::Access& board, std::span<const std::uint8_t> request,
                 std::span<const std::uint8_t> data);

  Board& board_;
  std::uint8_t mode_ = 1;            ///< what the probe is doing: 1 mass storage (idle), 2 debug
  std::uint8_t last_status_ = 0x80;  ///< of the last memory access
  std::uint32_t last_address_ = 0;
  Answer queue_answer_;
};

}  // namespace assay::virtual_board

// Finds out that a program waits for input by polling: the whole state of the machine (registers
// and RAM) comes back to where it was without anything having happened in between. Such a program
// can do nothing new until input or an interrupt comes, so the board may sleep. Exact, never a
// guess. Used by one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "boards/virtual/engine.hpp"
#include "boards/virtual/memory.hpp"

namespace assay::virtual_board {

class IdleDetector {
 public:
  IdleDetector(MemoryMap& memory, const Engine& engine) : memory_(memory), engine_(engine) {}

  /// Something happened that polling alone does not do: a byte moved, a register was written, time
  /// was read, the debugger looked in.
  void note_activity() { ++activity_; }
  /// Starts over, looking soon: input came and the program will wait again.
  void restart();

  /// Called for every block; true when the machine is idle at `address`.
  bool on_block(std::uint32_t address) {
    if (--countdown_ > 0 && address != watched_) return false;
    return countdown_ > 0 ? repeats() : look(address);
  }

 private:
  using Registers = std::array<std::uint32_t, 17>;

  bool look(std::uint32_t address);
  bool repeats();
  Registers registers() const;

  static constexpr std::int32_t shortest_pause = 2000;  ///< blocks between two looks
  static constexpr std::int32_t longest_pause = 4'000'000;
  static constexpr std::int32_t watch_time = 2000;  ///< blocks a loop may have

  MemoryMap& memory_;
  const Engine& engine_;
  std::uint64_t activity_ = 0;
  std::uint64_t activity_at_look_ = 0;
  std::int32_t countdown_ = shortest_pause;
  std::int32_t pause_ = shortest_pause;
  bool watching_ = false;
  std::uint32_t watched_ = ~0u;
  Registers registers_at_look_{};
  std::vector<std::vector<std::uint8_t>> ram_at_look_;
};

}  // namespace assay::virtual_board

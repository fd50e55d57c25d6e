// Executed instructions and modelled cycles, in total and between the markers of
// targets/port/port.hpp. An instruction skipped by its IT condition counts as executed. Used by one
// thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "boards/virtual/code_map.hpp"
#include "boards/virtual/decode.hpp"

namespace assay::virtual_board {

/// One pair of markers. Strictly between them: neither marker counts.
struct Window {
  std::uint64_t instructions = 0;
  std::array<std::uint64_t, instruction_class_count> classes{};
  std::uint64_t cycles = 0;
};

class ExecutionCounter {
 public:
  explicit ExecutionCounter(CodeMap& code) : code_(code) {}

  std::uint64_t instructions() const { return instructions_; }
  std::uint64_t cycles() const { return cycles_; }
  void add_cycles(std::uint64_t cycles) { cycles_ += cycles; }
  void advance_to(std::uint64_t cycles) { cycles_ = cycles > cycles_ ? cycles : cycles_; }

  /// A block is about to run as a whole.
  void enter(Block& block) {
    block_start_ = cycles_;
    instructions_ += block.count;
    cycles_ += block.cycles;
    ++block.runs;
    if (block.has_marker) follow_markers(block);
  }
  /// The branch at the end of `block` went to `target`.
  void leave(const Block& block, std::uint32_t target) {
    cycles_ += target == block.end() ? block.cost.not_taken : block.cost.taken;
  }
  /// Only the first `executed` instructions of `block` ran after all: a fault stopped it.
  void cut_short(const Block& block, std::uint32_t executed);
  /// Modelled time after the first `executed` instructions of the block entered last.
  std::uint64_t cycles_within(const Block& block, std::uint32_t executed) const {
    return block_start_ + block.cost.until[executed];
  }

  bool window_open() const { return open_; }
  const std::vector<Window>& windows() const { return windows_; }
  void forget_windows() { windows_.clear(), open_ = false; }

 private:
  void follow_markers(Block& block);
  void begin_window(Block& block, std::uint32_t marker);
  void end_window(const Block& block, std::uint32_t marker);

  CodeMap& code_;
  std::uint64_t instructions_ = 0;
  std::uint64_t cycles_ = 0;
  std::uint64_t block_start_ = 0;
  bool open_ = false;
  std::uint64_t cycles_at_begin_ = 0;
  std::array<std::int64_t, instruction_class_count> outside_{};  ///< counted by runs, not in window
  std::vector<Window> windows_;
};

}  // namespace assay::virtual_board

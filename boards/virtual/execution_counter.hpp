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
  std::uint64_t words_loaded = 0;  ///< LDR, LDRB and LDRH one, LDM as many as it names
  std::uint64_t cycles = 0;
};

class ExecutionCounter {
 public:
  ExecutionCounter(CodeMap& code, const CycleModel& model)
      : code_(code),
        misprediction_(Ticks{model.mispredicted_branch()} << ticks_shift),
        predicts_(misprediction_ != 0) {}

  std::uint64_t instructions() const { return instructions_; }
  std::uint64_t cycles() const { return ticks_ >> ticks_shift; }
  void add_cycles(std::uint64_t cycles) { ticks_ += cycles << ticks_shift; }
  /// Cycles that the cost of a block holds and that are counted in another way.
  void take_back_cycles(std::uint64_t cycles) { ticks_ -= cycles << ticks_shift; }
  void advance_to(std::uint64_t cycles) {
    if (cycles > this->cycles()) ticks_ = cycles << ticks_shift;
  }

  /// A block is about to run as a whole, behind the one that was entered last.
  void enter(Block& block) {
    if (predicts_ && last_ && last_->chooses) predict(*last_, block.address);
    block_start_ = ticks_;
    if (last_ && last_->next == &block) {
      edge_ = last_->next_edge;
      ticks_ += last_->next_cost;
    } else {
      edge_ = &code_.find_edge(last_, block);
      ticks_ += edge_->cost();
    }
    last_ = &block;
    instructions_ += block.count;
    ++block.runs;
    if (block.has_marker) follow_markers(block);
  }
  /// The flow of instructions ends here, at an exception: what comes next starts with an empty
  /// pipeline. The block entered last had gone on to `target`.
  void break_flow(std::uint32_t target);
  /// The same, of a processor that was reset.
  void forget_flow() { last_ = nullptr; }
  /// Only the first `executed` instructions of `block`, the one entered last, ran after all: a
  /// fault stopped it.
  void cut_short(const Block& block, std::uint32_t executed);
  /// Modelled time after the first `executed` instructions of the block entered last.
  std::uint64_t cycles_within(std::uint32_t executed) const {
    return ticks_within(executed) >> ticks_shift;
  }

  /// The time after the first `executed` instructions, for a register that is read there; a cycle
  /// that was not over yet is over then, so that counts between two such reads repeat.
  std::uint64_t end_cycle_within(std::uint32_t executed) {
    const Ticks rest = -ticks_within(executed) & ((Ticks{1} << ticks_shift) - 1);
    block_start_ += rest;
    ticks_ += rest;
    return cycles_within(executed);
  }

  bool window_open() const { return open_; }
  const std::vector<Window>& windows() const { return windows_; }
  void forget_windows() { windows_.clear(), open_ = false; }

 private:
  Ticks ticks_within(std::uint32_t executed) const { return block_start_ + edge_->until[executed]; }
  void predict(Block& block, std::uint32_t target);
  void follow_markers(Block& block);
  void begin_window(Block& block, std::uint32_t marker);
  void end_window(const Block& block, std::uint32_t marker);

  /// What the runs of blocks count although it lies outside the window.
  struct Outside {
    std::array<std::int64_t, instruction_class_count> classes{};
    std::int64_t words_loaded = 0;

    void add(const Block& block, std::uint32_t first, std::uint32_t last);
  };

  CodeMap& code_;
  Ticks misprediction_;
  bool predicts_;
  std::uint64_t instructions_ = 0;
  Ticks ticks_ = 0;
  Ticks block_start_ = 0;
  Block* last_ = nullptr;       ///< its closing branch is not charged yet; nullptr: none
  const Edge* edge_ = nullptr;  ///< by which the block entered last was
  bool open_ = false;
  Ticks ticks_at_begin_ = 0;
  Outside outside_;
  std::vector<Window> windows_;
};

}  // namespace assay::virtual_board

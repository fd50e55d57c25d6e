#include "boards/virtual/execution_counter.hpp"

#include <algorithm>

namespace assay::virtual_board {

void ExecutionCounter::Outside::add(const Block& block, std::uint32_t first, std::uint32_t last) {
  for (std::uint32_t i = first; i < last; ++i) {
    ++classes[static_cast<std::size_t>(block.code[i].kind)];
    words_loaded += block.code[i].words_loaded();
  }
}

void ExecutionCounter::cut_short(const Block& block, std::uint32_t executed) {
  instructions_ -= block.count - executed;
  ticks_ = ticks_within(executed);
  last_ = nullptr;
  if (open_) outside_.add(block, executed, block.count);
}

void ExecutionCounter::break_flow(std::uint32_t target) {
  if (last_) ticks_ += code_.closing_cost(*last_, target);
  last_ = nullptr;
}

// No predictor is known; one that learns which way a branch goes more often misses the other way:
// min(taken, not taken) times, counted as they come.
void ExecutionCounter::predict(Block& block, std::uint32_t target) {
  const std::uint64_t rarer = std::min(block.taken, block.not_taken);
  ++(target == block.end() ? block.not_taken : block.taken);
  if (std::min(block.taken, block.not_taken) > rarer) ticks_ += misprediction_;
}

void ExecutionCounter::follow_markers(Block& block) {
  for (std::uint32_t i = 0; i < block.count; ++i) {
    if (block.code[i].marker == Marker::begin) begin_window(block, i);
    if (block.code[i].marker == Marker::end && open_) end_window(block, i);
  }
}

void ExecutionCounter::begin_window(Block& block, std::uint32_t marker) {
  code_.clear_runs();
  block.runs = 1;
  outside_ = {};
  outside_.add(block, 0, marker + 1);
  ticks_at_begin_ = ticks_within(marker + 1);
  open_ = true;
}

void ExecutionCounter::end_window(const Block& block, std::uint32_t marker) {
  Outside outside = outside_;
  outside.add(block, marker, block.count);
  Window window;
  window.cycles = (ticks_within(marker) - ticks_at_begin_) >> ticks_shift;
  for (std::size_t c = 0; c < window.classes.size(); ++c) {
    for (const auto& known : code_.blocks())
      window.classes[c] += known->runs * known->classes[c];
    window.classes[c] -= static_cast<std::uint64_t>(outside.classes[c]);
    window.instructions += window.classes[c];
  }
  for (const auto& known : code_.blocks())
    window.words_loaded += known->runs * known->words_loaded;
  window.words_loaded -= static_cast<std::uint64_t>(outside.words_loaded);
  windows_.push_back(window);
  open_ = false;
}

}  // namespace assay::virtual_board

#include "boards/virtual/execution_counter.hpp"

namespace assay::virtual_board {
namespace {

using ClassCounts = std::array<std::int64_t, instruction_class_count>;

void add_range(ClassCounts& counts, const Block& block, std::uint32_t first, std::uint32_t last) {
  for (std::uint32_t i = first; i < last; ++i)
    ++counts[static_cast<std::size_t>(block.code[i].kind)];
}

}  // namespace

void ExecutionCounter::cut_short(const Block& block, std::uint32_t executed) {
  instructions_ -= block.count - executed;
  cycles_ = cycles_within(block, executed);
  if (open_) add_range(outside_, block, executed, block.count);
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
  add_range(outside_, block, 0, marker + 1);
  cycles_at_begin_ = cycles_within(block, marker + 1);
  open_ = true;
}

void ExecutionCounter::end_window(const Block& block, std::uint32_t marker) {
  ClassCounts outside = outside_;
  add_range(outside, block, marker, block.count);
  Window window;
  window.cycles = cycles_within(block, marker) - cycles_at_begin_;
  for (std::size_t c = 0; c < window.classes.size(); ++c) {
    for (const auto& known : code_.blocks())
      window.classes[c] += known->runs * known->classes[c];
    window.classes[c] -= static_cast<std::uint64_t>(outside[c]);
    window.instructions += window.classes[c];
  }
  windows_.push_back(window);
  open_ = false;
}

}  // namespace assay::virtual_board

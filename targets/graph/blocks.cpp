#include "targets/graph/blocks.hpp"

#include <algorithm>

namespace assay {
namespace {

constexpr std::int64_t alignment = 8;  // scratch holds 64-bit values; tensors need 4

/// Makes the blocks of a network one by one.
class BlockMaker {
 public:
  BlockMaker(const IntegerGraph& graph, std::span<const LayerMemory> layers,
             const StripPlan* strips)
      : graph_(graph), layers_(layers), strips_(strips) {}

  std::vector<Block> make() {
    add_tensors();
    add_scratch();
    if (strips_) hold_strips();
    for (int step = 0; step < steps(); ++step)
      if (may_run_in_place(step)) write_over(graph_.layers[step].output, source_of(step), step);
    if (strips_ && exit_follows_entry(graph_, *strips_) && strips_->entry != graph_.output)
      write_over(strips_->exit, strips_->entry, static_cast<int>(strips_->range.last));
    return std::move(blocks_);
  }

 private:
  int steps() const { return static_cast<int>(graph_.layers.size()); }
  int entry_rows() const { return static_cast<int>(graph_.tensors.size()) + steps(); }

  void add_tensors() {
    for (const ActivationTensor& tensor : graph_.tensors)
      blocks_.push_back({.size = align_block(tensor.bytes())});
    blocks_[graph_.input].last = 0;
    for (int step = 0; step < steps(); ++step) {
      const IntegerLayer& layer = graph_.layers[step];
      blocks_[layer.output].first = step;
      blocks_[layer.output].last = step;
      for (int input : layer.inputs)
        blocks_[input].last = step;
    }
    blocks_[graph_.output].last = std::max(steps() - 1, 0);
  }

  void add_scratch() {
    for (int step = 0; step < steps(); ++step) {
      const auto scratch = static_cast<std::int64_t>(layers_[step].scratch.count());
      blocks_.push_back(
          {.size = align_block(scratch), .first = step, .last = scratch > 0 ? step : step - 1});
    }
  }

  /// Entry and exit are whole through all strips; of the tensors between them there are rows.
  void hold_strips() {
    const int first = static_cast<int>(strips_->range.first);
    const int last = static_cast<int>(strips_->range.last);
    Block rows = blocks_[strips_->entry];
    rows.first = first;
    rows.last = std::min(rows.last, last);
    blocks_.push_back(rows);
    for (const StripTensor& strip : strips_->tensors) {
      const bool of_entry = strip.tensor == strips_->entry;
      Block& block = blocks_[of_entry ? entry_rows() : strip.tensor];
      const ActivationTensor& whole = graph_.tensors[strip.tensor];
      block.size = align_block(whole.bytes() / whole.height * strip.buffer_rows);
      if (strip.kept() == 0) continue;
      block.first = first;
      block.last = last;
    }
    Block& entry = blocks_[strips_->entry];
    entry.last = std::max(entry.last, last);
    blocks_[strips_->exit].first = first;
  }

  /// Block of what a layer reads first.
  int source_of(int step) const {
    const int input = graph_.layers[step].inputs.front();
    const bool in_strips = strips_ && strips_->covers(static_cast<std::size_t>(step));
    return in_strips && input == strips_->entry ? entry_rows() : input;
  }

  /// In strips only where the output keeps no rows: the input has new ones in the next strip.
  bool may_run_in_place(int step) const {
    const IntegerLayer& layer = graph_.layers[step];
    if (!layers_[step].in_place || layers_[step].scratch.count() > 0) return false;
    if (strips_ && strips_->covers(static_cast<std::size_t>(step)))
      return layer.output != strips_->exit && strips_->rows_of(layer.output).kept() == 0;
    return layer.inputs.front() != graph_.output;
  }

  /// Where the block below is not needed after `step`.
  void write_over(int block, int below, int step) {
    if (blocks_[below].last == step && blocks_[block].size <= blocks_[below].size)
      blocks_[block].over = below;
  }

  const IntegerGraph& graph_;
  std::span<const LayerMemory> layers_;
  const StripPlan* strips_;
  std::vector<Block> blocks_;
};

}  // namespace

std::int64_t align_block(std::int64_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

std::vector<Block> blocks_of(const IntegerGraph& graph, std::span<const LayerMemory> layers,
                             const StripPlan* strips) {
  return BlockMaker(graph, layers, strips).make();
}

std::int64_t least_bytes(const std::vector<Block>& blocks, int steps) {
  std::int64_t bound = 0;
  for (int step = 0; step < std::max(steps, 1); ++step) {
    std::int64_t alive = 0;
    for (const Block& block : blocks) {
      if (step < block.first || step > block.last) continue;
      const bool shares_now = block.over >= 0 && step <= blocks[block.over].last;
      if (!shares_now) alive += block.size;
    }
    bound = std::max(bound, alive);
  }
  return bound;
}

}  // namespace assay

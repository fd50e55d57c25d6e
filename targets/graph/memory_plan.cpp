#include "targets/graph/memory_plan.hpp"

#include <algorithm>

#include "targets/graph/placement.hpp"

namespace assay {
namespace {

/// Tensors in turn at the bottom and at the top of an arena of `size` bytes, scratch between them;
/// what is written in place goes to the bottom. Reaches the lower bound when every layer reads only
/// the tensor before it.
Offsets place_at_two_ends(const IntegerGraph& graph, const std::vector<Block>& blocks,
                          std::int64_t size) {
  Offsets offsets(blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i)
    offsets[i] = 0;
  bool at_bottom = true;
  for (std::size_t step = 0; step < graph.layers.size(); ++step) {
    const int input = graph.layers[step].inputs.front();
    const int output = graph.layers[step].output;
    const bool output_at_bottom = blocks[output].over >= 0 || !at_bottom;
    if (!output_at_bottom) offsets[output] = size - blocks[output].size;
    offsets[graph.tensors.size() + step] = blocks[at_bottom ? input : output].size;
    at_bottom = output_at_bottom;
  }
  return offsets;
}

}  // namespace

MemoryPlan plan_memory(const IntegerGraph& graph, std::span<const LayerMemory> layers,
                       const StripPlan* strips) {
  const std::vector<Block> blocks = blocks_of(graph, layers, strips);
  const std::int64_t bound = least_bytes(blocks, static_cast<int>(graph.layers.size()));
  Offsets best = place_at_two_ends(graph, blocks, bound);
  if (!is_valid(blocks, best)) best = place_blocks(blocks, BankLine(), bound);
  MemoryPlan plan;
  const std::size_t tensors = graph.tensors.size();
  for (std::size_t i = 0; i < tensors + layers.size(); ++i)
    (i < tensors ? plan.tensor_offset : plan.scratch_offset).push_back(*best[i]);
  if (strips) plan.entry_rows_offset = *best.back();
  for (std::size_t step = 0; step < layers.size(); ++step)
    if (blocks[tensors + step].size == 0) plan.scratch_offset[step] = 0;
  plan.arena_bytes = Bytes(static_cast<std::uint64_t>(end_of_all(blocks, best)));
  plan.lower_bound = Bytes(static_cast<std::uint64_t>(bound));
  return plan;
}

}  // namespace assay

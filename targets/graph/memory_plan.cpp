#include "targets/graph/memory_plan.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace assay {
namespace {

constexpr std::int64_t alignment = 8;  // scratch holds 64-bit values; tensors need 4

std::int64_t align(std::int64_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// A piece of the arena and the steps (layers) during which it is alive.
struct Block {
  std::int64_t size = 0;
  int first = 0;
  int last = -1;  // before `first`: never alive
  int over = -1;  // block this one may be written over, at its address or below
  std::int64_t end_of(std::int64_t offset) const { return offset + size; }
};

using Offsets = std::vector<std::optional<std::int64_t>>;

/// Tensors first, then the scratch of every layer.
std::vector<Block> find_blocks(const IntegerGraph& graph, std::span<const LayerMemory> layers) {
  const int steps = static_cast<int>(graph.layers.size());
  std::vector<Block> blocks;
  for (const ActivationTensor& tensor : graph.tensors)
    blocks.push_back({.size = align(tensor.size())});
  blocks[graph.input].last = 0;
  for (int step = 0; step < steps; ++step) {
    const IntegerLayer& layer = graph.layers[step];
    blocks[layer.output].first = step;
    blocks[layer.output].last = step;
    for (int input : layer.inputs)
      blocks[input].last = step;
  }
  blocks[graph.output].last = std::max(steps - 1, 0);
  for (int step = 0; step < steps; ++step) {
    const IntegerLayer& layer = graph.layers[step];
    const std::int64_t scratch = align(static_cast<std::int64_t>(layers[step].scratch.count()));
    blocks.push_back({.size = scratch, .first = step, .last = scratch > 0 ? step : step - 1});
    const int input = layer.inputs.front();
    const bool dies_here = blocks[input].last == step && input != graph.output;
    if (layers[step].in_place && scratch == 0 && dies_here &&
        blocks[layer.output].size <= blocks[input].size)
      blocks[layer.output].over = input;
  }
  return blocks;
}

std::int64_t find_lower_bound(const std::vector<Block>& blocks, int steps) {
  std::int64_t bound = 0;
  for (int step = 0; step < std::max(steps, 1); ++step) {
    std::int64_t alive = 0;
    for (const Block& block : blocks) {
      if (step < block.first || step > block.last) continue;
      const bool shares_now = block.over >= 0 && step == block.first;
      if (!shares_now) alive += block.size;
    }
    bound = std::max(bound, alive);
  }
  return bound;
}

/// Whether two blocks may lie at these offsets.
bool compatible(const std::vector<Block>& blocks, int a, std::int64_t offset_a, int b,
                std::int64_t offset_b) {
  if (blocks[a].size == 0 || blocks[b].size == 0) return true;
  if (blocks[a].last < blocks[b].first || blocks[b].last < blocks[a].first) return true;
  if (offset_a >= blocks[b].end_of(offset_b) || offset_b >= blocks[a].end_of(offset_a)) return true;
  if (blocks[a].over == b) return offset_a <= offset_b;
  if (blocks[b].over == a) return offset_b <= offset_a;
  return false;
}

bool fits(const std::vector<Block>& blocks, const Offsets& offsets, int block,
          std::int64_t offset) {
  for (int other = 0; other < static_cast<int>(blocks.size()); ++other)
    if (offsets[other] && !compatible(blocks, block, offset, other, *offsets[other])) return false;
  return true;
}

/// Places blocks one after the other at the lowest offset that is free for their lifetime.
Offsets place_greedily(const std::vector<Block>& blocks, const std::vector<int>& order) {
  Offsets offsets(blocks.size());
  for (int block : order) {
    std::vector<std::int64_t> candidates = {0};
    for (std::size_t other = 0; other < blocks.size(); ++other)
      if (offsets[other]) {
        candidates.push_back(*offsets[other]);
        candidates.push_back(blocks[other].end_of(*offsets[other]));
      }
    std::sort(candidates.begin(), candidates.end());
    for (std::int64_t offset : candidates)
      if (!offsets[block] && fits(blocks, offsets, block, offset)) offsets[block] = offset;
  }
  return offsets;
}

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

bool is_valid(const std::vector<Block>& blocks, const Offsets& offsets) {
  for (std::size_t block = 0; block < blocks.size(); ++block)
    for (std::size_t other = 0; other < block; ++other)
      if (*offsets[block] < 0 || !compatible(blocks, static_cast<int>(block), *offsets[block],
                                             static_cast<int>(other), *offsets[other]))
        return false;
  return true;
}

std::int64_t arena_size(const std::vector<Block>& blocks, const Offsets& offsets) {
  std::int64_t size = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i)
    if (blocks[i].last >= blocks[i].first) size = std::max(size, blocks[i].end_of(*offsets[i]));
  return size;
}

/// Orders that greedy placement does well with: by size, by execution, by size times lifetime.
std::vector<std::vector<int>> placement_orders(const std::vector<Block>& blocks) {
  std::vector<int> by_step(blocks.size());
  std::iota(by_step.begin(), by_step.end(), 0);
  std::stable_sort(by_step.begin(), by_step.end(),
                   [&](int a, int b) { return blocks[a].first < blocks[b].first; });
  auto by_size = by_step;
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](int a, int b) { return blocks[a].size > blocks[b].size; });
  auto by_area = by_step;
  const auto area = [&](int i) { return blocks[i].size * (blocks[i].last - blocks[i].first + 1); };
  std::stable_sort(by_area.begin(), by_area.end(), [&](int a, int b) { return area(a) > area(b); });
  return {by_size, by_area, by_step};
}

}  // namespace

MemoryPlan plan_memory(const IntegerGraph& graph, std::span<const LayerMemory> layers) {
  const std::vector<Block> blocks = find_blocks(graph, layers);
  const std::int64_t bound = find_lower_bound(blocks, static_cast<int>(graph.layers.size()));
  Offsets best = place_at_two_ends(graph, blocks, bound);
  if (!is_valid(blocks, best)) {
    std::optional<std::int64_t> smallest;
    for (const auto& order : placement_orders(blocks)) {
      Offsets offsets = place_greedily(blocks, order);
      const std::int64_t size = arena_size(blocks, offsets);
      if (smallest && size >= *smallest) continue;
      smallest = size;
      best = std::move(offsets);
    }
  }
  MemoryPlan plan;
  const std::size_t tensors = graph.tensors.size();
  for (std::size_t i = 0; i < blocks.size(); ++i)
    (i < tensors ? plan.tensor_offset : plan.scratch_offset).push_back(*best[i]);
  for (std::size_t step = 0; step < layers.size(); ++step)
    if (blocks[tensors + step].size == 0) plan.scratch_offset[step] = 0;
  plan.arena_bytes = Bytes(static_cast<std::uint64_t>(arena_size(blocks, best)));
  plan.lower_bound = Bytes(static_cast<std::uint64_t>(bound));
  return plan;
}

}  // namespace assay

// The pieces of memory that a network needs, and when: what placement (placement.hpp) lays out.
// Pure; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "targets/graph/memory_plan.hpp"

namespace assay {

/// Rounded up to what tensors and scratch are aligned to.
std::int64_t align_block(std::int64_t bytes);

/// A piece of memory and the steps (layers) during which it is alive.
struct Block {
  std::int64_t size = 0;
  int first = 0;
  int last = -1;  ///< before `first`: never alive
  int over = -1;  ///< block this one may be written over, at its address or below
  std::int64_t end_of(std::int64_t offset) const { return offset + size; }
  bool is_used() const { return size > 0 && last >= first; }
};

/// The blocks of a network: its tensors first, then the scratch of every layer, then, with strips,
/// the rows of their entry. Layers that run in strips take their steps in turn in every strip: a
/// buffer that keeps rows from one strip to the next is alive in all of these steps.
std::vector<Block> blocks_of(const IntegerGraph& graph, std::span<const LayerMemory> layers,
                             const StripPlan* strips = nullptr);

/// The largest sum of what is alive at once.
std::int64_t least_bytes(const std::vector<Block>& blocks, int steps);

}  // namespace assay

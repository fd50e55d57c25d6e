// Where every tensor and every kernel's scratch lies in the one static arena. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/core/units.hpp"
#include "targets/graph/integer_graph.hpp"
#include "targets/graph/strips.hpp"

namespace assay {

/// What the chosen kernel of a layer needs.
struct LayerMemory {
  Bytes scratch;
  /// The output may be written over the first input, at its address or below. Used where that input
  /// is not needed afterwards, the output is no larger and there is no scratch.
  bool in_place = false;
};

/// Offsets in bytes from the arena's start, all multiples of 8.
struct MemoryPlan {
  std::vector<std::int64_t> tensor_offset;   ///< per tensor of the graph
  std::vector<std::int64_t> scratch_offset;  ///< per layer; 0 where it has no scratch
  std::int64_t entry_rows_offset = 0;        ///< of the rows of the strips' entry
  Bytes arena_bytes;
  Bytes lower_bound;  ///< largest sum of what is alive at once: no plan can be smaller
};

/// Plans the arena for layers run in order. Sizes count in multiples of 8 bytes. The network's
/// input is alive from the start, its output until the end; the input's place may be reused by a
/// run. A network in which every layer reads only the tensor before it reaches the lower bound;
/// with branches a local search over the order of placement and, where that does not reach it, one
/// over all orders follow: optimal for small networks, not proved so for large ones. `layers` has
/// one entry per layer. With strips, the tensors between their layers have a buffer of some rows.
MemoryPlan plan_memory(const IntegerGraph& graph, std::span<const LayerMemory> layers,
                       const StripPlan* strips = nullptr);

}  // namespace assay

// Which layers to run in strips where a network as a whole needs too much RAM. Pure; thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "harness/core/part.hpp"
#include "targets/graph/bank_plan.hpp"
#include "targets/graph/strips.hpp"

namespace assay {

/// The RAM that a network's tensors and scratch may have.
struct RamRoom {
  std::optional<Bytes> budget;  ///< for all of them; absent: no limit but the banks'
  RamLayout banks;              ///< in which they must find a place; or none
};

/// Whether a network's arena has room there.
bool has_room(const RamRoom& room, const IntegerGraph& graph, std::span<const LayerMemory> layers,
              const StripPlan* strips = nullptr);

/// What the kernels of all layers need when some layers run in strips.
using NeedsInStrips = std::function<std::vector<LayerMemory>(const StripPlan&)>;

/// A way to run a network.
struct StripChoice {
  StripRange range;
  Bytes arena;  ///< in one bank
  bool has_room = false;
};

/// Of all ranges of layers that can run in strips, and all heights of strips that divide the height
/// of the last one's output (plan_strips() knows no others: of 25 rows 1 and 5, of a prime number 1
/// alone): the way that costs the fewest instructions beyond the layers as a whole on that core, by
/// the estimate of strip_estimate.hpp, of those with room. Where none has room the one with the
/// smallest arena; nothing where no layers can run in strips.
std::optional<StripChoice> choose_strips(const IntegerGraph& graph, const NeedsInStrips& needs,
                                         const RamRoom& room, const Core& core);

}  // namespace assay

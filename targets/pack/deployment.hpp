// A network on a core: the kernel, the packed constants and the memory of every layer. What code
// generation prints and what planning adds up before any training. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/core/part.hpp"
#include "harness/core/result.hpp"
#include "harness/core/units.hpp"
#include "targets/graph/integer_graph.hpp"
#include "targets/graph/memory_plan.hpp"
#include "targets/pack/kernel.hpp"

namespace assay {

/// How kernels are chosen.
struct KernelChoice {
  bool force_reference = false;                  ///< reference kernels everywhere
  std::optional<std::string> force_kernel = {};  ///< this row wherever its operator occurs
  std::vector<const KernelRow*> layers = {};     ///< one a layer, in place of the first; or empty
  std::optional<StripRange> strips = {};         ///< run these layers strip by strip
};

/// What a layer is with one kernel.
struct DeployedLayer {
  const KernelRow* kernel = nullptr;
  std::vector<ConstantArray> constants;
  Bytes constant_bytes;
  Bytes scratch;
};

/// `layers` is indexed like IntegerGraph::layers.
struct Deployment {
  std::vector<DeployedLayer> layers;
  std::optional<StripPlan> strips;
  IntegerGraph shapes;             ///< the network as kernels see it: strip_shapes()
  std::vector<LayerMemory> needs;  ///< of every layer
  MemoryPlan memory;
  Bytes weight_bytes;   ///< all packed constants: weights, b', m
  Bytes scratch_bytes;  ///< the largest scratch of a layer; part of the arena
  Macs macs;
};

/// Packs a layer for a kernel that accepts it.
DeployedLayer deploy_layer(const LayerView& layer, const KernelRow& kernel);

/// Chooses kernels for `core` (nullptr: the host, portable kernels only) and plans the memory. Zero
/// weights of the right size are fine: sizes do not depend on trained values. Errors: bad_input
/// when force_kernel is unknown, or cannot run on the core, or declines a layer (named); when
/// `layers` is for another network, or `strips` of layers that cannot run in strips.
Result<Deployment> deploy(const IntegerGraph& graph, const Core* core,
                          const KernelChoice& choice = {});

}  // namespace assay

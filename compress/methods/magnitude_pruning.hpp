// Pruning masks by magnitude. Pure functions, thread-safe.
//
// Weights are [out][in][kh][kw] or [out][in], row-major; a mask has their order. Weights are pruned
// in units: one weight, a block, a filter. A unit's score is the mean magnitude of its weights,
// which orders filters of a layer as their L1 norm does (Li et al., 2017, section 3.1) and lets a
// short last block compete fairly. Units are pruned in ascending order of score; of equal scores
// the earlier layer, then the earlier position goes first, so that no threshold decides and a layer
// of equal weights is pruned to its target as any other.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/core/json.hpp"

namespace assay {

/// What is pruned together, and what competes.
struct MagnitudePruning {
  enum class Granularity {
    unstructured,
    block_1x4,  ///< four consecutive input channels of one output channel and kernel position
    n_of_m,     ///< `zeros` of every `group` consecutive input channels; "2:4" in JSON
    filter,     ///< a whole output channel
  };
  enum class Ranking {
    layer,   ///< every layer is pruned to the target
    global,  ///< all layers together are; magnitudes are compared as they are
  };
  Granularity granularity = Granularity::unstructured;
  Ranking ranking = Ranking::layer;  ///< n_of_m ranks within each group: unused
  // Of n_of_m only. The first number counts the zeros, where some sources count what is left.
  int zeros = 2;
  int group = 4;
};

Json to_json(const MagnitudePruning& pruning);
/// Problems go to the object's JsonErrors under the field's name.
MagnitudePruning read_magnitude_pruning(JsonObject& object);

/// The sparsity that n_of_m ends at, zeros / group; nothing for the other granularities, whose
/// sparsity is free.
std::optional<double> fixed_sparsity(const MagnitudePruning& pruning);

/// One layer to prune. The weights are not copied.
struct PrunableLayer {
  std::string name;                 ///< for messages
  std::vector<std::int64_t> shape;  ///< [out][in] or [out][in][kh][kw]
  std::span<const float> weights;
};

/// Which weights of a layer stay.
struct LayerMask {
  std::string name;
  std::vector<std::uint8_t> keep;  ///< 1 stays, 0 is pruned

  std::int64_t weights() const { return static_cast<std::int64_t>(keep.size()); }
  std::int64_t zeros() const;
};

/// Masks of `layers` at `sparsity`, which is in [0, 1).
///
/// Of N weights (a layer's, or all of them when ranking is global) max(round(N (1 - sparsity)), 1)
/// stay. Blocks and filters are whole, so their count is the one that brings the weights left
/// nearest to that number, the larger of two equally near. At least one unit of every layer stays.
/// n_of_m prunes round(sparsity * group) weights, at most `zeros`, of every group, so a rising
/// sparsity adds whole zeros; of a shorter last group of r channels r * that / group, rounded down.
/// A layer of one input channel a group therefore stays dense: its mask says so.
///
/// `previous`, when not empty, holds the masks of the same layers in the same order; what they have
/// pruned stays pruned and counts. Where they have pruned more than `sparsity` asks, they stay.
///
/// Errors: bad_input for a sparsity out of range or above fixed_sparsity, a layer without weights,
/// a shape that does not hold the weights, a weight that is not finite (a training that diverged),
/// previous masks of other layers.
Result<std::vector<LayerMask>> magnitude_masks(std::span<const PrunableLayer> layers,
                                               const MagnitudePruning& pruning, double sparsity,
                                               std::span<const LayerMask> previous = {});

}  // namespace assay

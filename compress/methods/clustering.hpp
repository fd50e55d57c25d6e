// Weight sharing: the weights of a layer as indices into one codebook, or one per output channel.
// Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/methods/kmeans.hpp"
#include "compress/methods/layer_policy.hpp"
#include "harness/core/json.hpp"

namespace assay {

struct ClusterSettings {
  enum class Per {
    layer,    ///< one codebook
    channel,  ///< one for each output channel (row)
  };
  enum class Scale {
    channel,  ///< weights over their channel's scale; centroids are integers in [-127, 127]
    none,     ///< weights as they are; centroids are real
  };
  int k = 16;  ///< centroids of a codebook; "clusters" in JSON
  KmeansInit init = KmeansInit::exact;
  Per per = Per::layer;
  bool preserve_sparsity = true;  ///< KmeansOptions::preserve_zeros
  bool zero_smallest = false;
  /// With integer centroids the int8 weights of a layer have k different values whatever the scales
  /// of its channels are; real centroids over different scales would have up to k a channel.
  Scale scale = Scale::channel;
  LayerPolicy layers = {};
};

Json to_json(const ClusterSettings& settings);
/// The layers' fields stand beside the others. Problems go to the object's JsonErrors under the
/// field's name.
ClusterSettings read_cluster_settings(JsonObject& object);

/// The clustered weights of one layer, and what there is to report.
struct LayerClusters {
  /// Ascending, different centroids: one codebook, or one per output channel. Integers when they
  /// are in units of the channel's scale. Empty when the layer is left out.
  std::vector<std::vector<float>> codebooks;
  std::vector<std::uint32_t> assignment;  ///< each weight's index in its codebook
  int largest_codebook = 0;               ///< centroids; fewer than k where weights are alike
  int merged = 0;            ///< centroids fewer because they are integers (Clusters::merged)
  double squared_error = 0;  ///< over all weights, in the weights' own unit, after rounding
  std::optional<std::string> left_out;  ///< why the layer is not clustered

  const std::vector<float>& codebook(std::size_t channel) const {
    return codebooks.size() == 1 ? codebooks.front() : codebooks[channel];
  }
};

/// {"codebooks", "centroids", "merged", "squared_error"} or {"left_out"}.
Json to_json(const LayerClusters& clusters);

/// Clusters `weights`, which are `channels` rows of equal length. `scales` has one positive scale a
/// channel with Scale::channel and is not looked at without. Scaled centroids are integers
/// (KmeansOptions::integers; a small one may join the zeros, as its weights would in int8), and an
/// error in units of a scale counts for the scale's square: what is minimized is the reported error
/// of the weights themselves, of which `exact` is the least there is. A layer that cannot have k
/// clusters (why_not_clusterable, of any of its codebooks) is left out as a whole, with the reason;
/// that is no error. Errors: bad_input for weights that are not whole rows or not finite, for
/// scales that are not one positive number a channel.
Result<LayerClusters> cluster_layer(std::span<const float> weights, std::int64_t channels,
                                    std::span<const float> scales, const ClusterSettings& settings,
                                    std::uint64_t seed);

/// Whether any of the layers that a policy selects has weights enough for the clusters, asked
/// before they are trained: what only the weights tell (zeros and signs) is left open. Returns the
/// positions of those that have, ascending. Errors: bad_input as select_layers, and when none has.
Result<std::vector<std::size_t>> clusterable_layers(std::span<const WeightedLayer> layers,
                                                    const ClusterSettings& settings);

/// The error when no chosen layer could be clustered, with the reason of one.
tl::unexpected<Error> nothing_to_cluster(const std::string& layer, const std::string& why);

/// The weights that a clustering which is not left out stands for: centroids, times the scales when
/// there are any.
std::vector<float> clustered_weights(const LayerClusters& clusters, std::int64_t channels,
                                     std::span<const float> scales);

}  // namespace assay

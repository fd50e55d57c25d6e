// Which float layers of a model share their values on purpose. Clustering with real centroids says
// so in the model's metadata, since pruned layers and small ones have few values too. Free of
// Torch. Pure functions, thread-safe.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/onnx/model.hpp"

namespace assay {

/// Marks `layers`, nodes with float32 constant weights, as the model's only clustered float layers:
/// metadata_props assay.clusters, a JSON object of how many different weights each has now.
void mark_clusters(onnx::Model& model, std::span<const std::string> layers);

class ClusterMarks {
 public:
  /// Errors: bad_input when the property is there and is no such object.
  static Result<ClusterMarks> read(const onnx::Model& model);

  /// Whether the weights of a layer are clusters worth keeping: at most 256 different ones, as many
  /// as int8 weights can have, and no more than were marked, since whoever trained the layer later
  /// may have left the mark. Without marks the model is from elsewhere and its values decide: they
  /// are clusters when fewer than half as many as the weights that are not 0, zeros left aside.
  bool is_clustered(const std::string& layer, std::span<const float> weights) const;

 private:
  std::optional<std::map<std::string, std::size_t>> marked_;  // different weights, by layer
};

}  // namespace assay

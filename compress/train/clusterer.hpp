// Weight clustering with fine-tuned centroids (Han et al., 2016, section 3). Include only where
// Torch is wanted. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "compress/methods/clustering.hpp"
#include "compress/train/codebook.hpp"
#include "compress/train/trainable_network.hpp"

namespace assay {

class Clusterer final : public TrainingMethod {
 public:
  /// Clusters the chosen layers' weights; from then on only the centroids move. `network` is free
  /// of batch normalization, so that the clusters are those of the final weights. A layer that
  /// cannot have so many clusters is left out, which the report says. Errors: bad_input for a
  /// policy that names an unknown layer or selects none, or when every layer is left out.
  static Result<std::unique_ptr<Clusterer>> create(const TrainableNetwork& network,
                                                   const ClusterSettings& settings,
                                                   std::uint64_t seed);

  at::Tensor weight(std::size_t layer, const at::Tensor& weight) override;
  std::optional<IntegerWeights> final_integers(std::size_t layer) override;
  std::vector<at::Tensor> parameters() override;
  bool replaces(std::size_t layer) const override { return codebooks_[layer].has_value(); }
  NamedTensors state() const override;
  void restore(const NamedTensors& state) override;
  Json report() const override { return report_; }
  std::string name() const override { return "cluster"; }
  /// Marks the layers with real centroids in the model as this method leaves it.
  void mark(onnx::Model& model) const;

 private:
  std::vector<std::optional<Codebook>> codebooks_;  // per layer of the network
  std::vector<std::string> real_layers_;            // those whose codebooks are not integers
  Json report_;
};

}  // namespace assay

#include "compress/train/clusterer.hpp"

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>

#include "compress/methods/cluster_marks.hpp"
#include "compress/methods/quantization_scale.hpp"
#include "compress/train/select_layers.hpp"
#include "compress/train/tensors.hpp"

namespace assay {
namespace {

/// All codebooks of a layer as one list of values, and the place of every weight in it.
struct FlatClusters {
  std::vector<float> values;
  std::vector<int> assignment;
};

FlatClusters flatten(const LayerClusters& clusters, std::size_t channels) {
  FlatClusters flat;
  std::vector<int> first;
  for (const std::vector<float>& codebook : clusters.codebooks) {
    first.push_back(int(flat.values.size()));
    flat.values.insert(flat.values.end(), codebook.begin(), codebook.end());
  }
  const std::size_t row = clusters.assignment.size() / channels;
  for (std::size_t i = 0; i < clusters.assignment.size(); ++i) {
    const int offset = first.size() == 1 ? 0 : first[i / row];
    flat.assignment.push_back(offset + int(clusters.assignment[i]));
  }
  return flat;
}

Codebook make_codebook(const FlatClusters& flat, const std::vector<float>& scales,
                       const at::Tensor& weight) {
  if (scales.empty()) return Codebook::of_reals(flat.values, flat.assignment, weight);
  const std::vector<std::int8_t> integers(flat.values.begin(), flat.values.end());
  return Codebook::of_integers(integers, flat.assignment, scales, weight);
}

}  // namespace

Result<std::unique_ptr<Clusterer>> Clusterer::create(const TrainableNetwork& network,
                                                     const ClusterSettings& settings,
                                                     std::uint64_t seed) {
  ASSAY_TRY(const auto selected, select_layers(network, settings.layers));
  auto clusterer = std::make_unique<Clusterer>();
  clusterer->codebooks_.resize(network.layers().size());
  clusterer->report_["settings"] = to_json(settings);
  for (const std::size_t index : selected) {
    const TrainableLayer& layer = network.layers()[index];
    const std::vector<float> weights = to_vector(layer.weight);
    const std::int64_t channels = layer.weight.size(0);
    std::vector<float> scales;
    if (settings.scale == ClusterSettings::Scale::channel)
      scales = quantize_weights(weights, channels).scales;
    ASSAY_TRY(const LayerClusters clusters,
              cluster_layer(weights, channels, scales, settings, seed));
    clusterer->report_["layers"][layer.name] = to_json(clusters);
    if (clusters.left_out) continue;
    if (scales.empty()) clusterer->real_layers_.push_back(layer.name);
    clusterer->codebooks_[index] =
        make_codebook(flatten(clusters, std::size_t(channels)), scales, layer.weight);
  }
  const bool any = std::ranges::any_of(clusterer->codebooks_,
                                       [](const auto& codebook) { return codebook.has_value(); });
  if (any) return clusterer;
  const Json& first = *clusterer->report_.at("layers").begin();
  return nothing_to_cluster(clusterer->report_.at("layers").begin().key(),
                            first.at("left_out").get<std::string>());
}

at::Tensor Clusterer::weight(std::size_t layer, const at::Tensor& weight) {
  return codebooks_[layer] ? codebooks_[layer]->weights() : weight;
}

std::optional<IntegerWeights> Clusterer::final_integers(std::size_t layer) {
  return codebooks_[layer] ? codebooks_[layer]->integers() : std::nullopt;
}

void Clusterer::mark(onnx::Model& model) const {
  mark_clusters(model, real_layers_);
}

std::vector<at::Tensor> Clusterer::parameters() {
  std::vector<at::Tensor> leaves;
  for (const auto& codebook : codebooks_)
    if (codebook) leaves.push_back(codebook->parameter());
  return leaves;
}

NamedTensors Clusterer::state() const {
  NamedTensors state;
  for (std::size_t i = 0; i < codebooks_.size(); ++i)
    if (codebooks_[i]) state[std::to_string(i)] = codebooks_[i]->parameter();
  return state;
}

void Clusterer::restore(const NamedTensors& state) {
  const c10::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < codebooks_.size(); ++i)
    if (codebooks_[i]) codebooks_[i]->parameter().copy_(state.at(std::to_string(i)));
}

}  // namespace assay

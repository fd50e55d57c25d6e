#include "compress/train/pruner.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <map>

#include "compress/methods/shrink_filters.hpp"
#include "compress/train/tensors.hpp"

namespace assay {
namespace {

std::vector<std::uint8_t> kept_weights(const at::Tensor& weight) {
  const std::vector<float> values = to_vector(weight);
  std::vector<std::uint8_t> keep;
  for (const float value : values)
    keep.push_back(value != 0 ? 1 : 0);
  return keep;
}

/// In checkpoints; a layer may be called "updates".
std::string mask_name(const TrainableLayer& layer) {
  return "mask/" + layer.name;
}

}  // namespace

Result<std::unique_ptr<Pruner>> Pruner::create(TrainableNetwork& network,
                                               const PruneSettings& settings) {
  std::unique_ptr<Pruner> pruner(new Pruner(network, settings));
  const onnx::Model model = network.model();
  ASSAY_TRY(const auto layers, weighted_layers(model));
  ASSAY_TRY(const auto selected, select_layers(layers, settings.layers));
  std::map<std::string, std::string> kept;  // layers whose filters must stay, and why
  if (settings.magnitude.granularity == MagnitudePruning::Granularity::filter) {
    ASSAY_TRY(const auto filter_layers, prunable_filters(model));
    for (const FilterLayer& layer : filter_layers)
      if (layer.kept_because) kept[layer.name] = *layer.kept_because;
  }
  for (const std::size_t index : selected) {
    const std::string& name = layers[index].name;
    if (const auto why = kept.find(name); why != kept.end()) {
      pruner->left_out_[name] = why->second;
      continue;
    }
    const auto at = std::ranges::find(network.layers(), name, &TrainableLayer::name);
    pruner->chosen_.push_back(std::size_t(at - network.layers().begin()));
  }
  if (pruner->chosen_.empty())
    return fail(ErrorKind::bad_input, "prune: none of the chosen layers can lose whole filters");
  for (std::size_t i = 0; i < pruner->chosen_.size(); ++i)
    pruner->set_mask(i, kept_weights(network.layers()[pruner->chosen_[i]].weight));
  return pruner;
}

at::Tensor Pruner::weight(std::size_t layer, const at::Tensor& weight) {
  return masks_[layer].defined() ? weight * masks_[layer] : weight;
}

void Pruner::set_mask(std::size_t position, const std::vector<std::uint8_t>& keep) {
  const std::size_t layer = chosen_[position];
  const at::Tensor& weight = network_.layers()[layer].weight;
  masks_[layer] = like_weight(std::vector<float>(keep.begin(), keep.end()), weight);
}

std::vector<LayerMask> Pruner::current() const {
  std::vector<LayerMask> masks;
  for (const std::size_t layer : chosen_)
    masks.push_back({network_.layers()[layer].name, kept_weights(masks_[layer])});
  return masks;
}

Status Pruner::begin_step(std::int64_t step, std::int64_t steps) {
  if (step == 0) ASSAY_CHECK(pruning_updates(settings_.schedule, steps));
  if (const auto sparsity = sparsity_at(settings_.schedule, step, steps))
    return update_masks(step, *sparsity);
  return {};
}

Status Pruner::update_masks(std::int64_t step, double sparsity) {
  std::vector<std::vector<float>> weights;
  for (const std::size_t layer : chosen_)
    weights.push_back(to_vector(network_.layers()[layer].weight));
  std::vector<PrunableLayer> layers;
  for (std::size_t i = 0; i < chosen_.size(); ++i) {
    const TrainableLayer& layer = network_.layers()[chosen_[i]];
    layers.push_back({layer.name, layer.weight.sizes().vec(), weights[i]});
  }
  ASSAY_TRY(const auto masks, magnitude_masks(layers, settings_.magnitude, sparsity, current()));
  std::int64_t zeros = 0;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < masks.size(); ++i) {
    set_mask(i, masks[i].keep);
    zeros += masks[i].zeros();
    count += masks[i].weights();
  }
  updates_.push_back(
      {{"step", step}, {"sparsity", sparsity}, {"zeros", zeros}, {"weights", count}});
  apply_masks();
  return {};
}

void Pruner::apply_masks() {
  const bool filters = settings_.magnitude.granularity == MagnitudePruning::Granularity::filter;
  const c10::NoGradGuard no_gradient;
  for (const std::size_t layer : chosen_) {
    at::Tensor weight = network_.layers()[layer].weight;
    weight.mul_(masks_[layer]);
    if (!filters) continue;
    const at::Tensor alive = masks_[layer].flatten(1).amax(1);
    network_.silence_channels(layer, alive);
  }
}

void Pruner::end_step() {
  apply_masks();
}

NamedTensors Pruner::state() const {
  NamedTensors state{{"updates", tensor_of(updates_)}};
  for (const std::size_t layer : chosen_)
    state[mask_name(network_.layers()[layer])] = masks_[layer];
  return state;
}

void Pruner::restore(const NamedTensors& state) {
  updates_ = json_of(state.at("updates"));
  for (const std::size_t layer : chosen_)
    masks_[layer].copy_(state.at(mask_name(network_.layers()[layer])));
}

Json Pruner::report() const {
  Json layers = Json::object();
  for (const LayerMask& mask : current())
    layers[mask.name] = {{"weights", mask.weights()}, {"zeros", mask.zeros()}};
  Json json = {{"settings", to_json(settings_)}, {"updates", updates_}, {"layers", layers}};
  if (!left_out_.empty()) json["left_out"] = left_out_;
  return json;
}

}  // namespace assay

#include "compress/train/pruner.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones_like.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <set>
#include <utility>

#include "compress/methods/shrink_filters.hpp"
#include "compress/train/select_layers.hpp"
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

std::vector<at::Tensor> those_of(const NamedTensors& tensors,
                                 const std::vector<std::string>& names) {
  std::vector<at::Tensor> found;
  for (const std::string& name : names)
    if (const auto tensor = tensors.find(name); tensor != tensors.end())
      found.push_back(tensor->second);
  return found;
}

/// Zeroes the entries along the first axis for which `alive` is 0.
void silence(const std::vector<at::Tensor>& tensors, const at::Tensor& alive) {
  for (at::Tensor tensor : tensors) {
    std::vector<std::int64_t> shape(std::size_t(tensor.dim()), 1);
    shape[0] = -1;
    tensor.mul_(alive.reshape(shape));
  }
}

/// In checkpoints; a layer may be called "updates".
std::string mask_name(const TrainableLayer& layer) {
  return "mask/" + layer.name;
}

}  // namespace

Result<std::unique_ptr<Pruner>> Pruner::create(TrainableNetwork& network,
                                               const PruneSettings& settings) {
  std::unique_ptr<Pruner> pruner(new Pruner(network, settings));
  ASSAY_TRY(pruner->chosen_, select_layers(network, settings.layers));
  if (settings.magnitude.granularity == MagnitudePruning::Granularity::filter)
    ASSAY_CHECK(pruner->choose_filters());
  if (settings.magnitude.granularity == MagnitudePruning::Granularity::n_of_m)
    pruner->leave_out_without_groups();
  for (std::size_t i = 0; i < pruner->chosen_.size(); ++i)
    pruner->set_mask(i, kept_weights(network.layers()[pruner->chosen_[i]].weight));
  return pruner;
}

void Pruner::leave_out_without_groups() {
  std::erase_if(chosen_, [&](std::size_t index) {
    const TrainableLayer& layer = network_.layers()[index];
    if (has_groups(settings_.magnitude, layer.weight.sizes())) return false;
    left_out_[layer.name] = fmt::format("it has {} input channels, too few for a group of {}",
                                        layer.weight.size(1), settings_.magnitude.group);
    return true;
  });
}

Status Pruner::choose_filters() {
  // Like the network's layers, the Conv and Gemm nodes in their order.
  ASSAY_TRY(const auto filter_layers, prunable_filters(network_.original()));
  assert(filter_layers.size() == network_.layers().size());
  const NamedTensors leaves = network_.leaves();
  const std::vector<std::size_t> asked = std::exchange(chosen_, {});
  std::set<std::string> chosen;
  for (std::size_t i = 0; i < filter_layers.size(); ++i) {
    const FilterLayer& layer = filter_layers[i];
    const bool is_asked = std::ranges::binary_search(asked, i);
    if (layer.channels_of && chosen.contains(*layer.channels_of)) {
      sharing_[layer.name] = *layer.channels_of;
    } else if (is_asked && layer.kept_because) {
      left_out_[layer.name] = *layer.kept_because;
    } else if (is_asked && layer.channels_of) {
      left_out_[layer.name] =
          fmt::format("it has the channels of '{}', which is not chosen", *layer.channels_of);
    } else if (is_asked) {
      chosen.insert(layer.name);
      chosen_.push_back(i);
      entries_.push_back(those_of(leaves, layer.constants));
    }
  }
  if (!chosen_.empty()) return {};
  const auto first = left_out_.begin();
  return fail(ErrorKind::bad_input,
              fmt::format("prune: none of the chosen layers can lose whole filters, '{}' because "
                          "{}",
                          first.key(), first->get<std::string>()));
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
  if (planned_.empty()) {
    ASSAY_TRY(planned_, pruning_updates(settings_.schedule, steps));
  }
  const auto due = std::ranges::find(planned_, step, &PruningUpdate::step);
  return due == planned_.end() ? Status() : update_masks(*due);
}

Status Pruner::update_masks(const PruningUpdate& due) {
  std::vector<std::vector<float>> weights;
  for (const std::size_t layer : chosen_)
    weights.push_back(to_vector(network_.layers()[layer].weight));
  std::vector<PrunableLayer> layers;
  for (std::size_t i = 0; i < chosen_.size(); ++i) {
    const TrainableLayer& layer = network_.layers()[chosen_[i]];
    layers.push_back({layer.name, layer.weight.sizes().vec(), weights[i]});
  }
  ASSAY_TRY(const auto masks,
            magnitude_masks(layers, settings_.magnitude, due.sparsity, current()));
  std::int64_t zeros = 0;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < masks.size(); ++i) {
    set_mask(i, masks[i].keep);
    zeros += masks[i].zeros();
    count += masks[i].weights();
  }
  updates_.push_back(
      {{"step", due.step}, {"sparsity", due.sparsity}, {"zeros", zeros}, {"weights", count}});
  apply_masks();
  return {};
}

void Pruner::apply_masks() {
  const c10::NoGradGuard no_gradient;
  for (const std::size_t layer : chosen_) {
    at::Tensor weight = network_.layers()[layer].weight;
    weight.mul_(masks_[layer]);
  }
  for (std::size_t i = 0; i < entries_.size(); ++i)
    silence(entries_[i], masks_[chosen_[i]].flatten(1).amax(1));
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
  if (!sharing_.empty()) json["sharing"] = sharing_;
  if (!left_out_.empty()) json["left_out"] = left_out_;
  return json;
}

}  // namespace assay

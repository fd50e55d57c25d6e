#include "compress/train/quantization_aware.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/aminmax.h>
#include <ATen/ops/full.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "compress/methods/weight_scale.hpp"
#include "compress/train/fake_quantize.hpp"
#include "compress/train/tensors.hpp"

namespace assay {
namespace {

// Weights move little in so many steps, and the search for the least squared error takes a while.
constexpr std::int64_t observe_weights_every = 20;
constexpr float range_momentum = 0.99F;  // per batch

std::vector<std::int64_t> broadcast_shape(const at::Tensor& weight, std::int64_t channels) {
  std::vector<std::int64_t> shape(std::size_t(weight.dim()), 1);
  shape[0] = channels;
  return shape;
}

bool has_zeros(const at::Tensor& weight) {
  return (weight == 0).any().item<bool>();
}

}  // namespace

Result<std::unique_ptr<QuantizationAware>> QuantizationAware::create(
    TrainableNetwork& network, const QuantizeSettings& settings, const Ranges& ranges) {
  std::unique_ptr<QuantizationAware> method(new QuantizationAware(network, settings));
  if (!network.layers().empty()) method->device_ = network.layers()[0].weight.device();
  const onnx::Model model = network.model();
  ASSAY_TRY(const ClusterMarks marks, ClusterMarks::read(model));
  for (const TrainableLayer& layer : network.layers())
    method->add_layer(layer, marks);
  if (settings.quantizes_activations()) {
    ASSAY_TRY(method->plan_, plan_quantization(model));
    method->unit_.scale = unit_scale(settings.activation_bits());
    method->unit_.step = at::full({1}, method->unit_.scale.scale).to(method->device_);
  }
  for (const std::string& name : method->plan_.observed)
    method->add_activation(name, ranges.at(name));
  return method;
}

void QuantizationAware::add_layer(const TrainableLayer& layer, const ClusterMarks& marks) {
  LayerState state;
  state.name = layer.name;
  state.bits = settings_.bits_of(layer.name);
  state.shared = settings_.weight_scales;
  if (layer.integers) {
    state.codebook = Codebook::of_integers(*layer.integers, layer.weight);
    state.bits = 8;  // they stay as wide as they are
  } else if (marks.is_clustered(layer.name, to_vector(layer.weight))) {
    state.codebook = Codebook::of_equal_reals(layer.weight);
    state.shared = WeightScales::tensor;  // scales per channel would multiply the values
  } else if (has_zeros(layer.weight)) {
    state.mask = (layer.weight.detach() != 0).to(at::kFloat);
  }
  if (!layer.integers) {
    const at::Tensor scale = observed_scales(state, layer.weight);
    if (learned())
      state.log_scale = scale.log().requires_grad_(true);
    else
      state.scale = scale.reshape(broadcast_shape(layer.weight, scale.numel()));
  }
  layers_.push_back(std::move(state));
}

at::Tensor QuantizationAware::observed_scales(const LayerState& layer,
                                              const at::Tensor& weight) const {
  const WeightForm form{layer.bits, settings_.weight_observer, layer.shared, bounded()};
  const auto scales = quantize_weights(to_vector(weight), weight.size(0), form).scales;
  return at::tensor(scales).to(weight.device());
}

void QuantizationAware::add_activation(const std::string& name, const Range& range) {
  ActivationState state;
  state.range = range;
  state.scale = activation_scale(range, settings_.activation_bits());
  state.step = at::full({1}, state.scale.scale).to(device_);
  if (learned()) state.log_step = state.step.log().requires_grad_(true);
  activations_[name] = std::move(state);
}

at::Tensor QuantizationAware::masked(const LayerState& layer, const at::Tensor& weight) const {
  if (layer.codebook) return layer.codebook->weights();
  return layer.mask.defined() ? weight * layer.mask : weight;
}

at::Tensor QuantizationAware::scale_of(const LayerState& layer, const at::Tensor& weight) const {
  if (!layer.log_scale.defined()) return layer.scale;
  at::Tensor scale = layer.log_scale.exp();
  if (bounded()) scale = at::maximum(scale, scale.detach().amax() / max_scale_ratio);
  return scale.reshape(broadcast_shape(weight, scale.numel()));
}

at::Tensor QuantizationAware::weight(std::size_t layer, const at::Tensor& weight) {
  const LayerState& state = layers_[layer];
  const at::Tensor values = masked(state, weight);
  if (state.codebook && state.codebook->is_integer()) return values;
  return fake_quantize_weights(values, scale_of(state, weight), weight_limit(state.bits));
}

at::Tensor QuantizationAware::final_weight(std::size_t layer, const at::Tensor& weight) {
  return masked(layers_[layer], weight);
}

std::optional<IntegerWeights> QuantizationAware::final_integers(std::size_t layer) {
  const LayerState& state = layers_[layer];
  return state.codebook ? state.codebook->integers() : std::nullopt;
}

void QuantizationAware::observe(ActivationState& state, const at::Tensor& value) const {
  const auto [low, high] = at::aminmax(value.detach());
  state.range.low =
      range_momentum * state.range.low + (1 - range_momentum) * std::min(low.item<float>(), 0.0F);
  state.range.high =
      range_momentum * state.range.high + (1 - range_momentum) * std::max(high.item<float>(), 0.0F);
  state.scale = activation_scale(state.range, settings_.activation_bits());
  state.step.fill_(state.scale.scale);
}

at::Tensor QuantizationAware::activation(const std::string& name, const at::Tensor& value) {
  const auto found = plan_.scale_from.find(name);
  if (found == plan_.scale_from.end()) return value;
  const std::string& source = found->second;
  if (plan_.unit.contains(source)) return quantized(unit_, value);
  ActivationState& state = activations_.at(source);
  const bool follows = !learned() && settings_.observer == Observer::moving_average;
  if (training_ && follows && source == name) observe(state, value);
  return quantized(state, value);
}

at::Tensor QuantizationAware::quantized(const ActivationState& state,
                                        const at::Tensor& value) const {
  const int limit = settings_.activation_bits() == 16 ? 32767 : 127;
  const int low = settings_.activation_bits() == 16 ? -limit : -limit - 1;
  const at::Tensor step = state.log_step.defined() ? state.log_step.exp() : state.step;
  return fake_quantize(value, step, state.scale.zero_point, low, limit);
}

std::vector<at::Tensor> QuantizationAware::parameters() {
  std::vector<at::Tensor> leaves;
  for (const LayerState& layer : layers_) {
    if (layer.codebook) leaves.push_back(layer.codebook->parameter());
    if (layer.log_scale.defined()) leaves.push_back(layer.log_scale);
  }
  for (const auto& [name, activation] : activations_)
    if (activation.log_step.defined()) leaves.push_back(activation.log_step);
  return leaves;
}

bool QuantizationAware::replaces(std::size_t layer) const {
  return layers_[layer].codebook.has_value();
}

Status QuantizationAware::begin_step(std::int64_t step, std::int64_t) {
  if (!learned() && step % observe_weights_every == 0) observe_weights();
  return {};
}

void QuantizationAware::observe_weights() {
  const c10::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    LayerState& layer = layers_[i];
    if (!layer.scale.defined()) continue;
    const at::Tensor weight = masked(layer, network_.layers()[i].weight);
    layer.scale.copy_(observed_scales(layer, weight).reshape(layer.scale.sizes()));
  }
}

GivenScales QuantizationAware::scales() const {
  GivenScales given;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const LayerState& layer = layers_[i];
    if (layer.codebook && layer.codebook->is_integer()) continue;  // they carry their own
    given.weights[layer.name] = to_vector(scale_of(layer, network_.layers()[i].weight));
  }
  for (const auto& [name, state] : activations_) {
    given.activations[name] = state.scale;
    if (learned()) given.activations[name].scale = state.log_step.exp().item<float>();
  }
  return given;
}

NamedTensors QuantizationAware::state() const {
  NamedTensors state;
  for (const LayerState& layer : layers_) {
    if (layer.codebook) state["codebook/" + layer.name] = layer.codebook->parameter();
    if (layer.scale.defined()) state["scale/" + layer.name] = layer.scale;
    if (layer.log_scale.defined()) state["log_scale/" + layer.name] = layer.log_scale;
  }
  for (const auto& [name, activation] : activations_) {
    state["range/" + name] = at::tensor({activation.range.low, activation.range.high});
    if (activation.log_step.defined()) state["log_step/" + name] = activation.log_step;
  }
  return state;
}

void QuantizationAware::restore(const NamedTensors& state) {
  const c10::NoGradGuard no_gradient;
  auto assign = [&](at::Tensor tensor, const std::string& name) {
    if (tensor.defined()) tensor.copy_(state.at(name));
  };
  for (LayerState& layer : layers_) {
    if (layer.codebook) assign(layer.codebook->parameter(), "codebook/" + layer.name);
    assign(layer.scale, "scale/" + layer.name);
    assign(layer.log_scale, "log_scale/" + layer.name);
  }
  for (auto& [name, activation] : activations_) {
    const std::vector<float> range = to_vector(state.at("range/" + name));
    activation.range = {range[0], range[1]};
    activation.scale = activation_scale(activation.range, settings_.activation_bits());
    activation.step.fill_(activation.scale.scale);
    assign(activation.log_step, "log_step/" + name);
  }
}

Json QuantizationAware::report() const {
  Json layers = Json::object();
  for (const LayerState& layer : layers_) {
    layers[layer.name] = {{"bits", layer.bits}};
    if (layer.codebook) layers[layer.name]["clusters"] = layer.codebook->size();
  }
  return {{"settings", to_json(settings_)}, {"layers", layers}};
}

}  // namespace assay

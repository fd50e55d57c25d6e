#include "compress/train/trainable_network.hpp"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/batch_norm.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "compress/methods/distillation.hpp"
#include "compress/train/operators.hpp"
#include "compress/train/trainable.hpp"

namespace assay {
namespace {

constexpr double norm_momentum = 0.1;

at::Tensor leaf(at::Tensor tensor) {
  if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
  return tensor.requires_grad_(true);
}

onnx::Tensor to_constant(const std::string& name, const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous(at::MemoryFormat::Contiguous);
  return onnx::Tensor::of<float>(name, onnx::ElementType::float32, plain.sizes().vec(),
                                 {plain.data_ptr<float>(), std::size_t(plain.numel())});
}

void assign(at::Tensor& tensor, const NamedTensors& state, const std::string& name) {
  const c10::NoGradGuard no_gradient;
  tensor.copy_(state.at(name));
}

/// Whether the zero points of a DequantizeLinear are constants and 0.
bool symmetric(const onnx::Model& model, const onnx::Node& node) {
  if (node.inputs.size() < 3 || node.inputs[2].empty()) return true;
  const onnx::Tensor* zero_points = model.initializer(node.inputs[2]);
  return zero_points && std::ranges::all_of(zero_points->data,
                                            [](std::byte byte) { return byte == std::byte{0}; });
}

/// The int8 constant and the scales behind a DequantizeLinear.
std::optional<IntegerWeights> read_integers(const onnx::Model& model, const onnx::Node& node) {
  const onnx::Tensor* values = model.initializer(node.inputs[0]);
  const onnx::Tensor* scales = model.initializer(node.inputs[1]);
  if (!values || !scales || values->type != onnx::ElementType::int8 || values->shape.empty() ||
      scales->type != onnx::ElementType::float32 || node.integer("axis", 1) != 0 ||
      scales->element_count() != values->shape[0] || !symmetric(model, node))
    return std::nullopt;
  const auto v = values->as<std::int8_t>();
  const auto s = scales->as<float>();
  return IntegerWeights{{v.begin(), v.end()}, {s.begin(), s.end()}};
}

onnx::Tensor dequantized(const std::string& name, const std::vector<std::int64_t>& shape,
                         const IntegerWeights& integers) {
  const std::size_t row = integers.values.size() / integers.scales.size();
  std::vector<float> values;
  for (std::size_t i = 0; i < integers.values.size(); ++i)
    values.push_back(integers.scales[i / row] * float(integers.values[i]));
  return onnx::Tensor::of<float>(name, onnx::ElementType::float32, shape, values);
}

/// Where each value of the graph is kept.
class Slots {
 public:
  explicit Slots(const std::string& input) { slots_[input] = 0; }
  int add(const std::string& name) {
    const int slot = int(slots_.size());
    slots_[name] = slot;
    return slot;
  }
  int find(const std::string& name) const {
    const auto found = slots_.find(name);
    return found == slots_.end() ? -1 : found->second;
  }

 private:
  std::map<std::string, int> slots_;
};

}  // namespace

/// Turns integer weights into float ones and remembers them.
class TrainableNetwork::Builder {
 public:
  Builder(const onnx::Model& model, const std::string& source) {
    network_.source_ = source;
    network_.model_ = model;
    std::erase_if(network_.model_.nodes, [&](const onnx::Node& node) {
      if (node.op_type != "DequantizeLinear") return false;
      const auto integers = read_integers(model, node);
      if (!integers) return false;
      const std::string& name = node.outputs[0];
      network_.model_.initializers[name] =
          dequantized(name, model.initializer(node.inputs[0])->shape, *integers);
      for (const std::string& input : node.inputs)
        network_.model_.initializers.erase(input);
      integers_[name] = *integers;
      return true;
    });
  }

  Result<TrainableNetwork> run() {
    const onnx::Model& model = network_.model_;
    ASSAY_CHECK(check_trainable(model, network_.source_));
    Slots slots(model.inputs[0].name);
    for (const onnx::Node& node : model.nodes) {
      Step step;
      step.node = node;
      for (const std::string& input : node.inputs) {
        step.slots.push_back(slots.find(input));
        const onnx::Tensor* constant = model.initializer(input);
        step.constants.push_back(constant ? constant_tensor(*constant) : at::Tensor());
      }
      if (node.op_type == "Conv" || node.op_type == "Gemm") add_layer(node, step);
      if (node.op_type == "BatchNormalization") add_norm(node, step);
      step.output = slots.add(node.outputs[0]);
      note_layers(step);
      network_.steps_.push_back(std::move(step));
    }
    network_.slot_count_ = network_.steps_.size() + 1;
    network_.output_slot_ = slots.find(model.outputs[0].name);
    return std::move(network_);
  }

 private:
  void add_layer(const onnx::Node& node, Step& step) {
    TrainableLayer layer{node.name, leaf(step.constants[1]), {}, std::nullopt};
    const auto integers = integers_.find(node.inputs[1]);
    if (integers != integers_.end()) layer.integers = integers->second;
    if (step.constants.size() > 2 && step.constants[2].defined())
      layer.bias = leaf(step.constants[2]);
    step.layer = int(network_.layers_.size());
    network_.layers_.push_back(std::move(layer));
    network_.frozen_.push_back(false);
  }

  void add_norm(const onnx::Node& node, Step& step) {
    step.norm = int(network_.norms_.size());
    network_.norms_.push_back({leaf(step.constants[1]),
                               leaf(step.constants[2]),
                               step.constants[3],
                               step.constants[4],
                               node.real("epsilon", 1e-5F),
                               {},
                               false});
  }

  /// Notes the layers that a step's output comes from, and that its norm therefore has in front.
  void note_layers(const Step& step) {
    std::set<std::size_t> layers;
    if (step.layer >= 0) {
      layers = {std::size_t(step.layer)};
    } else {
      for (const int slot : step.slots)
        if (const auto before = layers_before_.find(slot); before != layers_before_.end())
          layers.insert(before->second.begin(), before->second.end());
    }
    if (step.norm >= 0) network_.norms_[std::size_t(step.norm)].layers = layers;
    layers_before_[step.output] = std::move(layers);
  }

  TrainableNetwork network_;
  std::map<int, std::set<std::size_t>> layers_before_;  // by slot
  std::map<std::string, IntegerWeights> integers_;
};

Result<TrainableNetwork> TrainableNetwork::create(const onnx::Model& model,
                                                  const std::string& source) {
  return Builder(model, source).run();
}

void TrainableNetwork::to_device(const std::string& device) {
  const c10::Device target(device);
  auto move = [&](at::Tensor& tensor) {
    if (tensor.defined()) tensor.set_data(tensor.to(target));
  };
  for (TrainableLayer& layer : layers_) {
    move(layer.weight);
    move(layer.bias);
  }
  for (Norm& norm : norms_)
    for (at::Tensor* tensor : {&norm.gamma, &norm.beta, &norm.mean, &norm.variance})
      move(*tensor);
  for (Step& step : steps_)
    for (at::Tensor& constant : step.constants)
      move(constant);
}

at::Tensor TrainableNetwork::normalize(Norm& norm, const at::Tensor& x, bool training) {
  return at::batch_norm(x, norm.gamma, norm.beta, norm.mean, norm.variance,
                        training && !norm.frozen, norm_momentum, norm.epsilon, true);
}

Result<at::Tensor> TrainableNetwork::forward(const at::Tensor& input, bool training,
                                             std::span<TrainingMethod* const> methods,
                                             NamedTensors* taps) {
  std::vector<at::Tensor> values(slot_count_);
  auto keep = [&](int slot, const std::string& name, at::Tensor value) {
    for (TrainingMethod* method : methods)
      value = method->activation(name, value);
    if (taps)
      if (const auto wanted = taps->find(name); wanted != taps->end()) wanted->second = value;
    values[std::size_t(slot)] = std::move(value);
  };
  keep(0, input_name(), input.contiguous(at::MemoryFormat::ChannelsLast));
  for (const Step& step : steps_) {
    std::vector<at::Tensor> inputs = step.constants;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (step.slots[i] >= 0) inputs[i] = values[std::size_t(step.slots[i])];
    const std::string& name = step.node.outputs[0];
    if (step.norm >= 0) {
      keep(step.output, name, normalize(norms_[std::size_t(step.norm)], inputs[0], training));
      continue;
    }
    if (step.layer >= 0) {
      const auto index = std::size_t(step.layer);
      inputs[1] = layers_[index].weight;
      for (TrainingMethod* method : methods)
        inputs[1] = method->weight(index, inputs[1]);
      if (layers_[index].bias.defined()) inputs[2] = layers_[index].bias;
    }
    ASSAY_TRY(at::Tensor output, apply_operator(step.node, std::move(inputs), source_));
    keep(step.output, name, std::move(output));
  }
  return values[std::size_t(output_slot_)];
}

std::vector<at::Tensor> TrainableNetwork::parameters(
    std::span<TrainingMethod* const> methods) const {
  std::vector<at::Tensor> leaves;
  for (const Step& step : steps_) {
    if (step.layer >= 0 && !frozen_[std::size_t(step.layer)]) {
      const auto index = std::size_t(step.layer);
      const bool replaced = std::ranges::any_of(
          methods, [&](const TrainingMethod* method) { return method->replaces(index); });
      if (!replaced) leaves.push_back(layers_[index].weight);
      if (layers_[index].bias.defined()) leaves.push_back(layers_[index].bias);
    }
    if (step.norm >= 0 && !norms_[std::size_t(step.norm)].frozen) {
      leaves.push_back(norms_[std::size_t(step.norm)].gamma);
      leaves.push_back(norms_[std::size_t(step.norm)].beta);
    }
  }
  return leaves;
}

void TrainableNetwork::keep(std::size_t layer) {
  frozen_[layer] = true;
  layers_[layer].weight.requires_grad_(false);
  if (layers_[layer].bias.defined()) layers_[layer].bias.requires_grad_(false);
}

void TrainableNetwork::freeze(std::size_t layer) {
  keep(layer);
  for (Norm& norm : norms_)
    if (!norm.layers.empty() &&
        std::ranges::all_of(norm.layers, [&](std::size_t i) { return frozen_[i]; }))
      norm.freeze();
}

void TrainableNetwork::freeze_all_but(std::size_t layer) {
  for (std::size_t other = 0; other < layers_.size(); ++other)
    if (other != layer) keep(other);
  for (Norm& norm : norms_)
    if (!norm.layers.contains(layer)) norm.freeze();
}

void TrainableNetwork::Norm::freeze() {
  frozen = true;
  gamma.requires_grad_(false);
  beta.requires_grad_(false);
}

Result<std::string> TrainableNetwork::output_of(const std::string& layer) const {
  return assay::output_of(model_, layer, source_);
}

template <class Network, class Visit>
void TrainableNetwork::visit_tensors(Network& network, Visit visit) {
  for (const Step& step : network.steps_) {
    const std::vector<std::string>& names = step.node.inputs;
    if (step.layer >= 0) {
      auto& layer = network.layers_[std::size_t(step.layer)];
      visit(names[1], layer.weight);
      if (layer.bias.defined()) visit(names[2], layer.bias);
    }
    if (step.norm >= 0) {
      auto& norm = network.norms_[std::size_t(step.norm)];
      visit(names[1], norm.gamma);
      visit(names[2], norm.beta);
      visit(names[3], norm.mean);
      visit(names[4], norm.variance);
    }
  }
}

NamedTensors TrainableNetwork::leaves() const {
  NamedTensors leaves;
  visit_tensors(*this, [&](const std::string& name, const at::Tensor& tensor) {
    if (tensor.requires_grad()) leaves[name] = tensor;
  });
  return leaves;
}

NamedTensors TrainableNetwork::state() const {
  NamedTensors state;
  visit_tensors(*this, [&](const std::string& name, const at::Tensor& tensor) {
    state[name] = tensor.detach();
  });
  return state;
}

void TrainableNetwork::restore(const NamedTensors& state) {
  visit_tensors(*this,
                [&](const std::string& name, at::Tensor& tensor) { assign(tensor, state, name); });
}

onnx::Model TrainableNetwork::model(std::span<TrainingMethod* const> methods) const {
  const c10::NoGradGuard no_gradient;
  onnx::Model model = model_;
  visit_tensors(*this, [&](const std::string& name, const at::Tensor& tensor) {
    model.initializers[name] = to_constant(name, tensor);
  });
  model.nodes.clear();
  for (const Step& step : steps_) {
    if (step.layer >= 0) write_weights(step, methods, model);
    model.nodes.push_back(step.node);
  }
  return model;
}

void TrainableNetwork::write_weights(const Step& step, std::span<TrainingMethod* const> methods,
                                     onnx::Model& model) const {
  const auto index = std::size_t(step.layer);
  const std::string& name = step.node.inputs[1];
  at::Tensor weight = layers_[index].weight;
  std::optional<IntegerWeights> integers;
  for (TrainingMethod* method : methods) {
    weight = method->final_weight(index, weight);
    if (auto found = method->final_integers(index)) integers = std::move(found);
  }
  if (!integers) {
    model.initializers[name] = to_constant(name, weight);
    return;
  }
  model.initializers.erase(name);
  const auto channels = std::int64_t(integers->scales.size());
  const std::vector<std::int8_t> zeros(integers->scales.size(), 0);
  auto add = [&]<class T>(const std::string& suffix, onnx::ElementType type,
                          std::vector<std::int64_t> shape, const std::vector<T>& values) {
    const std::string full = name + suffix;
    model.initializers[full] = onnx::Tensor::of<T>(full, type, std::move(shape), values);
    return full;
  };
  onnx::Node node;
  node.name = name + ".dequantize";
  node.op_type = "DequantizeLinear";
  node.inputs = {add(".quantized", onnx::ElementType::int8, weight.sizes().vec(), integers->values),
                 add(".scale", onnx::ElementType::float32, {channels}, integers->scales),
                 add(".zero_point", onnx::ElementType::int8, {channels}, zeros)};
  node.outputs = {name};
  node.attributes["axis"] = std::int64_t{0};
  model.nodes.push_back(std::move(node));
}

}  // namespace assay

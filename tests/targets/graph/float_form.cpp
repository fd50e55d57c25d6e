#include "tests/targets/graph/float_form.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "compress/onnx/float16.hpp"

namespace assay::test {

using onnx::ElementType;
using onnx::Node;
using onnx::Tensor;

namespace {

/// int8 weights behind a DequantizeLinear along `axis`, as float32.
std::vector<float> dequantized(const onnx::Model& model, const Node& node) {
  const Tensor& weights = model.initializers.at(node.inputs[0]);
  const auto scales = model.initializers.at(node.inputs[1]).as<float>();
  const auto axis = static_cast<std::size_t>(node.integer("axis", 1));
  std::size_t stride = 1;
  for (std::size_t d = axis + 1; d < weights.shape.size(); ++d)
    stride *= static_cast<std::size_t>(weights.shape[d]);
  std::vector<float> values;
  for (const std::int8_t value : weights.as<std::int8_t>())
    values.push_back(scales[values.size() / stride % scales.size()] * float(value));
  return values;
}

/// Puts the weights of a DequantizeLinear into another form, under the name of its output.
void store_weights(const onnx::Model& from, const Node& node, FloatForm form, onnx::Model& to) {
  const std::string& name = node.outputs[0];
  const auto& shape = from.initializers.at(node.inputs[0]).shape;
  const std::vector<float> values = dequantized(from, node);
  if (form == FloatForm::float32) {
    to.initializers[name] =
        Tensor::of(name, ElementType::float32, shape, std::span<const float>(values));
    return;
  }
  std::vector<std::uint16_t> halves;
  for (const float value : values)
    halves.push_back(onnx::to_float16(value));
  to.initializers[name + "_half"] = Tensor::of(name + "_half", ElementType::float16, shape,
                                               std::span<const std::uint16_t>(halves));
  Node cast{name + "_cast", "Cast", "", {name + "_half"}, {name}, {}};
  cast.attributes["to"] = std::int64_t{1};
  to.nodes.push_back(cast);
}

}  // namespace

onnx::Model in_float(const onnx::Model& quantized, FloatForm form) {
  onnx::Model model = quantized;
  model.nodes.clear();
  std::map<std::string, std::string> stands_for;  // values that quantization only passes on
  const auto source = [&](const std::string& name) {
    const auto found = stands_for.find(name);
    return found == stands_for.end() ? name : found->second;
  };
  for (Node node : quantized.nodes) {
    const bool of_constant = quantized.initializer(node.inputs[0]);
    if (node.op_type == "DequantizeLinear" && of_constant && form != FloatForm::dynamic) {
      store_weights(quantized, node, form, model);
      continue;
    }
    if (!of_constant && (node.op_type == "QuantizeLinear" || node.op_type == "DequantizeLinear")) {
      stands_for[node.outputs[0]] = source(node.inputs[0]);
      continue;
    }
    for (std::string& input : node.inputs)
      input = source(input);
    model.nodes.push_back(std::move(node));
  }
  return model;
}

namespace {

constexpr float weight_step = 0.0173f;

void give_weights(IntegerLayer& layer, std::size_t outputs, FloatForm form) {
  FloatParameters& real = layer.real;
  for (std::size_t o = 0; o < outputs; ++o) {
    real.bias.push_back(0.37f * static_cast<float>(int(o % 5) - 2));
    if (form == FloatForm::dynamic)
      real.scale.push_back(weight_step * (1 + static_cast<float>(o) / 7));
  }
  if (form == FloatForm::dynamic) return;
  real.half = form == FloatForm::float16;
  for (const std::int8_t weight : layer.weights) {
    const float value = weight_step * static_cast<float>(weight);
    real.weights.push_back(real.half ? onnx::from_float16(onnx::to_float16(value)) : value);
  }
  layer.weights.clear();
}

}  // namespace

IntegerGraph in_float(const IntegerGraph& integers, FloatForm form) {
  IntegerGraph graph = integers;
  for (ActivationTensor& tensor : graph.tensors) {
    tensor.scale = 1;
    tensor.zero_point = 0;
    tensor.element = Element::float32;
  }
  for (IntegerLayer& layer : graph.layers) {
    const auto outputs =
        static_cast<std::size_t>(graph.tensors[std::size_t(layer.output)].channels);
    if (!layer.weights.empty()) give_weights(layer, outputs, form);
    if (layer.clamp_min > -128) layer.real.clamp_min = -0.5f;
    if (layer.clamp_max < 127) layer.real.clamp_max = 3.3f;
    const int positions = layer.window.kernel_height * layer.window.kernel_width;
    if (layer.op == IntegerOp::average_pool) layer.real.scale = {1.0f / float(positions)};
    layer.real.function = {ElementFunction::Kind::sigmoid, 0.3f, 0.4f};
    layer.requantization = {};
    layer.table.clear();
  }
  return graph;
}

namespace {

/// An input is 256 times as large, so is an output, and m has sixteen bits more.
void widen_requantization(IntegerLayer& layer) {
  constexpr int more_bits = 16;
  Requantization& r = layer.requantization;
  for (std::int32_t& m : r.multiplier)
    m = m << more_bits;
  r.output_shift += more_bits;
  if (!layer.weights.empty()) {
    r.output_shift = std::min(r.output_shift + r.accumulator_shift, 46);
    r.accumulator_shift = 0;
    for (std::int64_t& bias : r.bias)
      bias *= 256;
    return;
  }
  if (layer.op == IntegerOp::multiply) r.output_shift += 8;
  for (std::int64_t& bias : r.bias)
    bias = std::int64_t{1} << (r.output_shift - 1);
}

}  // namespace

IntegerGraph in_int16(const IntegerGraph& int8) {
  IntegerGraph graph = int8;
  for (ActivationTensor& tensor : graph.tensors) {
    tensor.zero_point = 0;
    tensor.element = Element::int16;
  }
  for (IntegerLayer& layer : graph.layers) {
    widen_requantization(layer);
    layer.clamp_min = static_cast<std::int16_t>(layer.clamp_min * 256);
    layer.clamp_max = static_cast<std::int16_t>(layer.clamp_max * 256 + 255);
    const std::vector<std::int16_t> narrow = std::exchange(layer.table, {});
    if (narrow.empty()) continue;
    for (std::size_t i = 0; i < 513; ++i)
      layer.table.push_back(
          static_cast<std::int16_t>(narrow[std::min<std::size_t>(i / 2, 255)] * 256));
  }
  return graph;
}

std::vector<std::int8_t> float_bytes(const Real& nchw) {
  const bool flat = nchw.shape.size() == 2;
  const auto channels = static_cast<std::size_t>(nchw.shape[1]);
  const std::size_t plane = flat ? 1 : static_cast<std::size_t>(nchw.shape[2] * nchw.shape[3]);
  std::vector<float> values;
  for (std::size_t position = 0; position < plane; ++position)
    for (std::size_t c = 0; c < channels; ++c)
      values.push_back(static_cast<float>(nchw.values[c * plane + position]));
  return bytes_of(values);
}

}  // namespace assay::test

#include "compress/methods/quantize_constants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compress/onnx/distinct.hpp"
#include "compress/onnx/float16.hpp"

namespace assay {
namespace {

using onnx::ElementType;

/// The smallest of the widths that holds all values.
int bits_for(std::span<const std::int8_t> values) {
  int largest = 0;
  for (int value : values)
    largest = std::max(largest, std::abs(value));
  return largest <= weight_limit(2) ? 2 : largest <= weight_limit(4) ? 4 : 8;
}

/// A constant as integers behind a DequantizeLinear, along axis 0 or with one scale in all; its
/// output's name.
template <class T>
std::string append_integers(onnx::Model& model, const std::string& name, ElementType type,
                            const std::vector<std::int64_t>& shape, const std::vector<T>& values,
                            const std::vector<float>& scales) {
  const bool per_channel = scales.size() > 1 || shape[0] == 1;
  const std::vector<std::int64_t> scale_shape(per_channel ? 1 : 0, std::int64_t(scales.size()));
  const std::vector<T> zeros(scales.size(), T{0});
  onnx::Node& node = append_node(
      model, "DequantizeLinear", name + ".dequantize",
      {add_constant<T>(model, name + ".quantized", type, shape, values),
       add_constant<float>(model, name + ".scale", ElementType::float32, scale_shape, scales),
       add_constant<T>(model, name + ".zero_point", type, scale_shape, zeros)},
      name);
  if (per_channel) node.attributes["axis"] = std::int64_t{0};
  return name;
}

}  // namespace

onnx::Node& append_node(onnx::Model& model, const std::string& op_type, const std::string& name,
                        std::vector<std::string> inputs, const std::string& output,
                        const std::string& domain) {
  return model.nodes.emplace_back(
      onnx::Node{name, op_type, domain, std::move(inputs), {output}, {}});
}

Status ConstantWriter::write(onnx::Node& node, const LayerWeights& layer,
                             std::optional<float> input_scale) {
  if (settings_.scheme == Scheme::float16) {
    ASSAY_CHECK(write_float16(node, 1, "weight", layer.shape, layer.reals));
    if (layer.bias)
      ASSAY_CHECK(write_float16(node, 2, "bias", layer.bias->shape, layer.bias->as<float>()));
    report[node.name] = {{"bits", 16}, {"channels", layer.shape[0]}};
    return {};
  }
  const QuantizedWeights quantized = integers_of(node.name, layer);
  node.inputs[1] = append_integers<std::int8_t>(result_, node.name + ".weight", ElementType::int8,
                                                layer.shape, quantized.values, quantized.scales);
  note_weights(node.name, layer, quantized);
  if (layer.bias && input_scale) write_bias(node, *layer.bias, *input_scale, quantized);
  return {};
}

QuantizedWeights ConstantWriter::integers_of(const std::string& name, const LayerWeights& layer) {
  const int bits = settings_.bits_of(name);
  if (layer.integers) {
    const int needed = bits_for(layer.integers->values);
    if (needed > bits)
      notices.push_back(
          fmt::format("{}: its weights are integers of {} bits already and keep "
                      "them; {} bits were asked for",
                      name, needed, bits));
    return *layer.integers;
  }
  const auto given = given_.find(name);
  if (given == given_.end()) return observed_integers(name, layer);
  const auto [low, high] = std::minmax_element(given->second.begin(), given->second.end());
  if (settings_.quantizes_activations() && *high > max_scale_ratio * *low)
    notices.push_back(
        fmt::format("{}: the given scales differ by more than 1 to {}, which costs "
                    "the smallest ones precision on a device",
                    name, max_scale_ratio));
  // Whoever keeps scales to the ratio raises them to just this bound.
  const auto raised = std::ranges::count(given->second, *high / max_scale_ratio);
  return {round_weights(layer.reals, given->second, bits), given->second,
          settings_.quantizes_activations() ? int(raised) : 0};
}

QuantizedWeights ConstantWriter::observed_integers(const std::string& name,
                                                   const LayerWeights& layer) {
  WeightForm form{.bits = settings_.bits_of(name),
                  .observer = settings_.weight_observer,
                  .scales = settings_.weight_scales,
                  .bounded = settings_.quantizes_activations()};
  QuantizedWeights quantized = quantize_weights(layer.reals, layer.shape[0], form);
  if (form.scales == WeightScales::tensor || !layer.clustered) return quantized;
  const std::size_t distinct = onnx::distinct_values<float>(layer.reals).size();
  const std::size_t multiplied = onnx::distinct_values<std::int8_t>(quantized.values).size();
  if (multiplied <= distinct) return quantized;
  notices.push_back(
      fmt::format("{}: its weights take {} values; one scale for the whole layer keeps them, one "
                  "per channel would make {}",
                  name, distinct, multiplied));
  form.scales = WeightScales::tensor;
  return quantize_weights(layer.reals, layer.shape[0], form);
}

void ConstantWriter::note_weights(const std::string& name, const LayerWeights& layer,
                                  const QuantizedWeights& quantized) {
  const auto [low, high] = std::minmax_element(quantized.scales.begin(), quantized.scales.end());
  report[name] = {{"bits", layer.integers ? bits_for(quantized.values) : settings_.bits_of(name)},
                  {"channels", layer.shape[0]},
                  {"scales", quantized.scales.size()},
                  {"smallest_scale", *low},
                  {"largest_scale", *high},
                  {"raised_channels", quantized.raised_channels}};
  if (quantized.raised_channels > 0)
    notices.push_back(fmt::format(
        "{}: the weights of {} of {} channels are so small that their scale was raised to 1/{} "
        "of the layer's largest",
        name, quantized.raised_channels, quantized.scales.size(), max_scale_ratio));
}

void ConstantWriter::write_bias(onnx::Node& node, const onnx::Tensor& bias, float input_scale,
                                const QuantizedWeights& quantized) {
  const QuantizedBias integers = quantize_bias(bias.as<float>(), input_scale, quantized.scales);
  node.inputs[2] =
      append_integers<std::int32_t>(result_, node.name + ".bias", ElementType::int32,
                                    {bias.element_count()}, integers.values, integers.scales);
  if (integers.saturated_channels > 0)
    notices.push_back(fmt::format("{}: {} biases are beyond int32 and were clamped", node.name,
                                  integers.saturated_channels));
}

Status ConstantWriter::write_float16(onnx::Node& node, std::size_t input, const std::string& name,
                                     const std::vector<std::int64_t>& shape,
                                     std::span<const float> values) {
  std::vector<std::uint16_t> halves;
  for (float value : values) {
    if (std::abs(value) > onnx::largest_float16)
      return refuse_node(node, fmt::format("its {} {} is beyond float16, which ends at {}", name,
                                           value, onnx::largest_float16));
    halves.push_back(onnx::to_float16(value));
  }
  constexpr std::int64_t onnx_float = 1;  // TensorProto.DataType
  const std::string output = node.name + "." + name;
  onnx::Node& cast = append_node(result_, "Cast", output + ".cast",
                                 {add_constant<std::uint16_t>(result_, output + ".float16",
                                                              ElementType::float16, shape, halves)},
                                 output);
  cast.attributes["to"] = onnx_float;
  node.inputs[input] = output;
  return {};
}

}  // namespace assay

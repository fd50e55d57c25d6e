#include "targets/graph/weighted_layer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "targets/graph/sliding_window.hpp"

namespace assay::lowering {
namespace {

std::uint64_t product(std::initializer_list<std::int64_t> factors) {
  std::uint64_t result = 1;
  for (std::int64_t factor : factors)
    result *= static_cast<std::uint64_t>(factor);
  return result;
}

const std::vector<std::int64_t>& shape_of(const WeightConstant& weights) {
  return std::visit(
      [](const auto& constant) -> const auto& { return constant.shape; }, weights);
}

std::size_t count_of(const WeightConstant& weights) {
  return std::visit([](const auto& constant) { return constant.values.size(); }, weights);
}

/// Integer weights are int8 around 0, with one scale or one per output channel.
Status check_weights(const onnx::Node& node, const WeightConstant& weights,
                     std::int64_t channel_axis) {
  if (count_of(weights) == 0) return refuse(node, "its weights are empty");
  const auto* quantized = std::get_if<QuantizedConstant>(&weights);
  if (!quantized) return {};
  const QuantizationParameters& p = quantized->parameters;
  if (p.type != onnx::ElementType::int8 && p.type != onnx::ElementType::uint8)
    return refuse(node,
                  fmt::format("weights of type {} are not supported, int8 is", to_string(p.type)));
  if (std::any_of(p.zeros.begin(), p.zeros.end(), [](auto zero) { return zero != 0; }))
    return refuse(node,
                  "asymmetric weights (zero point other than 0, or 128 for uint8) are not "
                  "supported: quantize weights symmetrically");
  if (p.scales.size() > 1 && p.axis != channel_axis)
    return refuse(node, fmt::format("weight scales run along axis {}; one per output channel (axis "
                                    "{}) is supported",
                                    p.axis, channel_axis));
  return {};
}

/// Gives the layer its weights in a new order: source(i) is the index in `weights` of the i-th.
template <class Source>
void place_weights(const onnx::Node& node, const WeightConstant& weights, Source source,
                   IntegerLayer& layer, std::vector<std::string>& notices) {
  if (const auto* reals = std::get_if<RealConstant>(&weights)) {
    layer.real.half = reals->half;
    for (std::size_t i = 0; i < reals->values.size(); ++i)
      layer.real.weights.push_back(reals->values[source(i)]);
    return;
  }
  const auto& values = std::get<QuantizedConstant>(weights).values;
  int clamped = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int32_t value = values[source(i)];
    clamped += value == -128;
    layer.weights.push_back(static_cast<std::int8_t>(std::max(value, -127)));
  }
  if (clamped > 0)
    notices.push_back(
        fmt::format("node \"{}\": {} weights of -128 became -127", node.name, clamped));
}

/// A grouped convolution: outputs and window positions of all groups, input channels of one.
struct Groups {
  std::size_t count;
  std::size_t outputs;
  std::size_t depth;
  std::size_t area;
};

/// [out][position][depth] to [out][position][count * depth], zero outside the output's group.
template <class T>
std::vector<T> spread_groups(const std::vector<T>& weights, const Groups& groups) {
  std::vector<T> spread(weights.size() * groups.count, 0);
  if (weights.empty()) return spread;
  for (std::size_t out = 0; out < groups.outputs; ++out) {
    const std::size_t group = out / (groups.outputs / groups.count);
    for (std::size_t position = 0; position < groups.area; ++position) {
      const std::size_t row = out * groups.area + position;
      std::copy_n(weights.begin() + static_cast<std::ptrdiff_t>(row * groups.depth), groups.depth,
                  spread.begin() +
                      static_cast<std::ptrdiff_t>((row * groups.count + group) * groups.depth));
    }
  }
  return spread;
}

void set_scales(PendingLayer& pending, const WeightConstant& weights, float input_scale) {
  pending.accumulator_scale.assign(pending.output.channels, 1.0);
  if (const auto* quantized = std::get_if<QuantizedConstant>(&weights)) {
    const std::vector<float>& scales = quantized->parameters.scales;
    for (int c = 0; c < pending.output.channels; ++c)
      pending.accumulator_scale[c] =
          double(input_scale) * double(scales[scales.size() == 1 ? 0 : c]);
  }
  pending.bias.assign(pending.output.channels, 0.0);
}

}  // namespace

Result<PendingLayer> convolution_layer(const onnx::Node& node, const LayerInput& input,
                                       const WeightConstant& weights,
                                       std::vector<std::string>& notices) {
  const std::vector<std::int64_t>& shape = shape_of(weights);
  if (shape.size() != 4)
    return refuse(node, fmt::format("its weights have {} dimensions; convolutions over height and "
                                    "width (4) are supported",
                                    shape.size()));
  ASSAY_CHECK(check_weights(node, weights, 0));
  const std::int64_t outputs = shape[0], depth = shape[1], height = shape[2], width = shape[3];
  const std::int64_t group = node.integer("group", 1), channels = input.tensor.channels;
  if (group < 1 || channels % group != 0 || outputs % group != 0)
    return refuse(node, fmt::format("group = {} does not divide {} input and {} output channels",
                                    group, channels, outputs));
  if (depth != channels / group)
    return refuse(node, fmt::format("its weights take {} channels of each group, its input has {}",
                                    depth, channels / group));
  const bool depthwise = group > 1 && group == channels && outputs == channels;
  ASSAY_TRY(const PlacedWindow placed, place_window(node, {height, width}, input.tensor));
  if (placed.window.kernel_height != height || placed.window.kernel_width != width)
    return refuse(node, "kernel_shape contradicts the shape of its weights");
  PendingLayer pending;
  pending.layer.name = node.name;
  pending.layer.op = depthwise ? IntegerOp::depthwise : IntegerOp::convolution;
  pending.layer.inputs = {input.index};
  pending.layer.window = placed.window;
  pending.output = {.name = {},
                    .height = placed.out_height,
                    .width = placed.out_width,
                    .channels = static_cast<int>(outputs)};
  pending.layer.macs =
      Macs(product({placed.out_height, placed.out_width, outputs, depth, height, width}));
  const std::size_t area = static_cast<std::size_t>(height * width);
  place_weights(
      node, weights,
      [&](std::size_t i) {
        if (depthwise) return i % outputs * area + i / outputs;
        const std::size_t in = i % depth, position = i / depth % area, out = i / depth / area;
        return (out * depth + in) * area + position;
      },
      pending.layer, notices);
  if (group > 1 && !depthwise) {
    const Groups groups{static_cast<std::size_t>(group), static_cast<std::size_t>(outputs),
                        static_cast<std::size_t>(depth), area};
    pending.layer.weights = spread_groups(pending.layer.weights, groups);
    pending.layer.real.weights = spread_groups(pending.layer.real.weights, groups);
    const bool integers = std::holds_alternative<QuantizedConstant>(weights);
    notices.push_back(fmt::format(
        "node \"{}\": {} groups became one convolution with zeros between them{}", node.name, group,
        integers ? "; a sparse form of its weights leaves the zeros out" : ""));
  }
  set_scales(pending, weights, input.tensor.scale);
  return pending;
}

Result<PendingLayer> dense_layer(const onnx::Node& node, const LayerInput& input,
                                 const WeightConstant& weights, bool transposed,
                                 std::vector<std::string>& notices) {
  const ActivationTensor& in = input.tensor;
  const std::vector<std::int64_t>& shape = shape_of(weights);
  if (shape.size() != 2)
    return refuse(node,
                  fmt::format("its weights have {} dimensions; 2 are supported", shape.size()));
  ASSAY_CHECK(check_weights(node, weights, transposed ? 0 : 1));
  const std::int64_t inputs = shape[transposed ? 1 : 0];
  const std::int64_t outputs = shape[transposed ? 0 : 1];
  if (inputs != in.size())
    return refuse(node,
                  fmt::format("its weights take {} inputs, its input has {}", inputs, in.size()));
  PendingLayer pending;
  pending.layer.name = node.name;
  pending.layer.op = IntegerOp::dense;
  pending.layer.inputs = {input.index};
  pending.output = {.name = {}, .height = 1, .width = 1, .channels = static_cast<int>(outputs)};
  pending.flat = true;
  pending.layer.macs = Macs(product({inputs, outputs}));
  const std::size_t channels = in.channels, area = std::size_t(in.height) * in.width;
  place_weights(
      node, weights,
      [&](std::size_t i) {
        const std::size_t out = i / inputs, at = i % inputs;
        const std::size_t nchw = at % channels * area + at / channels;
        return transposed ? out * inputs + nchw : nchw * outputs + out;
      },
      pending.layer, notices);
  set_scales(pending, weights, in.scale);
  return pending;
}

}  // namespace assay::lowering

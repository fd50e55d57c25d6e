#include "targets/graph/pending_layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "targets/graph/requantization.hpp"

namespace assay::lowering {
namespace {

/// A real number as the nearest element, within its range.
std::int16_t clamp_limit(double real, const OutputScale& out) {
  const auto [lowest, highest] = range_of(out.element);
  const double q = std::floor(real / double(out.scale) + 0.5) + out.zero_point;
  return static_cast<std::int16_t>(std::clamp<double>(q, lowest, highest));
}

Status requantize_weights(IntegerGraph& graph, PendingLayer& pending, const OutputScale& out) {
  std::vector<ChannelScaling> scalings;
  for (std::size_t c = 0; c < pending.accumulator_scale.size(); ++c)
    scalings.push_back({pending.accumulator_scale[c] / out.scale, pending.bias[c] / out.scale});
  const ActivationTensor& input = graph.tensors[pending.layer.inputs.front()];
  ASSAY_TRY(
      const ChannelChanges changes,
      requantize_channels(pending.layer, scalings, input.zero_point, out.zero_point, out.element));
  const auto note = [&](int count, const char* what) {
    if (count > 0)
      graph.notices.push_back(fmt::format("layer \"{}\": {} of {} output channels {}",
                                          pending.layer.name, count, scalings.size(), what));
  };
  note(changes.constant, "give the same value for every input and became constants");
  note(changes.coarsened, "span so few output steps that their weights were halved");
  return {};
}

Status requantize_terms(const IntegerGraph& graph, IntegerLayer& layer, const OutputScale& out) {
  std::vector<SumTerm> terms;
  const std::int64_t positions =
      std::int64_t(layer.window.kernel_height) * layer.window.kernel_width;
  for (int input : layer.inputs) {
    const ActivationTensor& tensor = graph.tensors[input];
    const double ratio = double(tensor.scale) / double(out.scale);
    terms.push_back({ratio / double(positions), tensor.zero_point, positions});
  }
  const auto requantize = layer.op == IntegerOp::concat ? requantize_parts : requantize_sum;
  ASSAY_TRY(layer.requantization, requantize(terms, out.zero_point, out.element));
  return {};
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

double hard_sigmoid(double x, double alpha, double beta) {
  return std::clamp(alpha * x + beta, 0.0, 1.0);
}

double evaluate(const ElementFunction& function, double x) {
  switch (function.kind) {
    case ElementFunction::Kind::sigmoid:
      return sigmoid(x);
    case ElementFunction::Kind::tanh:
      return std::tanh(x);
    case ElementFunction::Kind::hard_sigmoid:
      return hard_sigmoid(x, double(function.alpha), double(function.beta));
    case ElementFunction::Kind::hard_swish:
      return x * hard_sigmoid(x, 1.0 / 6, 0.5);
    case ElementFunction::Kind::leaky_relu:
      return x < 0 ? double(function.alpha) * x : x;
    case ElementFunction::Kind::elu:
      return x < 0 ? double(function.alpha) * std::expm1(x) : x;
  }
  return x;
}

/// What a layer without weights needs: a table, or multipliers and biases.
Status requantize_inputs(const IntegerGraph& graph, PendingLayer& pending, const OutputScale& out) {
  IntegerLayer& layer = pending.layer;
  const ActivationTensor& first = graph.tensors[layer.inputs.front()];
  if (layer.op == IntegerOp::lookup) {
    // Every int8; of int16 every 128th, which the last one lies just beyond.
    const int step = out.element == Element::int16 ? 128 : 1;
    const auto [lowest, highest] = range_of(out.element);
    for (int q = lowest; q < highest + step; q += step) {
      const double real = evaluate(pending.function, double(first.scale) * (q - first.zero_point));
      const double y = std::nearbyint(real / double(out.scale)) + out.zero_point;
      layer.table.push_back(
          static_cast<std::int16_t>(std::clamp<double>(y, layer.clamp_min, layer.clamp_max)));
    }
    return {};
  }
  if (layer.op == IntegerOp::multiply) {
    const double scale = graph.tensors[layer.inputs[1]].scale;
    ASSAY_TRY(layer.requantization, requantize_product(first.scale * scale / double(out.scale),
                                                       out.zero_point, out.element));
    return {};
  }
  return requantize_terms(graph, layer, out);
}

int append(IntegerGraph& graph, PendingLayer& pending, const OutputScale& out) {
  pending.output.name = out.name;
  pending.output.scale = out.scale;
  pending.output.zero_point = out.zero_point;
  pending.output.element = out.element;
  pending.layer.output = static_cast<int>(graph.tensors.size());
  graph.tensors.push_back(pending.output);
  graph.layers.push_back(std::move(pending.layer));
  return graph.layers.back().output;
}

/// Maximum pool keeps its input's scale; anything else is a layer of its own behind it.
Result<int> finish_max_pool(IntegerGraph& graph, PendingLayer pending, const OutputScale& out) {
  const ActivationTensor input = graph.tensors[pending.layer.inputs.front()];
  const bool same_scale = input.scale == out.scale && input.zero_point == out.zero_point;
  if (same_scale && std::isinf(pending.low) && std::isinf(pending.high))
    return append(graph, pending, out);
  const std::string name = pending.layer.name;
  const double low = pending.low;
  const double high = pending.high;
  const int pooled =
      append(graph, pending, {name + ".pooled", input.scale, input.zero_point, input.element});
  graph.notices.push_back(fmt::format(
      "layer \"{}\": a change of scale or an activation after it costs a pass of its own", name));
  PendingLayer rescale = rescale_layer(graph, pooled, name + ".rescale");
  rescale.low = low;
  rescale.high = high;
  return finish_layer(graph, std::move(rescale), out);
}

}  // namespace

Result<int> finish_layer(IntegerGraph& graph, PendingLayer pending, const OutputScale& out) {
  if (pending.layer.op == IntegerOp::max_pool)
    return finish_max_pool(graph, std::move(pending), out);
  pending.layer.clamp_min = clamp_limit(pending.low, out);
  pending.layer.clamp_max = clamp_limit(pending.high, out);
  if (pending.has_weights())
    ASSAY_CHECK(requantize_weights(graph, pending, out));
  else
    ASSAY_CHECK(requantize_inputs(graph, pending, out));
  return append(graph, pending, out);
}

Result<int> finish_float_layer(IntegerGraph& graph, PendingLayer pending, const std::string& name) {
  FloatParameters& real = pending.layer.real;
  real.clamp_min = static_cast<float>(pending.low);
  real.clamp_max = static_cast<float>(pending.high);
  real.function = pending.function;
  real.bias.assign(pending.bias.begin(), pending.bias.end());
  if (pending.has_weights() && real.weights.empty())
    real.scale.assign(pending.accumulator_scale.begin(), pending.accumulator_scale.end());
  const Window& w = pending.layer.window;
  if (pending.layer.op == IntegerOp::average_pool)
    real.scale = {static_cast<float>(1.0 / (double(w.kernel_height) * w.kernel_width))};
  const auto finite = [](float value) { return std::isfinite(value); };
  if (!finite(real.function.alpha) || !finite(real.function.beta))
    return fail(ErrorKind::bad_input, "its alpha or its beta is not a finite number");
  if (!std::ranges::all_of(real.weights, finite) || !std::ranges::all_of(real.bias, finite) ||
      !std::ranges::all_of(real.scale, finite))
    return fail(ErrorKind::bad_input, "its weights or its bias hold a value that is not finite");
  return append(graph, pending, {name, 1, 0, Element::float32});
}

PendingLayer rescale_layer(const IntegerGraph& graph, int tensor, const std::string& name) {
  PendingLayer pending;
  pending.layer.name = name;
  pending.layer.op = IntegerOp::average_pool;
  pending.layer.inputs = {tensor};
  pending.output = graph.tensors[tensor];
  return pending;
}

}  // namespace assay::lowering

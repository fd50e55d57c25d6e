// Operators that combine activations, or apply a function to each element of one.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "targets/graph/lowering.hpp"

namespace assay::lowering {

using onnx::Node;

namespace {

bool same_size(const ActivationTensor& a, const ActivationTensor& b) {
  return a.height == b.height && a.width == b.width && a.channels == b.channels;
}

PendingLayer pending_of(const Node& node, IntegerOp op, std::vector<int> inputs,
                        const ActivationTensor& output) {
  PendingLayer pending;
  pending.layer.name = node.name;
  pending.layer.op = op;
  pending.layer.inputs = std::move(inputs);
  pending.output = output;
  return pending;
}

/// The function of an ONNX operator, with its attributes or their defaults.
ElementFunction function_of(const Node& node) {
  using Kind = ElementFunction::Kind;
  if (node.op_type == "Tanh") return {Kind::tanh};
  if (node.op_type == "HardSwish") return {Kind::hard_swish};
  if (node.op_type == "HardSigmoid")
    return {Kind::hard_sigmoid, node.real("alpha", 0.2F), node.real("beta", 0.5F)};
  if (node.op_type == "LeakyRelu") return {Kind::leaky_relu, node.real("alpha", 0.01F)};
  if (node.op_type == "Elu") return {Kind::elu, node.real("alpha", 1.0F)};
  return {Kind::sigmoid};
}

}  // namespace

/// Two activations, or the bias of the layer before.
Status Lowering::add(const Node& node) {
  for (std::size_t i = 0; i < 2; ++i) {
    const Value* value = find(input_name(node, i));
    const auto* layer = value ? std::get_if<PendingLayer>(value) : nullptr;
    if (!layer) continue;
    if (!layer->has_weights() || std::isfinite(layer->low) || std::isfinite(layer->high))
      return refuse(node, "it adds to a value that is not quantized");
    PendingLayer pending = *layer;
    ASSAY_CHECK(add_bias(node, pending, input_name(node, 1 - i)));
    return define(node, std::move(pending));
  }
  ASSAY_TRY(const Activation first, activation(node, 0));
  ASSAY_TRY(const Activation second, activation(node, 1));
  const ActivationTensor& a = graph_.tensors[first.tensor];
  const ActivationTensor& b = graph_.tensors[second.tensor];
  if (!same_size(a, b) || first.flat != second.flat)
    return refuse(node, "it adds tensors of different shapes; broadcasting is not supported");
  PendingLayer pending = pending_of(node, IntegerOp::add, {first.tensor, second.tensor}, a);
  pending.flat = first.flat;
  return define(node, std::move(pending));
}

/// Two tensors of one size, or one and a factor for each of its channels.
Status Lowering::multiply(const Node& node) {
  ASSAY_TRY(Activation first, activation(node, 0));
  ASSAY_TRY(Activation second, activation(node, 1));
  if (graph_.tensors[first.tensor].size() < graph_.tensors[second.tensor].size())
    std::swap(first, second);
  const ActivationTensor& a = graph_.tensors[first.tensor];
  const ActivationTensor& b = graph_.tensors[second.tensor];
  const bool per_channel = b.height == 1 && b.width == 1 && b.channels == a.channels;
  if (first.flat != second.flat || !(same_size(a, b) || per_channel))
    return refuse(node,
                  "it multiplies tensors of different shapes; equal shapes, or one factor for each "
                  "channel ([1, channels, 1, 1]), are supported");
  PendingLayer pending = pending_of(node, IntegerOp::multiply, {first.tensor, second.tensor}, a);
  pending.flat = first.flat;
  return define(node, std::move(pending));
}

/// Along the channels.
Status Lowering::concat(const Node& node) {
  if (node.inputs.size() < 2) return refuse(node, "it has fewer than two inputs");
  ASSAY_TRY(const Activation first, activation(node, 0));
  const std::int64_t axis = node.integer("axis", 1);
  if (axis != 1 && axis != (first.flat ? -1 : -3))
    return refuse(node,
                  fmt::format("it joins along axis {}; the channels (axis 1) are supported", axis));
  std::vector<int> inputs;
  ActivationTensor output = graph_.tensors[first.tensor];
  output.channels = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    ASSAY_TRY(const Activation input, activation(node, i));
    const ActivationTensor& tensor = graph_.tensors[input.tensor];
    if (tensor.height != output.height || tensor.width != output.width || input.flat != first.flat)
      return refuse(node, "it joins tensors of different height or width");
    // Flattened images are joined one after the other, not channel by channel.
    if (input.flat && tensor.height * tensor.width > 1)
      return refuse(node, "it joins flattened images; flatten what it joins instead");
    inputs.push_back(input.tensor);
    output.channels += tensor.channels;
  }
  PendingLayer pending = pending_of(node, IntegerOp::concat, std::move(inputs), output);
  pending.flat = first.flat;
  return define(node, std::move(pending));
}

/// A table of 256 entries stands for any function of one activation.
Status Lowering::function(const Node& node) {
  const Value* value = find(input_name(node, 0));
  if (value && std::holds_alternative<PendingLayer>(*value))
    return refuse(node, "put QuantizeLinear and DequantizeLinear before it");
  ASSAY_TRY(const Activation input, activation(node, 0));
  PendingLayer pending =
      pending_of(node, IntegerOp::lookup, {input.tensor}, graph_.tensors[input.tensor]);
  pending.flat = input.flat;
  pending.function = function_of(node);
  return define(node, std::move(pending));
}

}  // namespace assay::lowering

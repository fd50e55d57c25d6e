// The operators between DequantizeLinear and QuantizeLinear.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "targets/graph/lowering.hpp"
#include "targets/graph/weighted_layer.hpp"

namespace assay::lowering {

using onnx::ElementType;
using onnx::Node;

Result<WeightConstant> Lowering::weights(const Node& node, std::size_t index) const {
  const std::string name = input_name(node, index);
  const Value* value = find(name);
  const auto* constant = value ? std::get_if<Constant>(value) : nullptr;
  if (constant && constant->is_float) return constant->constant;
  if (in_float_) {
    if (const auto* reals = value ? std::get_if<RealConstant>(value) : nullptr) return *reals;
    if (const onnx::Tensor* tensor = model_.initializer(name)) return read_reals(node, *tensor);
    return refuse(node, fmt::format("its weights \"{}\" are not a constant", name));
  }
  return refuse(node, fmt::format("its weights \"{}\" are not a dequantized int8 constant; "
                                  "quantize the model first",
                                  name));
}

/// A float32 initializer or a dequantized or widened constant, as real numbers.
std::optional<std::vector<double>> Lowering::real_constant(const std::string& name) const {
  std::vector<double> reals;
  if (const onnx::Tensor* tensor = model_.initializer(name)) {
    if (tensor->type != ElementType::float32) return std::nullopt;
    reals.assign(tensor->as<float>().begin(), tensor->as<float>().end());
    return reals;
  }
  const Value* value = find(name);
  if (const auto* widened = value ? std::get_if<RealConstant>(value) : nullptr) {
    reals.assign(widened->values.begin(), widened->values.end());
    return reals;
  }
  const auto* constant = value ? std::get_if<Constant>(value) : nullptr;
  if (!constant || !constant->is_float) return std::nullopt;
  for (std::size_t i = 0; i < constant->constant.values.size(); ++i)
    reals.push_back(constant->constant.real(i));
  return reals;
}

Status Lowering::add_bias(const Node& node, PendingLayer& pending, const std::string& name) const {
  const auto bias = real_constant(name);
  if (!bias || (bias->size() != 1 && bias->size() != pending.bias.size()))
    return refuse(node,
                  fmt::format("\"{}\" cannot be its bias: a constant with one number for each "
                              "of {} output channels is supported",
                              name, pending.bias.size()));
  for (std::size_t c = 0; c < pending.bias.size(); ++c)
    pending.bias[c] += (*bias)[bias->size() == 1 ? 0 : c];
  return {};
}

Status Lowering::convolution(const Node& node) {
  ASSAY_TRY(const Activation input, activation(node, 0));
  if (input.flat) return refuse(node, "its input is flat; an image is expected");
  ASSAY_TRY(const WeightConstant constant, weights(node, 1));
  ASSAY_TRY(PendingLayer pending,
            convolution_layer(node, {input.tensor, graph_.tensors[input.tensor]}, constant,
                              graph_.notices));
  if (const std::string bias = input_name(node, 2); !bias.empty())
    ASSAY_CHECK(add_bias(node, pending, bias));
  return define(node, std::move(pending));
}

Status Lowering::gemm(const Node& node) {
  ASSAY_TRY(const Activation input, activation(node, 0));
  if (node.real("alpha", 1) != 1 || node.real("beta", 1) != 1 || node.integer("transA", 0) != 0)
    return refuse(node, "alpha and beta other than 1, and transA, are not supported");
  if (!input.flat) return refuse(node, "its input is an image; put a Flatten before it");
  ASSAY_TRY(const WeightConstant constant, weights(node, 1));
  ASSAY_TRY(PendingLayer pending,
            dense_layer(node, {input.tensor, graph_.tensors[input.tensor]}, constant,
                        node.integer("transB", 0) != 0, graph_.notices));
  if (const std::string bias = input_name(node, 2); !bias.empty())
    ASSAY_CHECK(add_bias(node, pending, bias));
  return define(node, std::move(pending));
}

Status Lowering::matmul(const Node& node) {
  ASSAY_TRY(const Activation input, activation(node, 0));
  if (!input.flat) return refuse(node, "its input is an image; put a Flatten before it");
  ASSAY_TRY(const WeightConstant constant, weights(node, 1));
  ASSAY_TRY(PendingLayer pending, dense_layer(node, {input.tensor, graph_.tensors[input.tensor]},
                                              constant, false, graph_.notices));
  return define(node, std::move(pending));
}

Status Lowering::pool(const Node& node, IntegerOp op, const Activation& input,
                      const PlacedWindow& placed) {
  PendingLayer pending;
  pending.layer.name = node.name;
  pending.layer.op = op;
  pending.layer.inputs = {input.tensor};
  pending.layer.window = placed.window;
  pending.output = graph_.tensors[input.tensor];
  pending.output.height = placed.out_height;
  pending.output.width = placed.out_width;
  return define(node, std::move(pending));
}

Status Lowering::max_pool(const Node& node) {
  ASSAY_TRY(const Activation input, activation(node, 0));
  if (input.flat) return refuse(node, "its input is flat; an image is expected");
  if (node.outputs.size() > 1) return refuse(node, "its Indices output is not supported");
  ASSAY_TRY(const PlacedWindow placed, place_window(node, {}, graph_.tensors[input.tensor]));
  return pool(node, IntegerOp::max_pool, input, placed);
}

Status Lowering::average_pool(const Node& node) {
  ASSAY_TRY(const Activation input, activation(node, 0));
  if (input.flat) return refuse(node, "its input is flat; an image is expected");
  ASSAY_TRY(const PlacedWindow placed, place_window(node, {}, graph_.tensors[input.tensor]));
  const Window& w = placed.window;
  const bool padded = w.pad_top + w.pad_left + w.pad_bottom + w.pad_right > 0;
  if (padded && node.integer("count_include_pad", 0) == 0)
    return refuse(node,
                  "padding that is left out of the average (count_include_pad = 0) is not "
                  "supported; count_include_pad = 1 is");
  if (std::int64_t(w.kernel_height) * w.kernel_width > 1 << 14)
    return refuse(node, "windows of more than 16384 positions are not supported");
  return pool(node, IntegerOp::average_pool, input, placed);
}

Status Lowering::global_average_pool(const Node& node) {
  ASSAY_TRY(const Activation input, activation(node, 0));
  if (input.flat) return refuse(node, "its input is flat; an image is expected");
  const ActivationTensor& tensor = graph_.tensors[input.tensor];
  if (std::int64_t(tensor.height) * tensor.width > 1 << 14)
    return refuse(node, "images of more than 16384 positions are not supported");
  PlacedWindow placed;
  placed.window.kernel_height = tensor.height;
  placed.window.kernel_width = tensor.width;
  placed.out_height = placed.out_width = 1;
  return pool(node, IntegerOp::average_pool, input, placed);
}

/// An activation function: fused into the layer before, or a pass of its own where the value was
/// quantized in between.
Status Lowering::limit(const Node& node, double low, double high) {
  if (!(low <= high)) return refuse(node, "its lower limit is above its upper one");
  const Value* value = find(input_name(node, 0));
  PendingLayer pending;
  if (const auto* layer = value ? std::get_if<PendingLayer>(value) : nullptr) {
    pending = *layer;
  } else {
    ASSAY_TRY(const Activation input, activation(node, 0));
    pending = rescale_layer(graph_, input.tensor, node.name);
    pending.flat = input.flat;
    graph_.notices.push_back(
        fmt::format("node \"{}\" ({}) {} and costs a pass of its own{}", node.name, node.op_type,
                    in_float_ ? "stands apart from a layer" : "follows a QuantizeLinear",
                    in_float_ ? "" : "; before it, it would be free"));
  }
  // min(high, max(low, x)) after an earlier pair of limits.
  pending.low = std::clamp(pending.low, low, high);
  pending.high = std::clamp(pending.high, low, high);
  return define(node, std::move(pending));
}

Status Lowering::relu(const Node& node) {
  return limit(node, 0, std::numeric_limits<double>::infinity());
}

Result<double> Lowering::clip_bound(const Node& node, std::size_t index, const char* attribute,
                                    double fallback) const {
  const std::string name = input_name(node, index);
  if (name.empty()) return node.real(attribute, static_cast<float>(fallback));
  const auto bound = real_constant(name);
  if (!bound || bound->size() != 1 || std::isnan(bound->front()))
    return refuse(node, fmt::format("its {} must be one constant number", attribute));
  return bound->front();
}

Status Lowering::clip(const Node& node) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  ASSAY_TRY(const double low, clip_bound(node, 1, "min", -infinity));
  ASSAY_TRY(const double high, clip_bound(node, 2, "max", infinity));
  return limit(node, low, high);
}

/// [N, C, H, W] seen as [N, C * H * W]: nothing moves, the next dense layer's weights are
/// reordered.
Status Lowering::define_flat(const Node& node) {
  const Value* value = find(input_name(node, 0));
  if (!value) return refuse(node, "its input is not an activation");
  Value flat = *value;
  if (auto* pending = std::get_if<PendingLayer>(&flat))
    pending->flat = true;
  else if (auto* activation = std::get_if<Activation>(&flat))
    activation->flat = true;
  else
    return refuse(node, "its input is not a quantized activation");
  return define(node, std::move(flat));
}

Status Lowering::flatten(const Node& node) {
  if (node.integer("axis", 1) != 1) return refuse(node, "only axis = 1 is supported");
  return define_flat(node);
}

Status Lowering::reshape(const Node& node) {
  const onnx::Tensor* shape = model_.initializer(input_name(node, 1));
  if (!shape || shape->type != ElementType::int64 || shape->element_count() != 2)
    return refuse(node, "only a constant shape of [N, rest] is supported");
  const auto target = shape->as<std::int64_t>();
  const Value* value = find(input_name(node, 0));
  std::int64_t size = 0;
  if (const auto* pending = value ? std::get_if<PendingLayer>(value) : nullptr)
    size = pending->output.size();
  else if (const auto* activation = value ? std::get_if<Activation>(value) : nullptr)
    size = graph_.tensors[activation->tensor].size();
  const bool batch = target[0] == 1 || target[0] == 0 || (target[0] == -1 && target[1] == size);
  if (!batch || (target[1] != size && target[1] != -1))
    return refuse(node, fmt::format("a shape of [{}, {}] is not supported; [1, {}] is", target[0],
                                    target[1], size));
  return define_flat(node);
}

Status Lowering::softmax(const Node& node) {
  ASSAY_TRY(const Activation input, activation(node, 0));
  const ActivationTensor& tensor = graph_.tensors[input.tensor];
  const std::int64_t axis = node.integer("axis", -1);
  if (tensor.height * tensor.width != 1 || (axis != 1 && !(axis == -1 && input.flat)))
    return refuse(node, "only a Softmax over the classes of the last layer is supported");
  graph_.notices.push_back(fmt::format(
      "node \"{}\" (Softmax) is left to the host: the device returns logits", node.name));
  return define(node, Probabilities{input});
}

Status Lowering::identity(const Node& node) {
  const Value* value = find(input_name(node, 0));
  if (!value) return refuse(node, "its input is not an activation");
  return define(node, Value(*value));
}

}  // namespace assay::lowering

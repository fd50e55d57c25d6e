#include "targets/graph/lower.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <variant>

#include "targets/graph/pending_layer.hpp"
#include "targets/graph/qdq.hpp"
#include "targets/graph/sliding_window.hpp"
#include "targets/graph/weighted_layer.hpp"

namespace assay {
namespace {

using namespace lowering;
using onnx::ElementType;
using onnx::Node;

// What a name stands for while the nodes are walked.
struct FloatInput {};  ///< the network's float input, before its QuantizeLinear
struct Activation {    ///< an int8 tensor of the graph
  int tensor = 0;
  bool flat = false;      ///< seen as [N, rest]
  bool is_float = false;  ///< behind its DequantizeLinear
};
struct Probabilities {  ///< a Softmax, left to the host
  Activation logits;
};
struct Constant {
  QuantizedConstant constant;
  bool is_float = false;
};
using Value = std::variant<FloatInput, Activation, Probabilities, Constant, PendingLayer>;

constexpr std::int64_t largest_tensor = std::int64_t(1) << 26;

/// Walks a model once and builds its integer network.
class Lowering {
 public:
  explicit Lowering(const onnx::Model& model) : model_(model) {}
  Result<IntegerGraph> run();

 private:
  using Handler = Status (Lowering::*)(const Node&);
  static const std::map<std::string, Handler>& handlers();

  Status read_input();
  Status visit(const Node& node);
  Status find_output();

  Status quantize(const Node& node);
  Status dequantize(const Node& node);
  Status convolution(const Node& node);
  Status gemm(const Node& node);
  Status matmul(const Node& node);
  Status add(const Node& node);
  Status max_pool(const Node& node);
  Status average_pool(const Node& node);
  Status global_average_pool(const Node& node);
  Status relu(const Node& node);
  Status clip(const Node& node);
  Status flatten(const Node& node);
  Status reshape(const Node& node);
  Status softmax(const Node& node);
  Status identity(const Node& node);

  const Value* find(const std::string& name) const;
  Status define(const Node& node, Value value);
  Result<Activation> activation(const Node& node, std::size_t index) const;
  Result<const QuantizedConstant*> weights(const Node& node, std::size_t index) const;
  std::optional<std::vector<double>> real_constant(const std::string& name) const;
  Status add_bias(const Node& node, PendingLayer& pending, const std::string& name) const;
  Status pool(const Node& node, IntegerOp op, const Activation& input, const PlacedWindow& placed);
  Status limit(const Node& node, double low, double high);
  Status define_flat(const Node& node);
  Result<double> clip_bound(const Node& node, std::size_t index, const char* attribute,
                            double fallback) const;

  const onnx::Model& model_;
  IntegerGraph graph_;
  std::map<std::string, Value> values_;
  bool has_input_ = false;
  bool noted_shift_ = false;
};

const std::map<std::string, Lowering::Handler>& Lowering::handlers() {
  static const std::map<std::string, Handler> table = {
      {"Add", &Lowering::add},
      {"AveragePool", &Lowering::average_pool},
      {"Clip", &Lowering::clip},
      {"Conv", &Lowering::convolution},
      {"DequantizeLinear", &Lowering::dequantize},
      {"Flatten", &Lowering::flatten},
      {"Gemm", &Lowering::gemm},
      {"GlobalAveragePool", &Lowering::global_average_pool},
      {"Identity", &Lowering::identity},
      {"MatMul", &Lowering::matmul},
      {"MaxPool", &Lowering::max_pool},
      {"QuantizeLinear", &Lowering::quantize},
      {"Relu", &Lowering::relu},
      {"Reshape", &Lowering::reshape},
      {"Softmax", &Lowering::softmax},
  };
  return table;
}

Result<IntegerGraph> Lowering::run() {
  const bool quantized =
      std::any_of(model_.nodes.begin(), model_.nodes.end(),
                  [](const Node& node) { return node.op_type == "DequantizeLinear"; });
  if (!quantized)
    return fail(ErrorKind::bad_input,
                "this model is in float; quantize it to int8 first (QuantizeLinear and "
                "DequantizeLinear around every layer)");
  ASSAY_CHECK(read_input());
  for (const Node& node : model_.nodes)
    ASSAY_CHECK(visit(node));
  ASSAY_CHECK(find_output());
  return std::move(graph_);
}

/// The network's input becomes tensor 0; its scale comes with its QuantizeLinear, or with the
/// DequantizeLinear of an input that is int8 already.
Status Lowering::read_input() {
  if (model_.inputs.size() != 1)
    return fail(ErrorKind::bad_input,
                fmt::format("the model has {} inputs; one is supported", model_.inputs.size()));
  const onnx::ValueInfo& input = model_.inputs.front();
  const auto& shape = input.shape;
  const bool flat = shape.size() == 2;
  std::int64_t elements = 1;
  bool good = (flat || shape.size() == 4) && (shape[0] == 1 || shape[0] == -1);
  for (std::size_t i = 1; good && i < shape.size(); ++i) {
    good = shape[i] >= 1 && shape[i] <= largest_tensor / elements;
    if (good) elements *= shape[i];
  }
  if (!good)
    return fail(
        ErrorKind::bad_input,
        fmt::format("input \"{}\" has shape [{}]; one image of [1, channels, height, width] "
                    "or [1, features] is supported",
                    input.name, fmt::join(shape, ", ")));
  ActivationTensor tensor{.name = input.name};
  tensor.channels = static_cast<int>(shape[1]);
  tensor.height = flat ? 1 : static_cast<int>(shape[2]);
  tensor.width = flat ? 1 : static_cast<int>(shape[3]);
  graph_.tensors.push_back(tensor);
  if (input.type == ElementType::float32)
    values_[input.name] = FloatInput{};
  else
    values_[input.name] = Activation{.tensor = 0, .flat = flat};
  return {};
}

Status Lowering::visit(const Node& node) {
  const auto handler = handlers().find(node.op_type);
  if (handler != handlers().end() && node.domain.empty()) return (this->*handler->second)(node);
  std::vector<std::string> supported;
  for (const auto& [name, unused] : handlers())
    supported.push_back(name);
  return refuse(node, fmt::format("this operator{} is not supported; supported are {}",
                                  node.domain.empty() ? "" : " of " + node.domain,
                                  fmt::join(supported, ", ")));
}

Status Lowering::find_output() {
  if (model_.outputs.size() != 1)
    return fail(ErrorKind::bad_input,
                fmt::format("the model has {} outputs; one is supported", model_.outputs.size()));
  const std::string& name = model_.outputs.front().name;
  const Value* value = find(name);
  const auto refuse_output = [&](const char* why) {
    return fail(ErrorKind::bad_input, fmt::format("output \"{}\" {}", name, why));
  };
  if (!value) return refuse_output("is no node's output");
  const auto* probabilities = std::get_if<Probabilities>(value);
  const auto* plain = std::get_if<Activation>(value);
  if (!probabilities && !plain)
    return refuse_output("is not quantized: put QuantizeLinear and DequantizeLinear behind it");
  const Activation activation = probabilities ? probabilities->logits : *plain;
  const ActivationTensor& tensor = graph_.tensors[activation.tensor];
  if (graph_.layers.empty()) return refuse_output("has no layer before it");
  if (tensor.channels > 1 && tensor.height * tensor.width > 1)
    return refuse_output("is an image; networks that end in a vector are supported");
  graph_.output = activation.tensor;
  return {};
}

const Value* Lowering::find(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

Status Lowering::define(const Node& node, Value value) {
  if (node.outputs.empty()) return refuse(node, "it has no output");
  values_.insert_or_assign(node.outputs.front(), std::move(value));
  return {};
}

/// A dequantized activation: what every operator reads.
Result<Activation> Lowering::activation(const Node& node, std::size_t index) const {
  const std::string name = input_name(node, index);
  const Value* value = find(name);
  const auto* activation = value ? std::get_if<Activation>(value) : nullptr;
  if (!activation || !activation->is_float)
    return refuse(node, fmt::format("its input \"{}\" is not a dequantized int8 activation; put "
                                    "QuantizeLinear and DequantizeLinear between layers",
                                    name));
  return *activation;
}

Result<const QuantizedConstant*> Lowering::weights(const Node& node, std::size_t index) const {
  const std::string name = input_name(node, index);
  const Value* value = find(name);
  const auto* constant = value ? std::get_if<Constant>(value) : nullptr;
  if (!constant || !constant->is_float)
    return refuse(node, fmt::format("its weights \"{}\" are not a dequantized int8 constant; "
                                    "quantize the model first",
                                    name));
  return &constant->constant;
}

/// A float32 initializer or a dequantized constant, as real numbers.
std::optional<std::vector<double>> Lowering::real_constant(const std::string& name) const {
  std::vector<double> reals;
  if (const onnx::Tensor* tensor = model_.initializer(name)) {
    if (tensor->type != ElementType::float32) return std::nullopt;
    reals.assign(tensor->as<float>().begin(), tensor->as<float>().end());
    return reals;
  }
  const Value* value = find(name);
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

Status Lowering::quantize(const Node& node) {
  const std::string name = input_name(node, 0);
  if (model_.initializer(name)) {
    ASSAY_TRY(QuantizedConstant constant, quantize_constant(model_, node));
    return define(node, Constant{std::move(constant), false});
  }
  const Value* value = find(name);
  if (value && std::holds_alternative<Probabilities>(*value)) return define(node, *value);
  ASSAY_TRY(const QuantizationParameters p, read_parameters(model_, node));
  if (p.scales.size() != 1 || p.scales[0] <= 0 || p.type == ElementType::int32)
    return refuse(node, "an activation has one positive scale and type int8 or uint8");
  if (p.type == ElementType::uint8 && !noted_shift_) {
    graph_.notices.push_back("uint8 activations were shifted by 128 to int8");
    noted_shift_ = true;
  }
  const OutputScale out{node.outputs.empty() ? "" : node.outputs.front(), p.scales[0],
                        static_cast<std::int8_t>(p.zeros[0])};
  if (value && std::holds_alternative<FloatInput>(*value)) {
    ActivationTensor& input = graph_.tensors[0];
    if (has_input_ && (input.scale != out.scale || input.zero_point != out.zero_point))
      return refuse(node, "the network's input is quantized twice with different scales");
    has_input_ = true;
    input.scale = out.scale;
    input.zero_point = out.zero_point;
    return define(node, Activation{.tensor = 0, .flat = model_.inputs.front().shape.size() == 2});
  }
  PendingLayer pending;
  if (const auto* layer = value ? std::get_if<PendingLayer>(value) : nullptr) {
    pending = *layer;
  } else {
    ASSAY_TRY(const Activation same, activation(node, 0));
    const ActivationTensor& tensor = graph_.tensors[same.tensor];
    if (tensor.scale == out.scale && tensor.zero_point == out.zero_point)
      return define(node, Activation{.tensor = same.tensor, .flat = same.flat});
    pending = rescale_layer(graph_, same.tensor, node.name);
    pending.flat = same.flat;
  }
  const bool flat = pending.flat;
  const std::string layer_name = pending.layer.name;
  auto tensor = finish_layer(graph_, std::move(pending), out);
  if (!tensor)
    return refuse(node, fmt::format("layer \"{}\": {}", layer_name, tensor.error().message));
  return define(node, Activation{.tensor = *tensor, .flat = flat});
}

Status Lowering::dequantize(const Node& node) {
  const std::string name = input_name(node, 0);
  if (model_.initializer(name)) {
    ASSAY_TRY(QuantizedConstant constant, read_constant(model_, node));
    return define(node, Constant{std::move(constant), true});
  }
  const Value* value = find(name);
  if (value && std::holds_alternative<Probabilities>(*value)) return define(node, *value);
  ASSAY_TRY(const QuantizationParameters p, read_parameters(model_, node));
  if (const auto* constant = value ? std::get_if<Constant>(value) : nullptr) {
    Constant real = *constant;
    if (p.scales != real.constant.parameters.scales || p.zeros != real.constant.parameters.zeros)
      return refuse(node, "its scale differs from that of the QuantizeLinear before it");
    real.is_float = true;
    return define(node, std::move(real));
  }
  const auto* activation = value ? std::get_if<Activation>(value) : nullptr;
  if (!activation || activation->is_float || p.scales.size() != 1)
    return refuse(node, fmt::format("its input \"{}\" is not an int8 tensor with one scale", name));
  ActivationTensor& tensor = graph_.tensors[activation->tensor];
  if (activation->tensor == 0 && !has_input_) {  // the network's input is int8 already
    tensor.scale = p.scales[0];
    tensor.zero_point = static_cast<std::int8_t>(p.zeros[0]);
    has_input_ = true;
  }
  if (tensor.scale != p.scales[0] || tensor.zero_point != p.zeros[0])
    return refuse(node, "its scale differs from that of the QuantizeLinear before it");
  Activation real = *activation;
  real.is_float = true;
  return define(node, real);
}

Status Lowering::convolution(const Node& node) {
  ASSAY_TRY(const Activation input, activation(node, 0));
  if (input.flat) return refuse(node, "its input is flat; an image is expected");
  ASSAY_TRY(const QuantizedConstant* constant, weights(node, 1));
  ASSAY_TRY(PendingLayer pending,
            convolution_layer(node, {input.tensor, graph_.tensors[input.tensor]}, *constant,
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
  ASSAY_TRY(const QuantizedConstant* constant, weights(node, 1));
  ASSAY_TRY(PendingLayer pending,
            dense_layer(node, {input.tensor, graph_.tensors[input.tensor]}, *constant,
                        node.integer("transB", 0) != 0, graph_.notices));
  if (const std::string bias = input_name(node, 2); !bias.empty())
    ASSAY_CHECK(add_bias(node, pending, bias));
  return define(node, std::move(pending));
}

Status Lowering::matmul(const Node& node) {
  ASSAY_TRY(const Activation input, activation(node, 0));
  if (!input.flat) return refuse(node, "its input is an image; put a Flatten before it");
  ASSAY_TRY(const QuantizedConstant* constant, weights(node, 1));
  ASSAY_TRY(PendingLayer pending, dense_layer(node, {input.tensor, graph_.tensors[input.tensor]},
                                              *constant, false, graph_.notices));
  return define(node, std::move(pending));
}

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
  if (a.height != b.height || a.width != b.width || a.channels != b.channels ||
      first.flat != second.flat)
    return refuse(node, "it adds tensors of different shapes; broadcasting is not supported");
  PendingLayer pending;
  pending.layer.name = node.name;
  pending.layer.op = IntegerOp::add;
  pending.layer.inputs = {first.tensor, second.tensor};
  pending.output = a;
  pending.flat = first.flat;
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
        fmt::format("node \"{}\" ({}) follows a QuantizeLinear and costs a pass of its own; before "
                    "it, it would "
                    "be free",
                    node.name, node.op_type));
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

}  // namespace

Result<IntegerGraph> lower(const onnx::Model& model) {
  return Lowering(model).run();
}

}  // namespace assay

#include "targets/graph/lower.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compress/onnx/fold_batch_norm.hpp"
#include "targets/graph/lowering.hpp"

namespace assay {
namespace lowering {

using onnx::ElementType;
using onnx::Node;

const std::map<std::string, Lowering::Handler>& Lowering::handlers() {
  static const std::map<std::string, Handler> table = {
      {"Add", &Lowering::add},
      {"AveragePool", &Lowering::average_pool},
      {"Cast", &Lowering::cast},
      {"Clip", &Lowering::clip},
      {"Concat", &Lowering::concat},
      {"Conv", &Lowering::convolution},
      {"DequantizeLinear", &Lowering::dequantize},
      {"Elu", &Lowering::function},
      {"Flatten", &Lowering::flatten},
      {"Gemm", &Lowering::gemm},
      {"GlobalAveragePool", &Lowering::global_average_pool},
      {"HardSigmoid", &Lowering::function},
      {"HardSwish", &Lowering::function},
      {"Identity", &Lowering::identity},
      {"LeakyRelu", &Lowering::function},
      {"MatMul", &Lowering::matmul},
      {"MaxPool", &Lowering::max_pool},
      {"Mul", &Lowering::multiply},
      {"QuantizeLinear", &Lowering::quantize},
      {"Relu", &Lowering::relu},
      {"Reshape", &Lowering::reshape},
      {"Sigmoid", &Lowering::function},
      {"Softmax", &Lowering::softmax},
      {"Tanh", &Lowering::function},
  };
  return table;
}

Result<IntegerGraph> Lowering::run() {
  in_float_ = !has_integer_activations();
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
  if (in_float_) {
    graph_.tensors[0].element = Element::float32;
    values_[input.name] = Activation{.tensor = 0, .flat = flat, .is_float = true};
    return {};
  }
  if (input.type == ElementType::float32) {
    values_[input.name] = FloatInput{};
    return {};
  }
  const bool is_unsigned = input.type == ElementType::uint8;
  if (!is_unsigned && input.type != ElementType::int8 && input.type != ElementType::int16)
    return fail(ErrorKind::bad_input,
                fmt::format("input \"{}\" is {}; float32, int8, uint8 and int16 are supported",
                            input.name, to_string(input.type)));
  if (is_unsigned) note_shift();
  if (input.type == ElementType::int16) graph_.tensors[0].element = Element::int16;
  values_[input.name] = Activation{.tensor = 0, .flat = flat, .is_unsigned = is_unsigned};
  return {};
}

Status Lowering::visit(const Node& node) {
  const auto handler = handlers().find(node.op_type);
  // Where opset 17 has no int16, ONNX Runtime's own operators stand in for it.
  const bool quantizes = node.op_type == "QuantizeLinear" || node.op_type == "DequantizeLinear";
  const bool known = node.domain.empty() || (quantizes && node.domain == "com.microsoft");
  if (handler != handlers().end() && known) return (this->*handler->second)(node);
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
  if (auto* pending = std::get_if<PendingLayer>(&value);
      in_float_ && pending && !may_grow(*pending, node.outputs.front()))
    return settle(node, std::move(*pending));
  values_.insert_or_assign(node.outputs.front(), std::move(value));
  return {};
}

/// A dequantized activation: what every operator reads.
Result<Activation> Lowering::activation(const Node& node, std::size_t index) const {
  const std::string name = input_name(node, index);
  const Value* value = find(name);
  const auto* activation = value ? std::get_if<Activation>(value) : nullptr;
  if (!activation || !activation->is_float)
    return refuse(node, fmt::format("its input \"{}\" is not {}", name,
                                    in_float_ ? "the network's input or a layer's output"
                                              : "a dequantized integer activation; put "
                                                "QuantizeLinear and DequantizeLinear between "
                                                "layers"));
  return *activation;
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
    return refuse(node, "an activation has one positive scale and type int8, uint8 or int16");
  const bool wide = p.type == ElementType::int16;
  if (wide && p.zeros[0] != 0)
    return refuse(node, fmt::format("its zero point is {}; int16 activations have the zero point 0",
                                    p.zeros[0]));
  if (p.type == ElementType::uint8) note_shift();
  const OutputScale out{node.outputs.empty() ? "" : node.outputs.front(), p.scales[0],
                        static_cast<std::int8_t>(p.zeros[0]),
                        wide ? Element::int16 : Element::int8};
  if (value && std::holds_alternative<FloatInput>(*value))
    ASSAY_CHECK(quantize_input(node, out));
  else
    ASSAY_CHECK(quantize_layer(node, out));
  std::get<Activation>(values_.at(out.name)).is_unsigned = p.type == ElementType::uint8;
  return {};
}

void Lowering::note_shift() {
  if (!noted_shift_) graph_.notices.push_back("uint8 activations were shifted by 128 to int8");
  noted_shift_ = true;
}

Status Lowering::quantize_input(const Node& node, const OutputScale& out) {
  ActivationTensor& input = graph_.tensors[0];
  if (has_input_ && (input.scale != out.scale || input.zero_point != out.zero_point ||
                     input.element != out.element))
    return refuse(node, "the network's input is quantized twice with different scales");
  has_input_ = true;
  input.scale = out.scale;
  input.zero_point = out.zero_point;
  input.element = out.element;
  return define(node, Activation{.tensor = 0, .flat = model_.inputs.front().shape.size() == 2});
}

/// The end of a layer, or a change of scale between two.
Status Lowering::quantize_layer(const Node& node, const OutputScale& out) {
  if (const Element element = graph_.tensors[0].element; element != out.element)
    return refuse(node, fmt::format("it makes {} activations, the network's input is {}: one width "
                                    "for all activations is supported",
                                    to_string(out.element), to_string(element)));
  const Value* value = find(input_name(node, 0));
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
  if (pending.output.size() > largest_tensor)
    return refuse(node, fmt::format("layer \"{}\": an output of {} elements is too large",
                                    layer_name, pending.output.size()));
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
  ASSAY_TRY(QuantizationParameters p, read_parameters(model_, node));
  constexpr const char* changed = "its scale differs from that of the QuantizeLinear before it";
  if (const auto* constant = value ? std::get_if<Constant>(value) : nullptr) {
    Constant real = *constant;
    if (p.scales != real.constant.parameters.scales || p.zeros != real.constant.parameters.zeros)
      return refuse(node, changed);
    real.is_float = true;
    return define(node, std::move(real));
  }
  const auto* activation = value ? std::get_if<Activation>(value) : nullptr;
  if (!activation || activation->is_float || p.scales.size() != 1)
    return refuse(node,
                  fmt::format("its input \"{}\" is not an integer tensor with one scale", name));
  if (input_name(node, 2).empty()) p.zeros[0] = activation->is_unsigned ? -128 : 0;
  ActivationTensor& tensor = graph_.tensors[activation->tensor];
  if (activation->tensor == 0 && !has_input_) {  // the network's input is int8 already
    if (p.scales[0] <= 0) return refuse(node, "the input's scale must be positive");
    tensor.scale = p.scales[0];
    tensor.zero_point = static_cast<std::int8_t>(p.zeros[0]);
    has_input_ = true;
  }
  if (tensor.scale != p.scales[0] || tensor.zero_point != p.zeros[0]) return refuse(node, changed);
  Activation real = *activation;
  real.is_float = true;
  return define(node, real);
}

}  // namespace lowering

Result<IntegerGraph> lower(const onnx::Model& model) {
  const bool has_batch_norm = std::ranges::any_of(
      model.nodes, [](const onnx::Node& node) { return node.op_type == "BatchNormalization"; });
  if (!has_batch_norm) return lowering::Lowering(model).run();
  ASSAY_TRY(const onnx::Model folded, onnx::fold_batch_norm(model));
  return lowering::Lowering(folded).run();
}

Result<IntegerGraph> lower(const onnx::Model& model, const std::filesystem::path& file) {
  return lower(model).map_error([&](Error error) {
    error.message = fmt::format("{}: {}", file.string(), error.message);
    return error;
  });
}

}  // namespace assay

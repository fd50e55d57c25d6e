#include "compress/train/trainable.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace assay {
namespace {

using Readers = std::map<std::string, int>;

tl::unexpected<Error> refuse(const std::string& source, const onnx::Node& node,
                             const std::string& why) {
  return fail(ErrorKind::bad_input, fmt::format("{}: node '{}' ({}) cannot be trained: {}", source,
                                                node.name, node.op_type, why));
}

Status check_layer(const onnx::Model& model, const onnx::Node& node, const Readers& readers,
                   const std::string& source) {
  const onnx::Tensor* weights = model.initializer(node.inputs[1]);
  if (!weights || weights->type != onnx::ElementType::float32 || weights->element_count() == 0)
    return refuse(source, node, "its weights must be a float32 constant");
  if (node.op_type == "Gemm" && node.integer("transB", 0) != 1)
    return refuse(source, node, "only transB = 1 is supported");
  if (readers.at(node.inputs[1]) != 1)
    return refuse(source, node, "it shares its weights with another node");
  if (node.inputs.size() > 2 && model.initializer(node.inputs[2]) &&
      readers.at(node.inputs[2]) != 1)
    return refuse(source, node, "it shares its bias with another node");
  return {};
}

Status check_norm(const onnx::Model& model, const onnx::Node& node, const Readers& readers,
                  const std::string& source) {
  if (node.integer("training_mode", 0) != 0)
    return refuse(source, node, "training_mode is not supported");
  for (std::size_t i = 1; i < 5; ++i) {
    if (!model.initializer(node.inputs[i]))
      return refuse(source, node, "its numbers must be constants");
    if (readers.at(node.inputs[i]) != 1)
      return refuse(source, node, "it shares its numbers with another node");
  }
  return {};
}

}  // namespace

const std::map<std::string, std::size_t>& computed_operators() {
  static const std::map<std::string, std::size_t> operators = {
      {"Add", 2},
      {"AveragePool", 1},
      {"BatchNormalization", 5},
      {"Cast", 1},
      {"Clip", 1},
      {"Concat", 1},
      {"Conv", 2},
      {"DequantizeLinear", 2},
      {"Dropout", 1},
      {"Flatten", 1},
      {"Gemm", 2},
      {"GlobalAveragePool", 1},
      {"HardSigmoid", 1},
      {"Identity", 1},
      {"MaxPool", 1},
      {"Mul", 2},
      {"QuantizeLinear", 2},
      {"ReduceMean", 1},
      {"Relu", 1},
      {"Reshape", 2},
      {"Sigmoid", 1},
      {"Softmax", 1},
      {"com.microsoft.DequantizeLinear", 2},
      {"com.microsoft.QuantizeLinear", 2},
  };
  return operators;
}

std::string operator_name(const onnx::Node& node) {
  return node.domain.empty() ? node.op_type : node.domain + "." + node.op_type;
}

Status check_operator(const onnx::Node& node, const std::string& source) {
  const auto found = computed_operators().find(operator_name(node));
  if (found != computed_operators().end() && node.outputs.size() == 1 &&
      node.inputs.size() >= found->second)
    return {};
  return fail(ErrorKind::bad_input,
              fmt::format("{}: node '{}': operator {} in this form is not supported", source,
                          node.name, node.op_type));
}

Status check_trainable(const onnx::Model& model, const std::string& source) {
  if (model.inputs.size() != 1 || model.inputs[0].shape.size() != 4 || model.outputs.size() != 1)
    return fail(ErrorKind::bad_input,
                fmt::format("{} must have one image input [N, channels, height, width] and one "
                            "output",
                            source));
  Readers readers;
  for (const onnx::Node& node : model.nodes)
    for (const std::string& input : node.inputs)
      ++readers[input];
  const std::string& output = model.outputs[0].name;
  bool reached = output == model.inputs[0].name;
  for (const onnx::Node& node : model.nodes) {
    ASSAY_CHECK(check_operator(node, source));
    if (node.op_type == "Conv" || node.op_type == "Gemm")
      ASSAY_CHECK(check_layer(model, node, readers, source));
    if (node.op_type == "BatchNormalization") ASSAY_CHECK(check_norm(model, node, readers, source));
    reached = reached || node.outputs[0] == output;
  }
  if (reached) return {};
  return fail(ErrorKind::bad_input, fmt::format("{}: no node puts out '{}'", source, output));
}

}  // namespace assay

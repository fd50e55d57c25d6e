// What is particular to networks over float32 tensors: which they are, and when a layer is
// finished.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "targets/graph/lowering.hpp"

namespace assay::lowering {

using onnx::ElementType;
using onnx::Node;

/// Integer weights alone do not make a network's activations integers.
bool Lowering::has_integer_activations() const {
  const bool integer_input =
      !model_.inputs.empty() && model_.inputs.front().type != ElementType::float32;
  return integer_input || std::ranges::any_of(model_.nodes, [&](const Node& node) {
           return node.op_type == "QuantizeLinear" && !model_.initializer(input_name(node, 0));
         });
}

/// The node that alone reads a value; nullptr when there are none or several, or the value is the
/// network's output.
const Node* Lowering::only_reader(const std::string& name) const {
  const Node* reader = nullptr;
  int readers = 0;
  for (const Node& node : model_.nodes)
    for (const std::string& input : node.inputs)
      if (input == name) {
        reader = &node;
        ++readers;
      }
  const bool is_output = std::ranges::any_of(
      model_.outputs, [&](const onnx::ValueInfo& output) { return output.name == name; });
  return readers == 1 && !is_output ? reader : nullptr;
}

/// Whether the next node can become part of the layer: its activation function, its bias, or a
/// change of view between the two.
bool Lowering::may_grow(const PendingLayer& layer, const std::string& name) const {
  const Node* reader = only_reader(name);
  if (!reader) return false;
  const std::string& op = reader->op_type;
  if (op == "Add") {
    const std::string other = input_name(*reader, input_name(*reader, 0) == name ? 1 : 0);
    return layer.has_weights() && std::isinf(layer.low) && std::isinf(layer.high) &&
           real_constant(other).has_value();
  }
  return input_name(*reader, 0) == name &&
         (op == "Relu" || op == "Clip" || op == "Flatten" || op == "Reshape" || op == "Identity");
}

Status Lowering::settle(const Node& node, PendingLayer pending) {
  if (pending.output.size() > largest_tensor)
    return refuse(node,
                  fmt::format("an output of {} elements is too large", pending.output.size()));
  const bool flat = pending.flat;
  const auto tensor = finish_float_layer(graph_, std::move(pending), node.outputs.front());
  if (!tensor) return refuse(node, tensor.error().message);
  values_.insert_or_assign(node.outputs.front(),
                           Activation{.tensor = *tensor, .flat = flat, .is_float = true});
  return {};
}

/// float16 constants, as float32 reads them.
Status Lowering::cast(const Node& node) {
  constexpr std::int64_t to_float32 = 1;  // TensorProto.DataType
  const onnx::Tensor* constant = model_.initializer(input_name(node, 0));
  if (!constant || node.integer("to", 0) != to_float32)
    return refuse(node, "only constants can be cast, to float32");
  ASSAY_TRY(RealConstant reals, read_reals(node, *constant));
  return define(node, std::move(reals));
}

}  // namespace assay::lowering

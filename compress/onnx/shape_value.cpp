#include "compress/onnx/shape_value.hpp"

#include <algorithm>

namespace assay::onnx {
namespace {

// Networks for images have values of at most four dimensions, [N, channels, height, width].
constexpr std::size_t most_dimensions = 4;

Extent at(const ShapeValue& shape, const Extent& index) {
  // From the end it depends on the rank, which is not known here.
  if (index.kind != Extent::Kind::number || index.value < 0 ||
      index.value >= static_cast<std::int64_t>(shape.size()))
    return {};
  return shape[static_cast<std::size_t>(index.value)];
}

/// Only the leading entries, [0, end), stay known: what a step or another start picks is not.
ShapeValue slice(const ShapeValue& shape, const ShapeValue& starts, const ShapeValue& ends) {
  const bool leading = starts.size() == 1 && ends.size() == 1 &&
                       starts[0].kind == Extent::Kind::number && starts[0].value == 0 &&
                       ends[0].kind == Extent::Kind::number && ends[0].value > 0 &&
                       ends[0].value <= static_cast<std::int64_t>(shape.size());
  if (!leading) return ShapeValue(shape.size());
  return {shape.begin(), shape.begin() + ends[0].value};
}

}  // namespace

std::optional<ShapeValue> constant_shape(const Tensor& tensor) {
  if (tensor.type != ElementType::int64) return std::nullopt;
  ShapeValue shape;
  for (const std::int64_t value : tensor.as<std::int64_t>())
    shape.push_back({Extent::Kind::number, value});
  return shape;
}

std::optional<ShapeValue> apply_to_shapes(
    const Node& node,
    const std::function<std::optional<ShapeValue>(const std::string& value)>& input) {
  const std::string& op = node.op_type;
  if (!node.domain.empty() || node.inputs.empty()) return std::nullopt;
  if (op == "Shape" && node.attributes.empty()) {
    ShapeValue shape(most_dimensions);
    shape[0].kind = Extent::Kind::batch;
    return shape;
  }
  const auto first = input(node.inputs[0]);
  if (!first) return std::nullopt;
  if (op == "Unsqueeze" || op == "Squeeze" || op == "Cast") return first;
  if (op == "Concat") {
    ShapeValue joined;
    for (const std::string& name : node.inputs) {
      const auto part = input(name);
      if (!part) return std::nullopt;
      joined.insert(joined.end(), part->begin(), part->end());
    }
    return joined;
  }
  if (op == "Gather" && node.inputs.size() == 2) {
    const auto indices = input(node.inputs[1]);
    if (!indices) return std::nullopt;
    ShapeValue picked;
    for (const Extent& index : *indices)
      picked.push_back(at(*first, index));
    return picked;
  }
  if (op == "Slice" && node.inputs.size() >= 3) {
    const auto starts = input(node.inputs[1]);
    const auto ends = input(node.inputs[2]);
    if (starts && ends) return slice(*first, *starts, *ends);
  }
  return std::nullopt;
}

}  // namespace assay::onnx

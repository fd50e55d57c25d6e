// Shapes that a graph computes from the shape of a value: what is known of them without running it.
// Plain values and pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compress/onnx/model.hpp"

namespace assay::onnx {

/// One entry of a shape: the number of images, a number, or neither.
struct Extent {
  enum class Kind { batch, number, unknown };
  Kind kind = Kind::unknown;
  std::int64_t value = 0;  ///< of a number
};

using ShapeValue = std::vector<Extent>;

/// The entries of an int64 constant; nothing for other types.
std::optional<ShapeValue> constant_shape(const Tensor& tensor);

/// What a Shape, Gather, Unsqueeze, Squeeze, Concat, Slice or Cast node makes of shapes; nothing
/// for other operators, and where an input is no shape. `input` gives the shape that a value holds.
std::optional<ShapeValue> apply_to_shapes(
    const Node& node,
    const std::function<std::optional<ShapeValue>(const std::string& value)>& input);

}  // namespace assay::onnx

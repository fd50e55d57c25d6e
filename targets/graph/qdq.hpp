// Reading QuantizeLinear and DequantizeLinear: scales, zero points and the constants they act on.
// Inner part of lowering. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "compress/onnx/model.hpp"
#include "harness/core/result.hpp"

namespace assay::lowering {

/// The error of every refusal: `node "conv1" (Conv): <why>`.
tl::unexpected<Error> refuse(const onnx::Node& node, const std::string& why);

/// Name of input `index`, "" when it is left out.
std::string input_name(const onnx::Node& node, std::size_t index);

/// Scale and zero point of a Q or DQ node. One element, or one per index of `axis`. For uint8 the
/// zero points are already shifted by -128, so that they go with int8 values.
struct QuantizationParameters {
  std::vector<float> scales;
  std::vector<std::int32_t> zeros;
  std::int64_t axis = 1;
  onnx::ElementType type = onnx::ElementType::uint8;
};

/// Errors: bad_input when scale or zero point is not a constant, has a type that is not supported
/// or is not finite and positive (0 is accepted for constants: a channel without weights).
Result<QuantizationParameters> read_parameters(const onnx::Model& model, const onnx::Node& node);

/// A constant with the quantization its Q or DQ node gave it; uint8 values shifted by -128.
struct QuantizedConstant {
  std::vector<std::int64_t> shape;
  std::vector<std::int32_t> values;
  QuantizationParameters parameters;
  /// Which scale belongs to element `index` of the flattened values.
  std::size_t scale_index(std::size_t index) const;
  double real(std::size_t index) const;
};

/// A constant of real numbers, from float32 or float16.
struct RealConstant {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  bool half = false;  ///< float16 in the file
};

/// The weights of a layer, as the file has them.
using WeightConstant = std::variant<QuantizedConstant, RealConstant>;

/// The reals of an initializer. Errors: bad_input for other types than float32 and float16.
Result<RealConstant> read_reals(const onnx::Node& node, const onnx::Tensor& tensor);

/// DequantizeLinear of an int8, uint8, int16 or int32 initializer.
Result<QuantizedConstant> read_constant(const onnx::Model& model, const onnx::Node& node);
/// QuantizeLinear of a float32 initializer (exporters that keep weights in float).
Result<QuantizedConstant> quantize_constant(const onnx::Model& model, const onnx::Node& node);

}  // namespace assay::lowering

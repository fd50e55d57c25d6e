#include "targets/graph/qdq.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "compress/onnx/float16.hpp"

namespace assay::lowering {
namespace {

using onnx::ElementType;

constexpr std::int32_t uint8_shift = 128;

/// Elements as int32, uint8 shifted into int8's range. Absent for other types.
std::optional<std::vector<std::int32_t>> integers(const onnx::Tensor& tensor) {
  std::vector<std::int32_t> values;
  const auto append = [&](auto elements, std::int32_t shift) {
    for (auto element : elements)
      values.push_back(static_cast<std::int32_t>(element) - shift);
  };
  switch (tensor.type) {
    case ElementType::int8:
      append(tensor.as<std::int8_t>(), 0);
      return values;
    case ElementType::uint8:
      append(tensor.as<std::uint8_t>(), uint8_shift);
      return values;
    case ElementType::int16:
      append(tensor.as<std::int16_t>(), 0);
      return values;
    case ElementType::int32:
      append(tensor.as<std::int32_t>(), 0);
      return values;
    default:
      return std::nullopt;
  }
}

/// Checks that there is one scale, or one per index of the axis.
Status check_scales(const onnx::Node& node, QuantizedConstant& constant) {
  QuantizationParameters& p = constant.parameters;
  const auto rank = static_cast<std::int64_t>(constant.shape.size());
  if (p.axis < 0) p.axis += rank;
  if (p.scales.size() == 1) return {};
  if (p.axis < 0 || p.axis >= rank ||
      constant.shape[p.axis] != static_cast<std::int64_t>(p.scales.size()))
    return refuse(
        node, fmt::format("{} scales do not fit axis {} of its constant", p.scales.size(), p.axis));
  return {};
}

}  // namespace

tl::unexpected<Error> refuse(const onnx::Node& node, const std::string& why) {
  return fail(ErrorKind::bad_input,
              fmt::format("node \"{}\" ({}): {}", node.name, node.op_type, why));
}

std::string input_name(const onnx::Node& node, std::size_t index) {
  return index < node.inputs.size() ? node.inputs[index] : "";
}

Result<QuantizationParameters> read_parameters(const onnx::Model& model, const onnx::Node& node) {
  QuantizationParameters p;
  p.axis = node.integer("axis", 1);
  const onnx::Tensor* scale = model.initializer(input_name(node, 1));
  if (!scale || scale->type != ElementType::float32 || scale->element_count() < 1)
    return refuse(node, "its scale must be a float32 constant; other forms are not supported");
  p.scales.assign(scale->as<float>().begin(), scale->as<float>().end());
  for (float s : p.scales)
    if (!std::isfinite(s) || s < 0)
      return refuse(node, fmt::format("its scale {} is not a positive number", s));
  const std::string zero_name = input_name(node, 2);
  if (zero_name.empty()) {
    // Without a zero point QuantizeLinear makes uint8; DequantizeLinear takes its input's type.
    const onnx::Tensor* data = model.initializer(input_name(node, 0));
    if (data) p.type = data->type;
    p.zeros.assign(p.scales.size(), p.type == ElementType::uint8 ? -uint8_shift : 0);
    return p;
  }
  const onnx::Tensor* zero = model.initializer(zero_name);
  const auto zeros = zero ? integers(*zero) : std::nullopt;
  if (!zeros || zeros->size() != p.scales.size())
    return refuse(node,
                  "its zero point must be a constant of type int8, uint8, int16 or int32 with as "
                  "many elements as the scale");
  p.type = zero->type;
  p.zeros = *zeros;
  return p;
}

std::size_t QuantizedConstant::scale_index(std::size_t index) const {
  if (parameters.scales.size() == 1) return 0;
  std::size_t stride = 1;
  for (std::size_t d = static_cast<std::size_t>(parameters.axis) + 1; d < shape.size(); ++d)
    stride *= static_cast<std::size_t>(shape[d]);
  return index / stride % parameters.scales.size();
}

double QuantizedConstant::real(std::size_t index) const {
  const std::size_t s = scale_index(index);
  return double(parameters.scales[s]) * (values[index] - parameters.zeros[s]);
}

Result<RealConstant> read_reals(const onnx::Node& node, const onnx::Tensor& tensor) {
  RealConstant constant{tensor.shape, {}, tensor.type == ElementType::float16};
  if (constant.half) {
    for (const std::uint16_t bits : tensor.as<std::uint16_t>())
      constant.values.push_back(onnx::from_float16(bits));
  } else if (tensor.type == ElementType::float32) {
    constant.values.assign(tensor.as<float>().begin(), tensor.as<float>().end());
  } else {
    return refuse(node, fmt::format("\"{}\" is {}; float32 and float16 constants are supported",
                                    tensor.name, to_string(tensor.type)));
  }
  return constant;
}

Result<QuantizedConstant> read_constant(const onnx::Model& model, const onnx::Node& node) {
  const onnx::Tensor& data = *model.initializer(input_name(node, 0));
  QuantizedConstant constant{.shape = data.shape, .values = {}, .parameters = {}};
  const auto values = integers(data);
  if (!values)
    return refuse(node,
                  fmt::format("its constant is {}; int8, uint8, int16 and int32 are supported",
                              to_string(data.type)));
  constant.values = *values;
  ASSAY_TRY(constant.parameters, read_parameters(model, node));
  ASSAY_CHECK(check_scales(node, constant));
  return constant;
}

Result<QuantizedConstant> quantize_constant(const onnx::Model& model, const onnx::Node& node) {
  const onnx::Tensor& data = *model.initializer(input_name(node, 0));
  if (data.type != ElementType::float32)
    return refuse(node,
                  fmt::format("its constant is {}; float32 is supported", to_string(data.type)));
  QuantizedConstant constant{.shape = data.shape, .values = {}, .parameters = {}};
  ASSAY_TRY(constant.parameters, read_parameters(model, node));
  ASSAY_CHECK(check_scales(node, constant));
  if (constant.parameters.type != ElementType::int8 &&
      constant.parameters.type != ElementType::uint8)
    return refuse(node, "QuantizeLinear makes int8 or uint8 of a constant");
  const auto reals = data.as<float>();
  constant.values.resize(reals.size());
  for (std::size_t i = 0; i < reals.size(); ++i) {
    const std::size_t s = constant.scale_index(i);
    const float scale = constant.parameters.scales[s];
    const float steps = scale > 0 ? std::nearbyint(reals[i] / scale) : 0.0f;
    if (std::isnan(steps)) return refuse(node, "its constant holds a value that is not a number");
    const float zero = static_cast<float>(constant.parameters.zeros[s]);
    constant.values[i] = static_cast<std::int32_t>(std::clamp(steps + zero, -128.0f, 127.0f));
  }
  return constant;
}

}  // namespace assay::lowering

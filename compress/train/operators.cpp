#include "compress/train/operators.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/round.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "compress/train/trainable.hpp"

namespace assay {
namespace {

using Integers = std::vector<std::int64_t>;
using Inputs = std::vector<at::Tensor>;

// Thrown inside this file only: a node that asks for more than its operator's function does.
struct Unsupported {
  std::string why;
};

bool is_set(const Inputs& inputs, std::size_t index) {
  return index < inputs.size() && inputs[index].defined();
}

/// Window of a convolution or pool. Padding that differs by side is written into the input first.
struct SlidingWindow {
  Integers kernel;
  Integers stride;
  Integers dilation;
  Integers padding;

  SlidingWindow(const onnx::Node& node, Integers kernel_size, at::Tensor& input, double fill)
      : kernel(std::move(kernel_size)),
        stride(node.integers("strides", {1, 1})),
        dilation(node.integers("dilations", {1, 1})) {
    if (node.text("auto_pad", "NOTSET") != "NOTSET") throw Unsupported{"auto_pad is not supported"};
    if (node.integer("ceil_mode", 0) != 0) throw Unsupported{"ceil_mode is not supported"};
    const Integers pads = node.integers("pads", {0, 0, 0, 0});
    if (kernel.size() != 2 || stride.size() != 2 || dilation.size() != 2 || pads.size() != 4)
      throw Unsupported{"only windows of two dimensions are supported"};
    padding = {pads[0], pads[1]};
    if (pads[0] == pads[2] && pads[1] == pads[3]) return;
    input = at::constant_pad_nd(input, {pads[1], pads[3], pads[0], pads[2]}, fill);
    padding = {0, 0};
  }
};

at::Tensor conv(const onnx::Node& node, Inputs& inputs) {
  const auto sizes = inputs[1].sizes();
  if (sizes.size() != 4) throw Unsupported{"its weights must have four dimensions"};
  const SlidingWindow window(node, {sizes[2], sizes[3]}, inputs[0], 0.0);
  return at::conv2d(inputs[0], inputs[1], is_set(inputs, 2) ? inputs[2] : at::Tensor(),
                    window.stride, at::IntArrayRef(window.padding), window.dilation,
                    node.integer("group", 1));
}

at::Tensor gemm(const onnx::Node& node, Inputs& inputs) {
  const at::Tensor a = node.integer("transA", 0) != 0 ? inputs[0].t() : inputs[0];
  const at::Tensor b = node.integer("transB", 0) != 0 ? inputs[1].t() : inputs[1];
  const float alpha = node.real("alpha", 1);
  if (!is_set(inputs, 2)) return at::matmul(a, b).mul(alpha);
  return at::addmm(inputs[2], a, b, node.real("beta", 1), alpha);
}

at::Tensor max_pool(const onnx::Node& node, Inputs& inputs) {
  const SlidingWindow window(node, node.integers("kernel_shape", {}), inputs[0],
                             -std::numeric_limits<double>::infinity());
  return at::max_pool2d(inputs[0], window.kernel, window.stride, window.padding, window.dilation);
}

at::Tensor average_pool(const onnx::Node& node, Inputs& inputs) {
  const bool count_padding = node.integer("count_include_pad", 0) != 0;
  const Integers pads = node.integers("pads", {0, 0, 0, 0});
  if (pads.size() == 4 && (pads[0] != pads[2] || pads[1] != pads[3]) && !count_padding)
    throw Unsupported{"padding that differs by side and is not counted is not supported"};
  const SlidingWindow window(node, node.integers("kernel_shape", {}), inputs[0], 0.0);
  return at::avg_pool2d(inputs[0], window.kernel, window.stride, window.padding, false,
                        count_padding);
}

at::Tensor global_average_pool(const onnx::Node&, Inputs& inputs) {
  return at::adaptive_avg_pool2d(inputs[0], {1, 1});
}

at::Tensor add(const onnx::Node&, Inputs& inputs) {
  return inputs[0] + inputs[1];
}

at::Tensor mul(const onnx::Node&, Inputs& inputs) {
  return inputs[0] * inputs[1];
}

at::Tensor concat(const onnx::Node& node, Inputs& inputs) {
  return at::cat(inputs, node.integer("axis", 0));
}

at::Tensor batch_normalization(const onnx::Node& node, Inputs& inputs) {
  if (node.integer("training_mode", 0) != 0) throw Unsupported{"training_mode is not supported"};
  return at::batch_norm(inputs[0], inputs[1], inputs[2], inputs[3], inputs[4], false, 0,
                        node.real("epsilon", 1e-5F), false);
}

at::Tensor sigmoid(const onnx::Node&, Inputs& inputs) {
  return at::sigmoid(inputs[0]);
}

at::Tensor hard_sigmoid(const onnx::Node& node, Inputs& inputs) {
  return at::clamp(inputs[0] * node.real("alpha", 0.2F) + node.real("beta", 0.5F), 0, 1);
}

at::Tensor softmax(const onnx::Node& node, Inputs& inputs) {
  const std::int64_t axis = node.integer("axis", -1);
  // Before opset 13 axis 1 meant all that follows too, which is the same for two dimensions.
  if (inputs[0].dim() != 2 || (axis != 1 && axis != -1))
    throw Unsupported{"only the classes of [images, classes] are supported"};
  return at::softmax(inputs[0], 1);
}

/// Identity, and Dropout, which does nothing outside of training.
at::Tensor identity(const onnx::Node&, Inputs& inputs) {
  if (is_set(inputs, 2)) throw Unsupported{"a choice of training or inference is not supported"};
  return inputs[0];
}

at::Tensor cast(const onnx::Node& node, Inputs& inputs) {
  constexpr std::int64_t to_float = 1, to_float16 = 10;  // TensorProto.DataType
  const std::int64_t to = node.integer("to", 0);
  const auto from = inputs[0].scalar_type();
  if ((to != to_float && to != to_float16) || (from != at::kFloat && from != at::kHalf))
    throw Unsupported{"only casts between float32 and float16 are supported"};
  return inputs[0].to(to == to_float ? at::kFloat : at::kHalf);
}

/// The mean over height and width, whose axes are an attribute up to opset 17 and then an input.
at::Tensor reduce_mean(const onnx::Node& node, Inputs& inputs) {
  Integers axes = node.integers("axes", {});
  if (is_set(inputs, 1)) {
    const at::Tensor given = inputs[1].to(at::kLong).contiguous();
    axes.assign(given.data_ptr<std::int64_t>(), given.data_ptr<std::int64_t>() + given.numel());
  }
  for (std::int64_t& axis : axes)
    if (axis < 0) axis += inputs[0].dim();
  std::sort(axes.begin(), axes.end());
  if (inputs[0].dim() != 4 || axes != Integers{2, 3})
    throw Unsupported{"only the mean over height and width (axes 2 and 3) is supported"};
  return at::mean(inputs[0], axes, node.integer("keepdims", 1) != 0);
}

at::Tensor relu(const onnx::Node&, Inputs& inputs) {
  return at::relu(inputs[0]);
}

at::Tensor clip(const onnx::Node&, Inputs& inputs) {
  constexpr float none = std::numeric_limits<float>::infinity();
  const float low = is_set(inputs, 1) ? inputs[1].item<float>() : -none;
  const float high = is_set(inputs, 2) ? inputs[2].item<float>() : none;
  return at::clamp(inputs[0], low, high);
}

at::Tensor flatten(const onnx::Node& node, Inputs& inputs) {
  if (node.integer("axis", 1) != 1) throw Unsupported{"only axis 1 is supported"};
  return inputs[0].flatten(1);
}

at::Tensor reshape(const onnx::Node& node, Inputs& inputs) {
  if (node.integer("allowzero", 0) != 0) throw Unsupported{"allowzero is not supported"};
  const at::Tensor wanted = inputs[1].to(at::kLong).contiguous();
  Integers shape(wanted.data_ptr<std::int64_t>(), wanted.data_ptr<std::int64_t>() + wanted.numel());
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == 0) shape[i] = inputs[0].size(std::int64_t(i));
  return inputs[0].reshape(shape);
}

/// A scale or zero point, shaped to act along the node's axis.
at::Tensor along_axis(const onnx::Node& node, const at::Tensor& parameter, std::int64_t rank) {
  if (parameter.numel() == 1) return parameter.reshape({});
  const std::int64_t axis = node.integer("axis", 1);
  Integers shape(std::size_t(rank), 1);
  const std::int64_t index = axis < 0 ? axis + rank : axis;
  if (index < 0 || index >= rank) throw Unsupported{"its axis lies outside of the tensor"};
  shape[std::size_t(index)] = parameter.numel();
  return parameter.reshape(shape);
}

at::Tensor quantize_linear(const onnx::Node& node, Inputs& inputs) {
  const at::Tensor scale = along_axis(node, inputs[1], inputs[0].dim());
  // Without a zero point the output is uint8 and the zero point 0 (ONNX operator specification).
  const auto type = is_set(inputs, 2) ? inputs[2].scalar_type() : at::kByte;
  at::Tensor q = at::round(inputs[0] / scale);
  if (is_set(inputs, 2)) q = q + along_axis(node, inputs[2], inputs[0].dim()).to(at::kFloat);
  switch (type) {
    case at::kChar:
      return at::clamp(q, -128, 127).to(type);
    case at::kByte:
      return at::clamp(q, 0, 255).to(type);
    case at::kShort:
      return at::clamp(q, -32768, 32767).to(type);
    default:
      throw Unsupported{"only int8, uint8 and int16 are supported"};
  }
}

at::Tensor dequantize_linear(const onnx::Node& node, Inputs& inputs) {
  at::Tensor q = inputs[0].to(at::kInt);
  if (is_set(inputs, 2)) q = q - along_axis(node, inputs[2], q.dim()).to(at::kInt);
  return q.to(at::kFloat) * along_axis(node, inputs[1], q.dim());
}

using Operator = at::Tensor (*)(const onnx::Node& node, Inputs& inputs);

/// Those of computed_operators(), which says how many inputs they need.
const std::map<std::string, Operator>& operators() {
  static const std::map<std::string, Operator> functions = {
      {"Conv", conv},
      {"Gemm", gemm},
      {"Add", add},
      {"Relu", relu},
      {"Clip", clip},
      {"MaxPool", max_pool},
      {"AveragePool", average_pool},
      {"GlobalAveragePool", global_average_pool},
      {"Flatten", flatten},
      {"Reshape", reshape},
      {"QuantizeLinear", quantize_linear},
      {"DequantizeLinear", dequantize_linear},
      {"com.microsoft.QuantizeLinear", quantize_linear},
      {"com.microsoft.DequantizeLinear", dequantize_linear},
      {"BatchNormalization", batch_normalization},
      {"Cast", cast},
      {"Concat", concat},
      {"Dropout", identity},
      {"HardSigmoid", hard_sigmoid},
      {"Identity", identity},
      {"Mul", mul},
      {"ReduceMean", reduce_mean},
      {"Sigmoid", sigmoid},
      {"Softmax", softmax},
  };
  return functions;
}

}  // namespace

at::Tensor constant_tensor(const onnx::Tensor& constant) {
  static const std::map<onnx::ElementType, at::ScalarType> types = {
      {onnx::ElementType::float32, at::kFloat}, {onnx::ElementType::float16, at::kHalf},
      {onnx::ElementType::int8, at::kChar},     {onnx::ElementType::uint8, at::kByte},
      {onnx::ElementType::int16, at::kShort},   {onnx::ElementType::int32, at::kInt},
      {onnx::ElementType::int64, at::kLong},
  };
  auto* data = const_cast<std::byte*>(constant.data.data());
  return at::from_blob(data, constant.shape, at::TensorOptions(types.at(constant.type))).clone();
}

std::vector<std::string> operator_names() {
  std::vector<std::string> names;
  for (const auto& [name, function] : operators())
    names.push_back(name);
  return names;
}

Result<at::Tensor> apply_operator(const onnx::Node& node, std::vector<at::Tensor> inputs,
                                  const std::string& source) {
  auto failed = [&](const std::string& why) {
    return fail(ErrorKind::bad_input,
                fmt::format("{}: node '{}' ({}): {}", source, node.name, node.op_type, why));
  };
  try {
    return operators().at(operator_name(node))(node, inputs);
  } catch (const Unsupported& refusal) {
    return failed(refusal.why);
  } catch (const c10::Error& error) {
    return failed(error.what_without_backtrace());
  }
}

}  // namespace assay

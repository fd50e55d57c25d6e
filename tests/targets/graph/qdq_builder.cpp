#include "tests/targets/graph/qdq_builder.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace assay::test {

using onnx::ElementType;
using onnx::Tensor;

QdqBuilder::QdqBuilder(unsigned seed, int channels, int height, int width, ElementType activations)
    : random_(seed), type_(activations) {
  model.inputs = {{"image", ElementType::float32, {-1, channels, height, width}}};
  for (int i = 0; i < 4; ++i)
    calibration_.push_back(random_input());
  input_ = quantized("image");
}

std::string QdqBuilder::fresh(const std::string& prefix) {
  return prefix + std::to_string(counter_++);
}

onnx::Node& QdqBuilder::node(const std::string& op, std::vector<std::string> inputs,
                             const std::string& output) {
  return model.nodes.emplace_back(
      onnx::Node{"node_" + output, op, "", std::move(inputs), {output}, {}});
}

std::string QdqBuilder::scalar(const std::string& name, float value) {
  model.initializers[name] =
      Tensor::of(name, ElementType::float32, {}, std::span<const float>(&value, 1));
  return name;
}

std::string QdqBuilder::zero(const std::string& name, int value, ElementType type) {
  if (type == ElementType::uint8) {
    const auto v = static_cast<std::uint8_t>(value);
    model.initializers[name] = Tensor::of(name, type, {}, std::span(&v, 1));
  } else if (type == ElementType::int16) {
    const auto v = static_cast<std::int16_t>(value);
    model.initializers[name] = Tensor::of(name, type, {}, std::span(&v, 1));
  } else {
    const auto v = static_cast<std::int8_t>(value);
    model.initializers[name] = Tensor::of(name, type, {}, std::span(&v, 1));
  }
  return name;
}

Real QdqBuilder::random_input() {
  const auto& shape = model.inputs.front().shape;
  std::uniform_real_distribution<double> pixel(-1, 2);
  Real real{{1, shape[1], shape[2], shape[3]}, {}};
  for (std::int64_t i = 0; i < shape[1] * shape[2] * shape[3]; ++i)
    real.values.push_back(static_cast<float>(pixel(random_)));
  return real;
}

std::vector<std::int64_t> QdqBuilder::shape_of(const std::string& x) const {
  return simulate(model, calibration_.front()).at(x).shape;
}

std::string QdqBuilder::quantized(const std::string& x) {
  double low = 0, high = 0;
  for (const Real& input : calibration_) {
    const Real value = simulate(model, input).at(x);
    low = std::min(low, *std::min_element(value.values.begin(), value.values.end()));
    high = std::max(high, *std::max_element(value.values.begin(), value.values.end()));
  }
  const bool wide = type_ == ElementType::int16;
  const double span = std::max(wide ? std::max(high, -low) : high - low, 1e-6);
  const auto step = static_cast<float>(span / (wide ? 32767 : 255));
  const int base = type_ == ElementType::uint8 ? 0 : -128;
  const int zero_point = wide ? 0 : base + static_cast<int>(std::nearbyint(-low / step));
  append_pair(x, scalar(x + "_scale", step), zero(x + "_zero", zero_point, type_));
  return x + "_dq";
}

/// Opset 17 has no int16 in the operators of its own domain.
void QdqBuilder::append_pair(const std::string& x, const std::string& scale,
                             const std::string& zero_point) {
  const std::string domain = type_ == ElementType::int16 ? "com.microsoft" : "";
  node("QuantizeLinear", {x, scale, zero_point}, x + "_q").domain = domain;
  node("DequantizeLinear", {x + "_q", scale, zero_point}, x + "_dq").domain = domain;
}

std::string QdqBuilder::activated(const std::string& x, const std::string& act) {
  if (act.empty()) return x;
  std::vector<std::string> inputs = {x};
  if (act == "Clip") inputs.insert(inputs.end(), {scalar(x + "_min", 0), scalar(x + "_max", 6)});
  node(act, inputs, x + "_act");
  return x + "_act";
}

std::string QdqBuilder::weights(const std::string& name, std::vector<std::int64_t> shape, int axis,
                                double spread) {
  std::int64_t size = 1;
  for (auto d : shape)
    size *= d;
  std::normal_distribution<double> value(0, 45);
  std::vector<std::int8_t> values;
  for (std::int64_t i = 0; i < size; ++i)
    values.push_back(static_cast<std::int8_t>(std::clamp(value(random_), -127.0, 127.0)));
  std::uniform_real_distribution<double> exponent(-std::log(spread), 0);
  std::vector<float> scales;
  for (std::int64_t c = 0; c < shape[axis]; ++c)
    scales.push_back(static_cast<float>(std::exp(exponent(random_)) / 127));
  const std::vector<std::int8_t> zeros(scales.size(), 0);
  const auto channels = static_cast<std::int64_t>(scales.size());
  model.initializers[name + "_q"] =
      Tensor::of(name + "_q", ElementType::int8, shape, std::span<const std::int8_t>(values));
  model.initializers[name + "_scale"] =
      Tensor::of(name + "_scale", ElementType::float32, {channels}, std::span<const float>(scales));
  model.initializers[name + "_zero"] = Tensor::of(name + "_zero", ElementType::int8, {channels},
                                                  std::span<const std::int8_t>(zeros));
  node("DequantizeLinear", {name + "_q", name + "_scale", name + "_zero"}, name)
      .attributes["axis"] = std::int64_t(axis);
  return name;
}

std::string QdqBuilder::bias(const std::string& name, int count) {
  std::normal_distribution<double> value(0, 0.3);
  std::vector<float> values;
  for (int i = 0; i < count; ++i)
    values.push_back(static_cast<float>(value(random_)));
  model.initializers[name] =
      Tensor::of(name, ElementType::float32, {count}, std::span<const float>(values));
  return name;
}

std::string QdqBuilder::conv(const std::string& x, const ConvOptions& options,
                             const std::string& act) {
  const std::string name = fresh("conv");
  const std::int64_t channels = shape_of(x)[1];
  const std::int64_t outputs = options.depthwise ? channels : options.outputs;
  const std::int64_t groups = options.depthwise ? channels : options.groups;
  const std::string w = weights(
      name + "_w", {outputs, channels / groups, options.kernel_height, options.kernel_width}, 0,
      options.scale_spread);
  onnx::Node& conv = node("Conv", {x, w, bias(name + "_b", static_cast<int>(outputs))}, name);
  conv.attributes["strides"] = std::vector<std::int64_t>{options.stride, options.stride};
  conv.attributes["pads"] = options.pads;
  conv.attributes["group"] = groups;
  return quantized(activated(name, act));
}

std::string QdqBuilder::dense(const std::string& x, int outputs, bool as_matmul,
                              const std::string& act) {
  const std::string name = fresh("dense");
  const std::int64_t inputs = shape_of(x)[1];
  if (as_matmul) {
    const std::string w = weights(name + "_w", {inputs, outputs}, 1, 4);
    node("MatMul", {x, w}, name + "_product");
    node("Add", {name + "_product", bias(name + "_b", outputs)}, name);
  } else {
    const std::string w = weights(name + "_w", {outputs, inputs}, 0, 4);
    node("Gemm", {x, w, bias(name + "_b", outputs)}, name).attributes["transB"] = std::int64_t(1);
  }
  return quantized(activated(name, act));
}

std::string QdqBuilder::max_pool(const std::string& x, int size, int stride,
                                 std::vector<std::int64_t> pads) {
  const std::string name = fresh("pool");
  onnx::Node& pool = node("MaxPool", {x}, name);
  pool.attributes["kernel_shape"] = std::vector<std::int64_t>{size, size};
  pool.attributes["strides"] = std::vector<std::int64_t>{stride, stride};
  pool.attributes["pads"] = std::move(pads);
  // A maximum keeps its input's scale, as exporters write it.
  const std::string base = x.substr(0, x.size() - std::string("_dq").size());
  append_pair(name, base + "_scale", base + "_zero");
  model.initializers[name + "_scale"] = model.initializers.at(base + "_scale");
  model.initializers[name + "_zero"] = model.initializers.at(base + "_zero");
  return name + "_dq";
}

std::string QdqBuilder::average_pool(const std::string& x, int size, int stride) {
  const std::string name = fresh("mean");
  onnx::Node& pool = node("AveragePool", {x}, name);
  pool.attributes["kernel_shape"] = std::vector<std::int64_t>{size, size};
  pool.attributes["strides"] = std::vector<std::int64_t>{stride, stride};
  return quantized(name);
}

std::string QdqBuilder::global_average_pool(const std::string& x) {
  const std::string name = fresh("global");
  node("GlobalAveragePool", {x}, name);
  return quantized(name);
}

std::string QdqBuilder::add(const std::string& a, const std::string& b, const std::string& act) {
  const std::string name = fresh("sum");
  node("Add", {a, b}, name);
  return quantized(activated(name, act));
}

std::string QdqBuilder::multiply(const std::string& a, const std::string& b) {
  const std::string name = fresh("product");
  node("Mul", {a, b}, name);
  return quantized(name);
}

std::string QdqBuilder::concat(const std::vector<std::string>& inputs, const std::string& act) {
  const std::string name = fresh("joined");
  node("Concat", inputs, name).attributes["axis"] = std::int64_t{1};
  return quantized(activated(name, act));
}

std::string QdqBuilder::function(const std::string& op, const std::string& x) {
  const std::string name = fresh("value");
  node(op, {x}, name);
  return quantized(name);
}

std::string QdqBuilder::flatten(const std::string& x) {
  const std::string name = fresh("flat");
  node("Flatten", {x}, name + "_dq");
  return name + "_dq";
}

onnx::Model QdqBuilder::finish(const std::string& x) {
  const auto shape = shape_of(x);
  node("Identity", {x}, "logits");
  model.outputs = {{"logits", ElementType::float32, shape}};
  return model;
}

onnx::Model small_classifier() {
  QdqBuilder b(9, 1, 8, 8);
  const auto image = b.conv(b.input(), {.outputs = 4, .pads = {0, 0, 0, 0}}, "Relu");
  return b.finish(b.dense(b.flatten(b.max_pool(image, 2, 2)), 3));
}

onnx::Node& last_node(onnx::Model& model, const std::string& op) {
  for (auto node = model.nodes.rbegin(); node != model.nodes.rend(); ++node)
    if (node->op_type == op) return *node;
  throw std::runtime_error("no " + op);
}

}  // namespace assay::test

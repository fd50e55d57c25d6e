#include "tests/targets/graph/qdq_simulation.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>

#include "compress/onnx/float16.hpp"
#include "harness/core/element.hpp"

namespace assay::test {
namespace {

using onnx::ElementType;
using onnx::Node;

std::int64_t count(const std::vector<std::int64_t>& shape) {
  std::int64_t product = 1;
  for (auto d : shape)
    product *= d;
  return product;
}

Real to_real(const onnx::Tensor& tensor) {
  Real real{tensor.shape, {}};
  const auto copy = [&](auto elements) { real.values.assign(elements.begin(), elements.end()); };
  switch (tensor.type) {
    case ElementType::float32:
      copy(tensor.as<float>());
      break;
    case ElementType::int8:
      copy(tensor.as<std::int8_t>());
      break;
    case ElementType::uint8:
      copy(tensor.as<std::uint8_t>());
      break;
    case ElementType::int16:
      copy(tensor.as<std::int16_t>());
      break;
    case ElementType::int32:
      copy(tensor.as<std::int32_t>());
      break;
    case ElementType::float16:
      for (const std::uint16_t bits : tensor.as<std::uint16_t>())
        real.values.push_back(double(onnx::from_float16(bits)));
      break;
    case ElementType::int64:
      copy(tensor.as<std::int64_t>());
      break;
    default:
      throw std::runtime_error("simulation: element type");
  }
  return real;
}

class Simulation {
 public:
  explicit Simulation(const onnx::Model& model) : model_(model) {
    for (const auto& [name, tensor] : model.initializers)
      values_[name] = to_real(tensor);
  }
  RealMap run(const Real& input) {
    values_[model_.inputs.front().name] = input;
    for (const Node& node : model_.nodes)
      values_[node.outputs.front()] = apply(node);
    return values_;
  }

 private:
  const Real& in(const Node& node, std::size_t i) const { return values_.at(node.inputs.at(i)); }
  bool has(const Node& node, std::size_t i) const {
    return i < node.inputs.size() && !node.inputs[i].empty();
  }

  Real apply(const Node& node) {
    if (node.op_type == "QuantizeLinear") return quantize(node);
    if (node.op_type == "DequantizeLinear") return dequantize(node);
    if (node.op_type == "Conv") return convolve(node);
    if (node.op_type == "Gemm" || node.op_type == "MatMul") return multiply(node);
    if (node.op_type == "MaxPool") return pool(node, true);
    if (node.op_type == "AveragePool" || node.op_type == "GlobalAveragePool")
      return pool(node, false);
    if (node.op_type == "Add") return add(node);
    if (node.op_type == "Mul") return scale(node);
    if (node.op_type == "Concat") return concat(node);
    if (node.op_type == "Sigmoid")
      return map(in(node, 0), [](double x) { return 1 / (1 + std::exp(-x)); });
    if (node.op_type == "HardSwish")
      return map(in(node, 0), [](double x) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; });
    if (node.op_type == "Relu") return map(in(node, 0), [](double x) { return std::max(x, 0.0); });
    if (node.op_type == "Clip") return clip(node);
    if (node.op_type == "Flatten" || node.op_type == "Reshape") {
      const Real& x = in(node, 0);
      return {{1, count(x.shape)}, x.values};
    }
    if (node.op_type == "Softmax" || node.op_type == "Identity" || node.op_type == "Cast")
      return in(node, 0);
    throw std::runtime_error("simulation: operator " + node.op_type);
  }

  static Real map(Real x, const std::function<double(double)>& f) {
    for (double& v : x.values)
      v = f(v);
    return x;
  }

  std::size_t scale_index(const Node& node, const Real& x, std::size_t i) const {
    if (in(node, 1).values.size() == 1) return 0;
    std::size_t stride = 1;
    for (auto d = static_cast<std::size_t>(node.integer("axis", 1)) + 1; d < x.shape.size(); ++d)
      stride *= x.shape[d];
    return i / stride % in(node, 1).values.size();
  }

  Real quantize(const Node& node) const {
    Real x = in(node, 0);
    const onnx::Tensor* zero = has(node, 2) ? model_.initializer(node.inputs[2]) : nullptr;
    const ElementType type = zero ? zero->type : ElementType::uint8;
    const double low = type == ElementType::int16 ? -32768 : type == ElementType::int8 ? -128 : 0;
    const double high = type == ElementType::int16 ? 32767 : low + 255;
    for (std::size_t i = 0; i < x.values.size(); ++i) {
      const std::size_t s = scale_index(node, x, i);
      const double z = zero ? in(node, 2).values[s] : 0;
      x.values[i] = std::clamp(std::nearbyint(x.values[i] / in(node, 1).values[s]) + z, low, high);
    }
    return x;
  }

  Real dequantize(const Node& node) const {
    Real x = in(node, 0);
    for (std::size_t i = 0; i < x.values.size(); ++i) {
      const std::size_t s = scale_index(node, x, i);
      const double z = has(node, 2) ? in(node, 2).values[s] : 0;
      x.values[i] = (x.values[i] - z) * in(node, 1).values[s];
    }
    return x;
  }

  Real convolve(const Node& node) const {
    const Real &x = in(node, 0), &w = in(node, 1);
    const auto strides = node.integers("strides", {1, 1});
    const auto pads = node.integers("pads", {0, 0, 0, 0});
    const std::int64_t group = node.integer("group", 1);
    const std::int64_t h = x.shape[2], wd = x.shape[3], kh = w.shape[2], kw = w.shape[3];
    const std::int64_t oh = (h + pads[0] + pads[2] - kh) / strides[0] + 1;
    const std::int64_t ow = (wd + pads[1] + pads[3] - kw) / strides[1] + 1;
    Real y{{1, w.shape[0], oh, ow}, {}};
    for (std::int64_t o = 0; o < w.shape[0]; ++o)
      for (std::int64_t r = 0; r < oh; ++r)
        for (std::int64_t c = 0; c < ow; ++c) {
          double sum = has(node, 2) ? in(node, 2).values[o] : 0;
          for (std::int64_t i = 0; i < w.shape[1]; ++i)
            for (std::int64_t a = 0; a < kh; ++a)
              for (std::int64_t b = 0; b < kw; ++b) {
                const std::int64_t row = r * strides[0] - pads[0] + a;
                const std::int64_t column = c * strides[1] - pads[1] + b;
                if (row < 0 || row >= h || column < 0 || column >= wd) continue;
                const std::int64_t channel = o / (w.shape[0] / group) * w.shape[1] + i;
                sum += w.values[((o * w.shape[1] + i) * kh + a) * kw + b] *
                       x.values[(channel * h + row) * wd + column];
              }
          y.values.push_back(sum);
        }
    return y;
  }

  Real multiply(const Node& node) const {
    const Real &x = in(node, 0), &w = in(node, 1);
    const bool transposed = node.integer("transB", 0) != 0;
    const std::int64_t inputs = w.shape[transposed ? 1 : 0], outputs = w.shape[transposed ? 0 : 1];
    Real y{{1, outputs}, {}};
    for (std::int64_t o = 0; o < outputs; ++o) {
      double sum = has(node, 2) ? in(node, 2).values[o] : 0;
      for (std::int64_t i = 0; i < inputs; ++i)
        sum += x.values[i] * w.values[transposed ? o * inputs + i : i * outputs + o];
      y.values.push_back(sum);
    }
    return y;
  }

  Real pool(const Node& node, bool largest) const {
    const Real& x = in(node, 0);
    const std::int64_t h = x.shape[2], w = x.shape[3];
    const auto kernel = node.integers("kernel_shape", {h, w});
    const auto strides = node.integers("strides", {1, 1});
    const auto pads = node.integers("pads", {0, 0, 0, 0});
    const std::int64_t oh = (h + pads[0] + pads[2] - kernel[0]) / strides[0] + 1;
    const std::int64_t ow = (w + pads[1] + pads[3] - kernel[1]) / strides[1] + 1;
    Real y{{1, x.shape[1], oh, ow}, {}};
    for (std::int64_t c = 0; c < x.shape[1]; ++c)
      for (std::int64_t r = 0; r < oh; ++r)
        for (std::int64_t s = 0; s < ow; ++s) {
          double sum = 0, best = -std::numeric_limits<double>::infinity();
          for (std::int64_t a = 0; a < kernel[0]; ++a)
            for (std::int64_t b = 0; b < kernel[1]; ++b) {
              const std::int64_t row = r * strides[0] - pads[0] + a;
              const std::int64_t column = s * strides[1] - pads[1] + b;
              if (row < 0 || row >= h || column < 0 || column >= w) continue;
              const double value = x.values[(c * h + row) * w + column];
              sum += value;
              best = std::max(best, value);
            }
          y.values.push_back(largest ? best : sum / double(kernel[0] * kernel[1]));
        }
    return y;
  }

  /// Same shapes, or a bias along the last axis.
  Real add(const Node& node) const {
    Real x = in(node, 0);
    const Real& other = in(node, 1);
    for (std::size_t i = 0; i < x.values.size(); ++i)
      x.values[i] += other.values[i % other.values.size()];
    return x;
  }

  /// Same shapes, or a factor for each channel.
  Real scale(const Node& node) const {
    const bool factor_first = in(node, 0).values.size() < in(node, 1).values.size();
    Real x = in(node, factor_first ? 1 : 0);
    const Real& factor = in(node, factor_first ? 0 : 1);
    const std::size_t repeat = x.values.size() / factor.values.size();
    for (std::size_t i = 0; i < x.values.size(); ++i)
      x.values[i] *= factor.values[i / repeat];
    return x;
  }

  /// Along axis 1; with one image, one input after the other.
  Real concat(const Node& node) const {
    Real x = in(node, 0);
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      const Real& next = in(node, i);
      x.shape[1] += next.shape[1];
      x.values.insert(x.values.end(), next.values.begin(), next.values.end());
    }
    return x;
  }

  Real clip(const Node& node) const {
    const double low = has(node, 1) ? in(node, 1).values[0] : -1e30;
    const double high = has(node, 2) ? in(node, 2).values[0] : 1e30;
    return map(in(node, 0), [=](double x) { return std::min(high, std::max(low, x)); });
  }

  const onnx::Model& model_;
  RealMap values_;
};

}  // namespace

RealMap simulate(const onnx::Model& model, const Real& input) {
  return Simulation(model).run(input);
}

namespace {

template <class T>
std::vector<T> integers_in_nhwc(const Real& quantized, int shift) {
  const std::int64_t channels = quantized.shape[1];
  const std::int64_t plane = static_cast<std::int64_t>(quantized.values.size()) / channels;
  std::vector<T> result(quantized.values.size());
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t i = 0; i < plane; ++i)
      result[i * channels + c] = static_cast<T>(quantized.values[c * plane + i] - shift);
  return result;
}

}  // namespace

std::vector<std::int8_t> to_nhwc(const Real& quantized, int shift) {
  return integers_in_nhwc<std::int8_t>(quantized, shift);
}

std::vector<std::int8_t> wide_to_nhwc(const Real& quantized) {
  return bytes_of(std::span<const std::int16_t>(integers_in_nhwc<std::int16_t>(quantized, 0)));
}

}  // namespace assay::test

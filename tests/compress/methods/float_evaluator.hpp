// A float model computed in double by loops over indices: slow, short, and independent of the code
// under test. Exact on small integers.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "compress/onnx/model.hpp"

namespace assay::test {

/// One image or vector: [channels][height][width]; a vector has height and width 1.
struct Values {
  int channels = 0;
  int height = 1;
  int width = 1;
  std::vector<double> data;

  Values(std::int64_t c, std::int64_t h, std::int64_t w)
      : channels(int(c)), height(int(h)), width(int(w)), data(std::size_t(c * h * w), 0) {}
  double& at(int c, int y, int x) { return data[std::size_t((c * height + y) * width + x)]; }
  double at(int c, int y, int x) const { return data[std::size_t((c * height + y) * width + x)]; }
  bool contains(int y, int x) const { return y >= 0 && x >= 0 && y < height && x < width; }
};

class FloatEvaluator {
 public:
  explicit FloatEvaluator(const onnx::Model& model) : model_(model) {}

  std::vector<double> run(const Values& input) {
    values_.clear();
    values_.insert_or_assign(model_.inputs[0].name, input);
    for (const onnx::Node& node : model_.nodes)
      values_.insert_or_assign(node.outputs[0], compute(node));
    return values_.at(model_.outputs[0].name).data;
  }

 private:
  std::span<const float> constant(const onnx::Node& node, std::size_t input) const {
    return model_.initializers.at(node.inputs[input]).as<float>();
  }

  Values compute(const onnx::Node& node) const {
    const Values& x = values_.at(node.inputs[0]);
    if (node.op_type == "Conv") return convolution(node, x);
    if (node.op_type == "MaxPool") return pool(node, x, true);
    if (node.op_type == "AveragePool") return pool(node, x, false);
    if (node.op_type == "GlobalAveragePool") return global_pool(x);
    if (node.op_type == "Gemm") return dense(node, x);
    Values y = x;
    if (node.op_type == "Flatten") {
      y = Values(x.channels * x.height * x.width, 1, 1);
      y.data = x.data;
    } else if (node.op_type == "BatchNormalization") {
      normalize(node, y);
    } else if (node.op_type == "Add") {
      for (std::size_t i = 0; i < y.data.size(); ++i)
        y.data[i] += values_.at(node.inputs[1]).data[i];
    } else {
      for (double& value : y.data)
        value = element(node, value);
    }
    return y;
  }

  double element(const onnx::Node& node, double value) const {
    if (node.op_type == "Relu") return std::max(value, 0.0);
    if (node.op_type == "Sigmoid") return 1 / (1 + std::exp(-value));
    if (node.op_type == "Clip")
      return std::min(std::max(value, double(constant(node, 1)[0])), double(constant(node, 2)[0]));
    ADD_FAILURE() << "the evaluator has no " << node.op_type;
    return value;
  }

  Values convolution(const onnx::Node& node, const Values& x) const {
    const auto& shape = model_.initializers.at(node.inputs[1]).shape;
    const auto weights = constant(node, 1);
    const int filters = int(shape[0]), in = int(shape[1]), kernel = int(shape[2]);
    const int pad = int(node.integers("pads", {0, 0, 0, 0})[0]);
    const int group_filters = filters / int(node.integer("group", 1));
    EXPECT_EQ(x.channels, in * int(node.integer("group", 1))) << node.name;
    Values y(filters, x.height + 2 * pad - kernel + 1, x.width + 2 * pad - kernel + 1);
    for (int o = 0; o < filters; ++o)
      for (int v = 0; v < y.height; ++v)
        for (int u = 0; u < y.width; ++u) {
          double sum = node.inputs.size() > 2 ? constant(node, 2)[std::size_t(o)] : 0;
          for (int i = 0; i < in; ++i)
            for (int dy = 0; dy < kernel; ++dy)
              for (int dx = 0; dx < kernel; ++dx)
                if (x.contains(v + dy - pad, u + dx - pad))
                  sum += weights[std::size_t(((o * in + i) * kernel + dy) * kernel + dx)] *
                         x.at(o / group_filters * in + i, v + dy - pad, u + dx - pad);
          y.at(o, v, u) = sum;
        }
    return y;
  }

  /// Windows of 2x2 without overlap.
  static Values pool(const onnx::Node&, const Values& x, bool largest) {
    Values y(x.channels, x.height / 2, x.width / 2);
    for (int c = 0; c < y.channels; ++c)
      for (int v = 0; v < y.height; ++v)
        for (int u = 0; u < y.width; ++u) {
          const double a = x.at(c, 2 * v, 2 * u), b = x.at(c, 2 * v, 2 * u + 1);
          const double d = x.at(c, 2 * v + 1, 2 * u), e = x.at(c, 2 * v + 1, 2 * u + 1);
          y.at(c, v, u) = largest ? std::max({a, b, d, e}) : (a + b + d + e) / 4;
        }
    return y;
  }

  static Values global_pool(const Values& x) {
    Values y(x.channels, 1, 1);
    for (int c = 0; c < x.channels; ++c)
      for (int i = 0; i < x.height * x.width; ++i)
        y.at(c, 0, 0) += x.at(c, i / x.width, i % x.width) / (x.height * x.width);
    return y;
  }

  Values dense(const onnx::Node& node, const Values& x) const {
    const auto& shape = model_.initializers.at(node.inputs[1]).shape;
    EXPECT_EQ(std::size_t(shape[1]), x.data.size()) << node.name;
    Values y(shape[0], 1, 1);
    for (std::size_t o = 0; o < y.data.size(); ++o) {
      y.data[o] = node.inputs.size() > 2 ? constant(node, 2)[o] : 0;
      for (std::size_t i = 0; i < x.data.size(); ++i)
        y.data[o] += constant(node, 1)[o * x.data.size() + i] * x.data[i];
    }
    return y;
  }

  void normalize(const onnx::Node& node, Values& y) const {
    EXPECT_EQ(std::size_t(y.channels), constant(node, 1).size()) << node.name;
    for (int c = 0; c < y.channels; ++c)
      for (int i = 0; i < y.height * y.width; ++i) {
        const auto entry = [&](std::size_t input) {
          return double(constant(node, input)[std::size_t(c)]);
        };
        double& value = y.at(c, i / y.width, i % y.width);
        value = entry(1) * (value - entry(3)) / std::sqrt(entry(4) + node.real("epsilon", 1e-5F)) +
                entry(2);
      }
  }

  const onnx::Model& model_;
  std::map<std::string, Values> values_;
};

}  // namespace assay::test

// Builds QDQ models for tests, layer by layer; every output scale is calibrated on random inputs
// with the simulation, so that the networks use their number range as trained ones do.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "compress/onnx/model.hpp"
#include "tests/targets/graph/qdq_simulation.hpp"

namespace assay::test {

struct ConvOptions {
  int outputs = 8;
  int kernel_height = 3;
  int kernel_width = 3;
  int stride = 1;
  std::vector<std::int64_t> pads = {1, 1, 1, 1};
  bool depthwise = false;
  int groups = 1;           ///< of a convolution that is not depthwise
  double scale_spread = 4;  ///< ratio between the largest and smallest channel's weights
};

class QdqBuilder {
 public:
  QdqBuilder(unsigned seed, int channels, int height, int width,
             onnx::ElementType activations = onnx::ElementType::int8);

  /// Each takes and returns the name of a dequantized activation.
  std::string input() const { return input_; }
  std::string conv(const std::string& x, const ConvOptions& options, const std::string& act = "");
  std::string dense(const std::string& x, int outputs, bool as_matmul = false,
                    const std::string& act = "");
  std::string max_pool(const std::string& x, int size, int stride,
                       std::vector<std::int64_t> pads = {0, 0, 0, 0});
  std::string average_pool(const std::string& x, int size, int stride);
  std::string global_average_pool(const std::string& x);
  std::string add(const std::string& a, const std::string& b, const std::string& act = "");
  /// `b` of the shape of `a`, or [1, channels, 1, 1].
  std::string multiply(const std::string& a, const std::string& b);
  std::string concat(const std::vector<std::string>& inputs, const std::string& act = "");
  /// Sigmoid, HardSwish.
  std::string function(const std::string& op, const std::string& x);
  std::string flatten(const std::string& x);

  /// The finished model whose output is `x`.
  onnx::Model finish(const std::string& x);
  /// A random input of the model's shape.
  Real random_input();

  // For models built by hand.
  onnx::Model model;
  onnx::Node& node(const std::string& op, std::vector<std::string> inputs,
                   const std::string& output);
  std::string quantized(const std::string& x);
  std::string scalar(const std::string& name, float value);
  std::string zero(const std::string& name, int value, onnx::ElementType type);
  std::vector<std::int64_t> shape_of(const std::string& x) const;

 private:
  std::string activated(const std::string& x, const std::string& act);
  std::string weights(const std::string& name, std::vector<std::int64_t> shape, int axis,
                      double spread);
  std::string bias(const std::string& name, int count);
  std::string fresh(const std::string& prefix);
  void append_pair(const std::string& x, const std::string& scale, const std::string& zero_point);

  std::mt19937 random_;
  std::vector<Real> calibration_;
  std::string input_;
  onnx::ElementType type_;
  int counter_ = 0;
};

/// A convolution with a ReLU, a pool and a dense layer of three outputs.
onnx::Model small_classifier();

/// The last node of an operator; throws without one.
onnx::Node& last_node(onnx::Model& model, const std::string& op);

}  // namespace assay::test

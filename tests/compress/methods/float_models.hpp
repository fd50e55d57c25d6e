// Small float ONNX models for tests.
#pragma once

#include <string>
#include <vector>

#include "compress/onnx/model.hpp"

namespace assay::testing_models {

using Integers = std::vector<std::int64_t>;

/// A float model from "x" [N, channels, height, width] to "y"; nodes are added in order.
class ModelBuilder {
 public:
  ModelBuilder(std::int64_t channels, std::int64_t height, std::int64_t width) {
    model_.graph_name = "test";
    model_.inputs = {{"x", onnx::ElementType::float32, {-1, channels, height, width}}};
    model_.outputs = {{"y", onnx::ElementType::float32, {-1, -1}}};
  }
  ModelBuilder& constant(const std::string& name, Integers shape, std::vector<float> values) {
    model_.initializers[name] =
        onnx::Tensor::of<float>(name, onnx::ElementType::float32, std::move(shape), values);
    return *this;
  }
  template <class T>
  ModelBuilder& constant(const std::string& name, onnx::ElementType type, Integers shape,
                         std::vector<T> values) {
    model_.initializers[name] = onnx::Tensor::of<T>(name, type, std::move(shape), values);
    return *this;
  }
  /// The node is called after its output. `domain` "" is ai.onnx.
  ModelBuilder& node(const std::string& op_type, std::vector<std::string> inputs,
                     const std::string& output,
                     std::map<std::string, onnx::Attribute> attributes = {},
                     const std::string& domain = "") {
    model_.nodes.push_back(
        {output, op_type, domain, std::move(inputs), {output}, std::move(attributes)});
    return *this;
  }
  onnx::Model build() const { return model_; }

 private:
  onnx::Model model_;
};

/// x [N,1,4,4] -> conv (1 -> 2, 3x3, padding 1) -> ReLU -> max pool 2x2 -> flatten -> dense 8 -> 2.
inline onnx::Model conv_pool_dense() {
  std::vector<float> kernel;
  for (int i = 0; i < 18; ++i)
    kernel.push_back(0.1F * float(i - 8));
  std::vector<float> dense;
  for (int i = 0; i < 16; ++i)
    dense.push_back(0.05F * float(7 - i));
  return ModelBuilder(1, 4, 4)
      .constant("w", {2, 1, 3, 3}, kernel)
      .constant("b", {2}, {0.5F, -0.25F})
      .constant("v", {2, 8}, dense)
      .constant("c", {2}, {0.0F, 1.0F})
      .node("Conv", {"x", "w", "b"}, "conv",
            {{"kernel_shape", Integers{3, 3}}, {"pads", Integers{1, 1, 1, 1}}})
      .node("Relu", {"conv"}, "relu")
      .node("MaxPool", {"relu"}, "pool",
            {{"kernel_shape", Integers{2, 2}}, {"strides", Integers{2, 2}}})
      .node("Flatten", {"pool"}, "flat")
      .node("Gemm", {"flat", "v", "c"}, "y", {{"transB", std::int64_t{1}}})
      .build();
}

/// x [N,1,4,4] -> conv (1 -> 2) -> ReLU, squeezed and excited (pool, 1x1 conv, sigmoid, product),
/// joined with itself -> flatten -> dense 64 -> 3.
inline onnx::Model squeeze_and_excite() {
  std::vector<float> kernel;
  for (int i = 0; i < 18; ++i)
    kernel.push_back(0.05F * float((7 * i) % 18 - 8));
  std::vector<float> dense;
  for (int i = 0; i < 192; ++i)
    dense.push_back(0.01F * float((53 * i) % 192 - 95));
  return ModelBuilder(1, 4, 4)
      .constant("w", {2, 1, 3, 3}, kernel)
      .constant("b", {2}, {0.5F, -0.25F})
      .constant("e", {2, 2, 1, 1}, {1.5F, -0.5F, 0.75F, -2})
      .constant("v", {3, 64}, dense)
      .constant("c", {3}, {0.0F, 1.0F, -1.0F})
      .node("Conv", {"x", "w", "b"}, "conv",
            {{"kernel_shape", Integers{3, 3}}, {"pads", Integers{1, 1, 1, 1}}})
      .node("Relu", {"conv"}, "relu")
      .node("GlobalAveragePool", {"relu"}, "squeezed")
      .node("Conv", {"squeezed", "e"}, "excited")
      .node("Sigmoid", {"excited"}, "gate")
      .node("Mul", {"relu", "gate"}, "scaled")
      .node("Concat", {"scaled", "relu"}, "joined", {{"axis", std::int64_t{1}}})
      .node("Flatten", {"joined"}, "flat")
      .node("Gemm", {"flat", "v", "c"}, "y", {{"transB", std::int64_t{1}}})
      .build();
}

}  // namespace assay::testing_models

// Float models that training has to read: every operator, and weights given as integers.
#pragma once

#include "tests/compress/methods/float_models.hpp"

namespace assay::testing_models {

/// The same numbers at every run, in [-1, 1).
inline std::vector<float> numbers(std::size_t count, unsigned start = 1) {
  std::vector<float> values;
  for (unsigned i = 0; i < count; ++i)
    values.push_back(float((start + i) * 2654435761U % 2048U) / 1024 - 1);
  return values;
}

inline onnx::Attribute whole(std::int64_t value) {
  return value;
}

inline ModelBuilder& add_norm(ModelBuilder& builder, const std::string& input,
                              const std::string& name, std::int64_t channels) {
  const auto count = std::size_t(channels);
  return builder.constant(name + ".gamma", {channels}, std::vector<float>(count, 1.5F))
      .constant(name + ".beta", {channels}, numbers(count))
      .constant(name + ".mean", {channels}, std::vector<float>(count, 0.0F))
      .constant(name + ".variance", {channels}, std::vector<float>(count, 1.0F))
      .node("BatchNormalization",
            {input, name + ".gamma", name + ".beta", name + ".mean", name + ".variance"}, name,
            {{"epsilon", 1e-3F}});
}

/// Every operator that the interpreter knows. The pair of quantizations stands at the input, where
/// nothing can be rounded differently before it.
inline onnx::Model every_operator() {
  ModelBuilder builder(2, 12, 12);
  builder.constant("step", {}, {1.0F / 64})
      .constant<std::int8_t>("zero", onnx::ElementType::int8, {}, {3})
      .node("QuantizeLinear", {"x", "step", "zero"}, "quantized")
      .node("DequantizeLinear", {"quantized", "step", "zero"}, "input")
      .constant("conv.weight", {6, 2, 3, 3}, numbers(108))
      .node("Conv", {"input", "conv.weight"}, "conv", {{"pads", Integers{1, 1, 1, 1}}});
  add_norm(builder, "conv", "conv.norm", 6)
      .node("Relu", {"conv.norm"}, "relu")
      .constant("dw.weight", {6, 1, 3, 3}, numbers(54, 7))
      .constant("dw.bias", {6}, numbers(6, 8))
      .node("Conv", {"relu", "dw.weight", "dw.bias"}, "dw",
            {{"pads", Integers{1, 1, 1, 1}}, {"group", whole(6)}})
      .constant("low", {}, {-1})
      .constant("high", {}, {2})
      .node("Clip", {"dw", "low", "high"}, "clip")
      .node("Add", {"clip", "relu"}, "add");
  add_norm(builder, "add", "alone", 6)
      .node("MaxPool", {"alone"}, "max",
            {{"kernel_shape", Integers{2, 2}}, {"strides", Integers{2, 2}}})
      .node("AveragePool", {"max"}, "mean",
            {{"kernel_shape", Integers{3, 3}}, {"pads", Integers{1, 1, 1, 1}}})
      .node("GlobalAveragePool", {"mean"}, "global")
      .node("Flatten", {"global"}, "flat")
      .constant("fc.weight", {4, 6}, numbers(24, 9))
      .node("Gemm", {"flat", "fc.weight"}, "fc", {{"transB", whole(1)}});
  return add_norm(builder, "fc", "fc.norm", 4)
      .constant<std::int64_t>("shape", onnx::ElementType::int64, {4}, {0, 2, 2, 1})
      .node("Reshape", {"fc.norm", "shape"}, "reshaped")
      .node("Flatten", {"reshaped"}, "flat.again")
      .constant("head.weight", {3, 4}, numbers(12, 10))
      .constant("head.bias", {3}, numbers(3, 11))
      .node("Gemm", {"flat.again", "head.weight", "head.bias"}, "y", {{"transB", whole(1)}})
      .build();
}

/// conv_pool_dense, the dense weights as integers.
inline onnx::Model with_integers(std::int8_t zero_point = 0) {
  onnx::Model model = conv_pool_dense();
  ModelBuilder builder(1, 4, 4);
  std::vector<std::int8_t> values;
  for (int i = 0; i < 16; ++i)
    values.push_back(std::int8_t(9 * i - 60));
  builder.constant<std::int8_t>("q", onnx::ElementType::int8, {2, 8}, values)
      .constant("s", {2}, {0.25F, 0.5F})
      .constant<std::int8_t>("z", onnx::ElementType::int8, {2}, {zero_point, 0})
      .node("DequantizeLinear", {"q", "s", "z"}, "v", {{"axis", whole(0)}});
  const onnx::Model part = builder.build();
  model.initializers.erase("v");
  model.initializers.insert(part.initializers.begin(), part.initializers.end());
  model.nodes.insert(model.nodes.begin(), part.nodes[0]);
  return model;
}

/// Adds a 3x3 convolution called `name` from `in` to `out` channels, its norm and a Relu, whose
/// output is "<name>.relu".
inline ModelBuilder& add_block(ModelBuilder& builder, const std::string& input,
                               const std::string& name, std::int64_t in, std::int64_t out,
                               std::int64_t group = 1) {
  const std::int64_t count = out * in / group * 9;
  builder.constant(name + ".weight", {out, in / group, 3, 3}, numbers(std::size_t(count)))
      .node("Conv", {input, name + ".weight"}, name,
            {{"pads", Integers{1, 1, 1, 1}}, {"group", whole(group)}});
  return add_norm(builder, name, name + ".norm", out)
      .node("Relu", {name + ".norm"}, name + ".relu");
}

inline onnx::Model with_head(ModelBuilder& builder, const std::string& input, std::int64_t in) {
  return builder.node("Flatten", {input}, "flat")
      .constant("head.weight", {2, in}, numbers(std::size_t(2 * in)))
      .node("Gemm", {"flat", "head.weight"}, "y", {{"transB", whole(1)}})
      .build();
}

/// x [N,1,8,8] -> "first" (10 filters) -> "depth" (depthwise) -> "point" (6) -> head, each with
/// norm and Relu.
inline onnx::Model depthwise_block() {
  ModelBuilder builder(1, 8, 8);
  add_block(builder, "x", "first", 1, 10);
  add_block(builder, "first.relu", "depth", 10, 10, 10);
  return with_head(add_block(builder, "depth.relu", "point", 10, 6), "point.relu", 6 * 64);
}

/// Two branches of x [N,1,8,8], "a" with 4 filters and "b" with 3, that "c" and "d" bring together.
/// The nodes of both stand interleaved: both convolutions, then both norms.
inline onnx::Model parallel_branches() {
  ModelBuilder builder(1, 8, 8);
  for (const auto& [name, filters] : {std::pair{"a", 4}, {"b", 3}})
    builder
        .constant(std::string(name) + ".weight", {filters, 1, 3, 3},
                  numbers(std::size_t(filters) * 9))
        .node("Conv", {"x", std::string(name) + ".weight"}, name, {{"pads", Integers{1, 1, 1, 1}}});
  add_norm(builder, "a", "a.norm", 4);
  add_norm(builder, "b", "b.norm", 3);
  add_block(builder, "a.norm", "c", 4, 2);
  add_block(builder, "b.norm", "d", 3, 2).node("Add", {"c.relu", "d.relu"}, "sum");
  return with_head(add_norm(builder, "sum", "sum.norm", 2), "sum.norm", 2 * 64);
}

}  // namespace assay::testing_models

// Small models for quantization, and the ranges of what they compute.
#pragma once

#include "compress/methods/quantize_model.hpp"
#include "tests/compress/methods/float_models.hpp"

namespace assay::testing_models {

/// Of the tensors of float_models.hpp.
inline const Ranges ranges{{"x", {-1, 1}},     {"relu", {0, 5.1F}},   {"excited", {-3, 3}},
                           {"scaled", {0, 2}}, {"joined", {0, 2.5F}}, {"y", {-2, 3}}};

/// The conv of conv_pool_dense with these weights [2, 1, 3, 3].
inline onnx::Model with_kernel(std::vector<float> weights) {
  onnx::Model model = conv_pool_dense();
  model.initializers["w"] =
      onnx::Tensor::of<float>("w", onnx::ElementType::float32, {2, 1, 3, 3}, weights);
  return model;
}

/// Conv weights that are integers already, as clustering writes them.
inline onnx::Model with_integer_kernel() {
  onnx::Model model = conv_pool_dense();
  const std::vector<std::int8_t> integers{5, -9, 0, 5, 127, 0, 5, -9, 5, 5, 5, 0, 0, 5, 5, 5, 5, 5};
  const std::vector<float> scales{0.01F, 0.5F};
  const std::vector<std::int8_t> zeros{0, 0};
  model.initializers.erase("w");
  model.initializers["w.q"] =
      onnx::Tensor::of<std::int8_t>("w.q", onnx::ElementType::int8, {2, 1, 3, 3}, integers);
  model.initializers["w.s"] =
      onnx::Tensor::of<float>("w.s", onnx::ElementType::float32, {2}, scales);
  model.initializers["w.z"] =
      onnx::Tensor::of<std::int8_t>("w.z", onnx::ElementType::int8, {2}, zeros);
  model.nodes.insert(model.nodes.begin(), onnx::Node{"w.dequantize",
                                                     "DequantizeLinear",
                                                     "",
                                                     {"w.q", "w.s", "w.z"},
                                                     {"w"},
                                                     {{"axis", std::int64_t{0}}}});
  return model;
}

}  // namespace assay::testing_models

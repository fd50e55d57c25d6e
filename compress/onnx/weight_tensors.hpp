// The weight tensors of a model: which constants they are and what they hold. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compress/onnx/model.hpp"

namespace assay::onnx {

/// A constant of rank 2 and above that a Conv, Gemm or MatMul takes as weights.
struct WeightTensor {
  const Node* layer = nullptr;
  const Tensor* tensor = nullptr;
  std::int64_t zero = 0;  ///< the integer that stands for 0: its zero point where all share one
};

/// The weights of a model, directly or behind DequantizeLinear or Cast, each tensor once, in the
/// order of the layers. Points into `model`.
std::vector<WeightTensor> weight_tensors(const Model& model);

/// The constant behind input `index` of a node, directly or behind DequantizeLinear or Cast; none:
/// no tensor.
WeightTensor constant_input(const Model& model, const Node& node, std::size_t index);

/// Every element as an integer that is equal for equal values: integers themselves, floating-point
/// numbers as their bits with one zero.
std::vector<std::int64_t> symbols_of(const Tensor& tensor);

/// What a user sees of compression in the weights of one layer.
struct WeightStatistics {
  std::string layer;   ///< node name
  std::string tensor;  ///< initializer name
  ElementType type = ElementType::float32;
  std::int64_t count = 0;     ///< elements
  std::int64_t zeros = 0;     ///< elements that stand for 0
  std::int64_t distinct = 0;  ///< distinct stored values, 0 included
  int bits = 0;  ///< an element when packed: 32, 16, or for int8 2 ([-1, 1]), 4 ([-7, 7]) or 8
  std::uint64_t bytes = 0;  ///< of the smallest form, see packed_weight_bytes
};

std::vector<WeightStatistics> weight_statistics(const Model& model);

}  // namespace assay::onnx

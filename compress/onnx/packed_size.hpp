// The bytes of a model's constants when every weight tensor is packed as its values allow.
// Pure, thread-safe.
#pragma once

#include <cstdint>

#include "compress/onnx/model.hpp"

namespace assay::onnx {

/// Bytes, with the parts apart. Everything but the weights is counted as it is stored.
struct PackedSize {
  std::uint64_t weights = 0;  ///< each tensor padded to whole bytes, its codebook included
  std::uint64_t biases = 0;   ///< third inputs of Conv and Gemm
  std::uint64_t scales = 0;   ///< scales and zero points of every (De)QuantizeLinear
  std::uint64_t others = 0;   ///< every other constant

  std::uint64_t bytes() const { return weights + biases + scales + others; }
  bool operator==(const PackedSize&) const = default;
};

/// A float32 weight takes 4 bytes, a float16 weight 2; int8 weights take 2 bits within [-1, 1],
/// 4 bits within [-7, 7], else 8: what the values need, whatever the tensor was declared to be. Or,
/// where that is smaller, as with clustered weights, indices of 1, 2, 4 or 8 bits and the values
/// they stand for: of the whole tensor, or of each slice of its first dimension (a convolution's
/// output channel). Zeros are not left out. A constant counts once, however often it is used.
PackedSize packed_weight_bytes(const Model& model);

}  // namespace assay::onnx

// The size a model would have after the last two steps of Deep Compression (Han, Mao, Dally, "Deep
// Compression: Compressing Deep Neural Networks with Pruning, Trained Quantization and Huffman
// Coding", ICLR 2016): a figure to compare with papers, of a file that nobody writes. Pure,
// thread-safe.
#pragma once

#include <cstdint>

#include "compress/onnx/model.hpp"

namespace assay::onnx {

/// Bytes of a model's constants when coded; the graph and its shapes are not charged.
struct EntropySize {
  std::uint64_t values = 0;     ///< Huffman codes of the weights, or the weights as they are
  std::uint64_t indices = 0;    ///< Huffman codes of the differences between nonzero positions
  std::uint64_t codebooks = 0;  ///< the distinct values of each weight tensor
  std::uint64_t tables = 0;     ///< canonical code lengths, one byte a symbol
  std::uint64_t others = 0;     ///< biases, scales and every other constant, as they are

  std::uint64_t bytes() const { return values + indices + codebooks + tables + others; }
  EntropySize& operator+=(const EntropySize& other);
  bool operator==(const EntropySize&) const = default;
};

/// Largest difference between two stored positions, which sets where filler zeros are needed: an
/// index difference has 8 bits in a convolution and 5 bits in a dense layer (section 2 and table 4
/// of the paper).
inline constexpr std::uint64_t largest_difference_conv = 1u << 8;
inline constexpr std::uint64_t largest_difference_dense = 1u << 5;

/// The size of one weight tensor, whose zeros are the elements equal to `zero` (its zero point; a
/// negative floating-point zero is a zero too), by whichever is smallest:
/// - sparse: nonzeros and filler zeros, Huffman-coded; the distance of each to the one before
///   (1 ... largest_difference; the first counts from position -1), Huffman-coded apart; a table
///   byte per distance up to the largest that occurs;
/// - dense: all elements Huffman-coded, no positions;
/// - raw: the elements as they are, which many distinct floating-point values come to.
/// Both codes pay a codebook entry as wide as an element and a table byte per distinct value. Each
/// stream of bits fills its last byte.
EntropySize entropy_size(const Tensor& weights, std::uint64_t largest_difference,
                         std::int64_t zero = 0);

/// The size of a model: the tensors of rank 2 and above that a Conv, Gemm or MatMul takes as
/// weights, directly or through DequantizeLinear or Cast, each once and coded as above; every other
/// constant as it is.
EntropySize entropy_size(const Model& model);

}  // namespace assay::onnx

// Product quantization of weights, for iterative quantization and for the noise of its training.
// Pure functions, thread-safe; the same input and seed give the same result.
//
// A [rows][cols] matrix is cut into blocks of consecutive columns, and each block is replaced by
// the nearest of a few codewords (Stock et al., 2020; Fan et al., 2021, section 3). Convolutions
// are matrices to the caller's liking: [out][in * kh * kw] as they lie in memory, with the kernel's
// size as block, gives a block per filter and input channel.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/core/json.hpp"

namespace assay {

struct ProductQuantization {
  int block = 8;        ///< columns of a block
  int centroids = 256;  ///< codewords, at most
  int iterations = 20;  ///< of expectation and maximization, at most
};

Json to_json(const ProductQuantization& settings);
/// Problems go to the object's JsonErrors under the field's name.
ProductQuantization read_product_quantization(JsonObject& object);

struct ProductCodebook {
  std::vector<float> codewords;           ///< [count][block], each the mean of its blocks
  std::vector<std::uint32_t> assignment;  ///< [rows][cols / block]
  std::vector<double> squared_errors;     ///< after each iteration, never rising
  int refilled = 0;                       ///< times that a codeword without blocks was given some

  /// The matrix the codebook stands for, in its layout.
  std::vector<float> reconstruction(int block) const;
};

/// Starts from different blocks drawn by `seed`. Each iteration assigns every block to its nearest
/// codeword (the first of equally near ones), refills empty codewords and moves each to the mean of
/// its blocks; it ends early when no block moves. An empty codeword takes part of the one with the
/// most blocks that are not all alike, cut through their mean and across the direction of the block
/// farthest from it, which is where perturbing that codeword would lead (Stock et al., section 4).
/// With no more different blocks than codewords each is its own, and nothing is lost. Time
/// O(iterations * blocks * centroids * block). Errors: bad_input for columns that are not whole
/// blocks, a matrix that is not rows * cols, settings below 1, weights that are not finite.
Result<ProductCodebook> product_quantize(std::span<const float> matrix, std::int64_t rows,
                                         std::int64_t cols, const ProductQuantization& settings,
                                         std::uint64_t seed);

}  // namespace assay

// The weights of one layer as indices into a few shared values that are trained: what clustering
// fine-tunes, and what quantization-aware training must not multiply. Include only where Torch is
// wanted. Not thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "compress/train/training_method.hpp"

namespace assay {

class Codebook {
 public:
  /// Float values: weight i is values[assignment[i]]. Weights that are 0 stay 0.
  static Codebook of_reals(const std::vector<float>& values, const std::vector<int>& assignment,
                           const at::Tensor& weight);
  /// Integer values within [-127, 127]: weight i is scales[output channel] * values[assignment[i]].
  /// Training moves them as real numbers; every forward pass sees them rounded.
  static Codebook of_integers(const std::vector<std::int8_t>& values,
                              const std::vector<int>& assignment, const std::vector<float>& scales,
                              const at::Tensor& weight);
  /// From integer weights: equal ones share a value.
  static Codebook of_integers(const IntegerWeights& weights, const at::Tensor& weight);
  /// From real weights: equal ones share a value.
  static Codebook of_equal_reals(const at::Tensor& weight);

  /// The weights as the forward pass sees them. A value's gradient is the sum of its members'
  /// gradients (Han et al., 2016, equation 3).
  at::Tensor weights() const;
  /// Whether its values are integers.
  bool is_integer() const { return multiplier_.defined(); }
  /// Integer weights, of an integer codebook.
  std::optional<IntegerWeights> integers() const;
  at::Tensor parameter() const { return values_; }
  std::size_t size() const { return std::size_t(values_.numel()); }

 private:
  at::Tensor values_;      // [k], a leaf; integers over 127
  at::Tensor alive_;       // [k], 0 for the value that is pinned at 0
  at::Tensor assignment_;  // [weights], int64
  at::Tensor multiplier_;  // [out][1]..., the scales; undefined for reals
  std::vector<std::int64_t> shape_;
  std::vector<float> scales_;
};

}  // namespace assay

// A trained network's numbers as plain arrays, and the folding of batch normalization into the
// layer before it. Free of Torch. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace assay {

/// Batch normalization in inference form, one value per channel:
/// y = gamma * (x - mean) / sqrt(variance + epsilon) + beta (Ioffe and Szegedy, 2015, algorithm 2).
struct BatchNorm {
  std::vector<float> gamma;
  std::vector<float> beta;
  std::vector<float> mean;
  std::vector<float> variance;
  double epsilon = 1e-5;
};

/// Numbers of one convolution, depthwise or dense layer.
struct LayerParameters {
  std::vector<std::int64_t> shape;  ///< of the weights: [out][in][kh][kw], or [out][in] for dense
  std::vector<float> weights;
  std::vector<float> bias;  ///< [out]; empty stands for zeros
  std::optional<BatchNorm> batch_norm;
};

/// The same function without batch normalization and with a bias. Computed in double precision.
LayerParameters fold_batch_norm(const LayerParameters& layer);

}  // namespace assay

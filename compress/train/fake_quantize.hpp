// Quantization in the forward pass of a training, with the gradients that make it trainable.
// Include only where Torch is wanted. Pure functions, thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

namespace assay {

/// scale * (clamp(round(x / scale) + zero_point, low, high) - zero_point), rounding half to even.
/// The gradient passes straight through where nothing was clamped (Bengio et al., 2013); that of
/// `scale` (one element) is q - x / scale there and the clamped integer elsewhere (Esser et al.,
/// "Learned Step Size Quantization", 2020, equation 3). One pass over memory each way.
at::Tensor fake_quantize(const at::Tensor& x, const at::Tensor& scale, int zero_point, int low,
                         int high);

/// The same for weights: `scale` broadcasts against them ([out][1]... or one element), symmetric
/// within [-limit, limit].
at::Tensor fake_quantize_weights(const at::Tensor& weights, const at::Tensor& scale, int limit);

}  // namespace assay

// The scale of symmetric integer weights: real value = scale * q with q in [-limit, limit]. Free of
// Torch. Pure functions, thread-safe.
#pragma once

#include <span>

#include "compress/methods/quantize_settings.hpp"

namespace assay {

/// Largest magnitude of a weight of 8, 4 or 2 bits: 127, 7 or 1.
constexpr int weight_limit(int bits) {
  return (1 << (bits - 1)) - 1;
}

/// The scale that `observer` takes from weights that share it; 0 when all of them are 0. MSE is
/// exact, no scale has a smaller squared error (for ternary weights this replaces the threshold 0.7
/// mean|w| of Li et al., 2016, which approximates it under a normal distribution), except for more
/// than 516 weights at 8 bits, where it is the best of 256 roundings with their least-squares
/// scales. Percentile is the nearest rank, so it clips only where more than 10 000 weights share
/// the scale.
float weight_scale(std::span<const float> weights, int bits, WeightObserver observer);

/// The sum of (w - scale * q)^2 when q is w / scale rounded half to even and clamped.
double squared_error(std::span<const float> weights, int bits, float scale);

}  // namespace assay

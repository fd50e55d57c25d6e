// Requantization of ARITHMETIC.md for the reference kernels. Portable, freestanding C++17.
#pragma once

#include <cstdint>

#include "targets/runtime/layer.hpp"

namespace assay::kernels {

template <class L>
inline std::int8_t clamp(std::int32_t value) {
  if (value < L::clamp_min) return L::clamp_min;
  if (value > L::clamp_max) return L::clamp_max;
  return static_cast<std::int8_t>(value);
}

/// Convolution, depthwise, dense: clamp((((acc + b') >> P) * m) >> R).
template <class L>
inline std::int8_t requantize(std::int32_t accumulator, int channel) {
  const std::int32_t scaled =
      ((accumulator + L::bias[channel]) >> L::accumulator_shift) * L::multiplier[channel];
  return clamp<L>(scaled >> L::output_shift);
}

}  // namespace assay::kernels

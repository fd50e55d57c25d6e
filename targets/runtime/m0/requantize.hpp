// Requantization of ARITHMETIC.md for an accumulator that holds b' already.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels::m0 {

template <class L>
ASSAY_INLINE std::int8_t requantize(std::int32_t accumulator, std::int32_t multiplier) {
  std::int32_t y = ((accumulator >> L::accumulator_shift) * multiplier) >> L::output_shift;
  // Sign-extend and compare: six instructions where two comparisons with constants take more.
  if (y != static_cast<std::int8_t>(y)) y = (y >> 31) ^ 127;
  if constexpr (L::clamp_min > -128) y = y < L::clamp_min ? L::clamp_min : y;
  if constexpr (L::clamp_max < 127) y = y > L::clamp_max ? L::clamp_max : y;
  return static_cast<std::int8_t>(y);
}

}  // namespace assay::kernels::m0

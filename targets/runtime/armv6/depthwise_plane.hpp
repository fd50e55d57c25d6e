// Depthwise convolution for Armv6 cores, one channel at a time; see dsp/depthwise_plane.hpp.
#pragma once

#include "targets/runtime/dsp/depthwise_plane.hpp"

namespace assay::kernels {

namespace armv6 {

template <class L>
struct PlaneTensor {
  using Element = std::int8_t;
  static constexpr Element zero = L::input_zero;
  static ASSAY_INLINE std::int32_t start(std::int32_t bias) { return bias; }
  static ASSAY_INLINE std::int8_t finish(std::int32_t sum, std::int32_t, std::int32_t multiplier) {
    return dsp::requantize<L>(sum, multiplier);
  }
};

}  // namespace armv6

template <class L>
void depthwise_plane_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  depthwise_plane<L, armv6::PlaneTensor<L>>(in, out, scratch);
}

}  // namespace assay::kernels

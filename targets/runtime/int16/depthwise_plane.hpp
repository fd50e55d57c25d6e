// Depthwise convolution over int16 tensors for cores with SMLAD, one channel at a time; see
// dsp/depthwise_plane.hpp.
#pragma once

#include "targets/runtime/dsp/depthwise_plane.hpp"
#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/smlad.hpp"

namespace assay::kernels {

namespace int16 {

template <class L>
struct PlaneTensor {
  using Element = std::int16_t;
  static constexpr Element zero = 0;
  static_assert(L::kernel_height * L::kernel_width <= part_inputs);

  /// b' of 64 bits is added to the whole sum.
  template <class Bias>
  static ASSAY_INLINE std::int32_t start(Bias bias) {
    return long_sums<L> ? 0 : static_cast<std::int32_t>(bias);
  }
  template <class Bias>
  static ASSAY_INLINE std::int16_t finish(std::int32_t sum, Bias bias, std::int32_t multiplier) {
    if constexpr (long_sums<L>)
      return requantize<L>(sum + bias, multiplier);
    else
      return requantize<L>(sum, multiplier);
  }
};

}  // namespace int16

template <class L>
void depthwise_plane_int16_smlad(const std::int16_t* in, std::int16_t* out, void* scratch) {
  depthwise_plane<L, int16::PlaneTensor<L>>(in, out, scratch);
}

}  // namespace assay::kernels

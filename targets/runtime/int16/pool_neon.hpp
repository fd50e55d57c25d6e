// Pools over int16 tensors for AArch64: eight channels in a vector, the last ones of a pixel
// together with some of those before. Needs eight channels; not in place. L has, besides the
// members of layer.hpp, for averages: std::int32_t multiplier[].
#pragma once

#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/neon.hpp"
#include "targets/runtime/pool_windows.hpp"

namespace assay::kernels {

namespace int16 {

/// Calls `block(channel, rows, columns)` for every eight channels of every output; what it returns
/// is written.
template <class L, class Block>
ASSAY_INLINE void for_each_eight(std::int16_t* out, Block block) {
  static_assert(L::in_channels >= 8);
  for_each_window<L>([&](Range rows, Range columns) ASSAY_INLINE_LAMBDA {
    for (int b = 0; 8 * b < L::in_channels; ++b) {
      const int channel = first_of_block<8>(b, L::in_channels);
      vst1q_s16(out + channel, block(channel, rows, columns));
    }
    out += L::in_channels;
  });
}

}  // namespace int16

template <class L>
void max_pool_int16_neon(const std::int16_t* in, std::int16_t* out, void*) {
  int16::for_each_eight<L>(out, [in](int channel, Range rows, Range columns) ASSAY_INLINE_LAMBDA {
    int16x8_t largest = vdupq_n_s16(-32768);
    for_each_position<L>(in + channel, rows, columns,
                         [&](const std::int16_t* at)
                             ASSAY_INLINE_LAMBDA { largest = vmaxq_s16(largest, vld1q_s16(at)); });
    return largest;
  });
}

/// Positions of the padding add 0.
template <class L>
void average_pool_int16_neon(const std::int16_t* in, std::int16_t* out, void*) {
  int16::for_each_eight<L>(out, [in](int channel, Range rows, Range columns) ASSAY_INLINE_LAMBDA {
    int16::Sums sums{vdupq_n_s32(0), vdupq_n_s32(0)};
    for_each_position<L>(in + channel, rows, columns,
                         [&](const std::int16_t* at) ASSAY_INLINE_LAMBDA {
                           const int16x8_t inputs = vld1q_s16(at);
                           sums.low = vaddw_s16(sums.low, vget_low_s16(inputs));
                           sums.high = vaddw_high_s16(sums.high, inputs);
                         });
    return int16::rescale<L>(sums, L::multiplier[0]);
  });
}

}  // namespace assay::kernels

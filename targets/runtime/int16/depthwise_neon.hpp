// Depthwise convolution over int16 tensors for AArch64: eight channels in a vector, the last ones
// of a pixel together with some of those before. Needs eight channels. L has the constants of the
// reference kernels.
#pragma once

#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/neon.hpp"
#include "targets/runtime/pool_windows.hpp"

namespace assay::kernels {

template <class L>
void depthwise_int16_neon(const std::int16_t* in, std::int16_t* out, void*) {
  static_assert(L::kernel_height * L::kernel_width <= int16::part_inputs && L::out_channels >= 8);
  constexpr int pixel = L::in_channels;
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += pixel) {
      const int top = y * L::stride_height - L::pad_top, left = x * L::stride_width - L::pad_left;
      const Range rows =
          window_range<L::in_height, L::out_height, L::kernel_height, L::stride_height, L::pad_top>(
              y);
      const Range columns =
          window_range<L::in_width, L::out_width, L::kernel_width, L::stride_width, L::pad_left>(x);
      for (int block = 0; 8 * block < pixel; ++block) {
        const int channel = int16::first_of_block(block, 8, pixel);
        int16::Sums sums{vdupq_n_s32(0), vdupq_n_s32(0)};
        for (int row = rows.first; row < rows.last; ++row)
          for (int column = columns.first; column < columns.last; ++column) {
            const int16x8_t inputs = vld1q_s16(in + (row * L::in_width + column) * pixel + channel);
            const int16x8_t weights = vmovl_s8(vld1_s8(
                L::weights + ((row - top) * L::kernel_width + column - left) * pixel + channel));
            sums.low = vmlal_s16(sums.low, vget_low_s16(inputs), vget_low_s16(weights));
            sums.high = vmlal_high_s16(sums.high, inputs, weights);
          }
        vst1q_s16(out + channel, int16::requantize_eight<L>(sums, channel));
      }
    }
}

}  // namespace assay::kernels

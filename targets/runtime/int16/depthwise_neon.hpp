// Depthwise convolution over int16 tensors for AArch64: eight channels of a row of outputs at a
// time, whose weights stay in registers; the last channels together with some of those before.
// Needs eight channels. L has the constants of the reference kernels; scratch memory holds
// PaddedRows.
#pragma once

#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/neon.hpp"
#include "targets/runtime/padded_rows.hpp"

namespace assay::kernels {

namespace int16 {

/// Eight channels of a row of outputs: `first` is the first one, `window` its first input.
template <class L>
ASSAY_INLINE void filter_row(const std::int16_t* window, int first, std::int16_t* out) {
  constexpr int positions = L::kernel_height * L::kernel_width, pixel = L::out_channels;
  int16x8_t filter[positions];
#pragma GCC unroll 32
  for (int i = 0; i < positions; ++i)
    filter[i] = vmovl_s8(vld1_s8(L::weights + i * pixel + first));
  for (int x = 0; x < L::out_width; ++x, window += L::stride_width * pixel, out += pixel) {
    Sums sums{vdupq_n_s32(0), vdupq_n_s32(0)};
    const std::int16_t* row = window;
    const int16x8_t* weights = filter;
#pragma GCC unroll 5
    for (int i = 0; i < L::kernel_height; ++i, row += PaddedRows<L, std::int16_t>::pitch)
#pragma GCC unroll 16
      for (int j = 0; j < L::kernel_width; ++j, ++weights) {
        const int16x8_t inputs = vld1q_s16(row + j * pixel);
        sums.low = vmlal_s16(sums.low, vget_low_s16(inputs), vget_low_s16(*weights));
        sums.high = vmlal_high_s16(sums.high, inputs, *weights);
      }
    vst1q_s16(out, requantize_eight<L>(sums, first));
  }
}

}  // namespace int16

template <class L>
void depthwise_int16_neon(const std::int16_t* in, std::int16_t* out, void* scratch) {
  static_assert(L::kernel_height * L::kernel_width <= int16::part_inputs && L::out_channels >= 8);
  PaddedRows<L, std::int16_t> rows(in, 0, scratch);
  for (int y = 0; y < L::out_height; ++y, out += L::out_width * L::out_channels) {
    const std::int16_t* const under = rows.under(y);
    for (int block = 0; 8 * block < L::out_channels; ++block) {
      const int first = first_of_block<8>(block, L::out_channels);
      int16::filter_row<L>(under + first, first, out + first);
    }
  }
}

}  // namespace assay::kernels

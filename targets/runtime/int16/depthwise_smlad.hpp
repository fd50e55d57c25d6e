// Depthwise convolution over int16 tensors for cores with halfword products: four channels at a
// time, position by position of the window. See layout.hpp for the weights. L has, besides the
// members of layer.hpp: std::uint32_t packed[], bias[] and multiplier[].
#pragma once

#include "targets/runtime/dsp/pool.hpp"
#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/smlad.hpp"

namespace assay::kernels {

namespace int16 {

/// The sums of four channels over the part of a window that lies in the input; padding is 0.
template <class L>
ASSAY_INLINE void add_window(const std::int16_t* in, const std::uint32_t* packed, dsp::Range rows,
                             dsp::Range columns, int top, int left, std::int32_t (&sums)[4]) {
  std::int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
  for (int y = rows.first; y < rows.last; ++y) {
    const std::int16_t* at = in + (y * L::in_width + columns.first) * L::in_channels;
    const std::uint32_t* weights = packed + (y - top) * L::kernel_width + columns.first - left;
    for (int x = columns.first; x < columns.last; ++x, at += L::in_channels) {
      const std::uint32_t word = *weights++;
      const std::uint32_t low = dsp::sxtb16(word), high = dsp::sxtb16_odd(word);
      const std::uint32_t first = load_pair(at), second = load_pair(at + 2);
      s0 = dsp::smlabb(low, first, s0);
      s1 = dsp::smlatt(low, first, s1);
      s2 = dsp::smlabb(high, second, s2);
      s3 = dsp::smlatt(high, second, s3);
    }
  }
  sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}

}  // namespace int16

template <class L>
void depthwise_int16_smlad(const std::int16_t* in, std::int16_t* out, void*) {
  constexpr int positions = L::kernel_height * L::kernel_width;
  constexpr int blocks = (L::out_channels + 3) / 4;
  static_assert(positions <= int16::part_inputs);
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += L::out_channels) {
      const auto rows = dsp::window_range<L::in_height, L::out_height, L::kernel_height,
                                          L::stride_height, L::pad_top>(y);
      const auto columns = dsp::window_range<L::in_width, L::out_width, L::kernel_width,
                                             L::stride_width, L::pad_left>(x);
      for (int block = 0; block < blocks; ++block) {
        const int channel = int16::first_of_block(block, L::out_channels);
        std::int32_t sums[4] = {};
        int16::add_window<L>(in + channel, L::packed + block * positions, rows, columns,
                             y * L::stride_height - L::pad_top, x * L::stride_width - L::pad_left,
                             sums);
        for (int c = 0; c < 4; ++c)
          out[channel + c] =
              int16::requantize<L>(sums[c] + L::bias[channel + c], L::multiplier[channel + c]);
      }
    }
}

}  // namespace assay::kernels

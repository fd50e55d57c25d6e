// Depthwise convolution for Armv6 cores: four channels, one word of inputs, at a time. L has,
// besides the members of layer.hpp,
//   std::uint32_t filters[]            as in layout.hpp
//   std::int32_t bias[], multiplier[]  of every channel
#pragma once

#include "targets/runtime/armv6/products.hpp"

namespace assay::kernels {

namespace armv6 {

/// Four channels from `first` on of one output pixel.
template <class L>
ASSAY_INLINE void filter_pixel(const std::int8_t* in, int out_y, int out_x, int first,
                               const std::uint32_t* filters, std::int8_t* out) {
  constexpr std::uint32_t zeros = 0x01010101u * static_cast<std::uint8_t>(L::input_zero);
  const int top = out_y * L::stride_height - L::pad_top;
  const int left = out_x * L::stride_width - L::pad_left;
  std::int32_t sums[4];
  for (int c = 0; c < 4; ++c)
    sums[c] = L::bias[first + c];
  for (int y = top; y < top + L::kernel_height; ++y) {
    const std::int8_t* from = in + (y * L::in_width + left) * L::in_channels + first;
    const bool row_inside = y >= 0 && y < L::in_height;
    for (int x = left; x < left + L::kernel_width; ++x, from += L::in_channels, ++filters) {
      const std::uint32_t inputs =
          row_inside && x >= 0 && x < L::in_width ? dsp::load_word(from) : zeros;
      const std::uint32_t even = dsp::sxtb16(inputs), odd = dsp::sxtb16_odd(inputs);
      const std::uint32_t weights_even = dsp::sxtb16(*filters);
      const std::uint32_t weights_odd = dsp::sxtb16_odd(*filters);
      sums[0] = dsp::smlabb(even, weights_even, sums[0]);
      sums[1] = dsp::smlabb(odd, weights_odd, sums[1]);
      sums[2] = dsp::smlatt(even, weights_even, sums[2]);
      sums[3] = dsp::smlatt(odd, weights_odd, sums[3]);
    }
  }
  for (int c = 0; c < 4; ++c)
    out[c] = dsp::requantize<L>(sums[c], L::multiplier[first + c]);
}

}  // namespace armv6

template <class L>
void depthwise_armv6(const std::int8_t* in, std::int8_t* out, void*) {
  constexpr int taps = L::kernel_height * L::kernel_width;
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += L::out_channels)
      for (int block = 0; 4 * block < L::out_channels; ++block) {
        const int first = armv6::depthwise_channel(block, L::out_channels);
        armv6::filter_pixel<L>(in, y, x, first, L::filters + block * taps, out + first);
      }
}

}  // namespace assay::kernels

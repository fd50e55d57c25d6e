// Depthwise convolution for Armv6 cores: four channels, one word of inputs, at a time. Their inputs
// are first put together with the padding around them, so that no window reaches outside. L has,
// besides the members of layer.hpp,
//   std::uint32_t filters[]            as in layout.hpp
//   std::int32_t bias[], multiplier[]  of every channel
#pragma once

#include "targets/runtime/armv6/products.hpp"

namespace assay::kernels {

namespace armv6 {

template <class L>
inline constexpr DepthwiseBand depthwise_band{L::out_height,   L::out_width,     L::kernel_height,
                                              L::kernel_width, L::stride_height, L::stride_width};

/// Four channels from `in` on of the rows from `top` on, which may lie outside.
template <class L>
ASSAY_INLINE void fill_band(const std::int8_t* in, int top, int rows, std::uint32_t* to) {
  constexpr std::uint32_t padding = 0x01010101u * static_cast<std::uint8_t>(L::input_zero);
  for (int y = top; y < top + rows; ++y)
    for (int x = -L::pad_left; x < depthwise_band<L>.columns - L::pad_left; ++x) {
      const bool inside = y >= 0 && y < L::in_height && x >= 0 && x < L::in_width;
      *to++ = inside ? dsp::load_word(in + (y * L::in_width + x) * L::in_channels) : padding;
    }
}

/// Adds four inputs times their weights, which `filters` moves past: seven instructions. One
/// statement, because GCC would else sum channel by channel and keep all inputs of a window
/// meanwhile.
ASSAY_INLINE void add_tap(std::uint32_t inputs, const std::uint32_t*& filters,
                          std::int32_t (&sums)[4]) {
  std::uint32_t even;
  asm volatile(
      "ldmia %[filters]!, {r4, r5}\n\t"
      "sxtb16 %[even], %[odd]\n\t"
      "sxtb16 %[odd], %[odd], ror #8\n\t"
      "smlabb %[a], %[even], r4, %[a]\n\t"
      "smlabb %[b], %[odd], r5, %[b]\n\t"
      "smlatt %[c], %[even], r4, %[c]\n\t"
      "smlatt %[d], %[odd], r5, %[d]"
      : [filters] "+r"(filters), [even] "=&r"(even), [odd] "+r"(inputs), [a] "+r"(sums[0]),
        [b] "+r"(sums[1]), [c] "+r"(sums[2]), [d] "+r"(sums[3])
      :
      : "r4", "r5", "memory");
}

/// Four channels of one output pixel, whose window begins at `window`.
template <class L>
ASSAY_INLINE void filter_pixel(const std::uint32_t* window, const std::uint32_t* filters, int first,
                               std::int8_t* out) {
  std::int32_t sums[4] = {L::bias[first], L::bias[first + 1], L::bias[first + 2],
                          L::bias[first + 3]};
#pragma GCC unroll 7
  for (int y = 0; y < L::kernel_height; ++y, window += depthwise_band<L>.columns)
#pragma GCC unroll 7
    for (int x = 0; x < L::kernel_width; ++x)
      add_tap(window[x], filters, sums);
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c)
    out[c] = dsp::requantize<L>(sums[c], L::multiplier[first + c]);
}

/// A block of four channels; `filters` are its weights.
template <class L>
ASSAY_INLINE void filter_block(const std::int8_t* in, const std::uint32_t* filters, int block,
                               std::int8_t* out, std::uint32_t* words) {
  constexpr DepthwiseBand band = depthwise_band<L>;
  const int first = first_of_block<4>(block, L::out_channels);
  for (int top = 0; top < L::out_height; top += band.out_rows) {
    const int rows = L::out_height - top < band.out_rows ? L::out_height - top : band.out_rows;
    fill_band<L>(in + first, top * L::stride_height - L::pad_top,
                 (rows - 1) * L::stride_height + L::kernel_height, words);
    std::int8_t* to = out + top * L::out_width * L::out_channels + first;
    for (int y = 0; y < rows; ++y)
      for (int x = 0; x < L::out_width; ++x, to += L::out_channels)
        filter_pixel<L>(words + y * L::stride_height * band.columns + x * L::stride_width, filters,
                        first, to);
  }
}

}  // namespace armv6

template <class L>
void depthwise_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  constexpr int taps = L::kernel_height * L::kernel_width;
  for (int block = 0; 4 * block < L::out_channels; ++block)
    armv6::filter_block<L>(in, L::filters + 2 * taps * block, block, out,
                           static_cast<std::uint32_t*>(scratch));
}

}  // namespace assay::kernels

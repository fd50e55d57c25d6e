// Depthwise convolution for cores with SMLAxy: four channels at two output pixels at a time, over
// inputs expanded to int16 once for all windows; see layout.hpp. Needs four channels or more. L
// has, besides the members of layer.hpp:
//   std::uint32_t taps[]       weights as int16, [block of 4 channels][tap]{(c0, c2), (c1, c3)}
//   std::int32_t channels[]    [block]{b' of four channels, m of four channels}
#pragma once

#include "targets/runtime/dsp/layout.hpp"
#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels {

namespace dsp {

template <class L>
inline constexpr DepthwiseLayout depthwise_layout{L::out_height,    L::out_width,
                                                  L::kernel_height, L::kernel_width,
                                                  L::stride_height, L::stride_width};

/// Four channels of one position.
struct FourInputs {
  std::uint32_t even;  ///< (c0, c2)
  std::uint32_t odd;   ///< (c1, c3)
};

template <class L>
using Plane = FourInputs[depthwise_layout<L>.rows][depthwise_layout<L>.columns];

/// Expands four channels of the input rows from `first_row` on, which may lie in the padding.
template <class L>
ASSAY_INLINE void expand_plane(const std::int8_t* in, int first_row, const StripInputs& strip,
                               Plane<L>& plane) {
  constexpr DepthwiseLayout layout = depthwise_layout<L>;
  constexpr std::uint32_t zero = (L::input_zero & 0xffff) * 0x10001u;
  for (int r = 0; r < layout.rows; ++r) {
    const int y = first_row + r;
    const bool outside = y < 0 || y >= L::in_height;
    FourInputs* to = plane[r];
    FourInputs* const end = to + layout.columns;
    for (FourInputs* stop = outside ? end : to + strip.left; to != stop; ++to)
      *to = {zero, zero};
    if (outside) continue;
    const std::int8_t* from = in + (y * L::in_width + strip.first) * L::out_channels;
#pragma GCC unroll 4
    for (int i = 0; i < strip.inputs; ++i, ++to, from += L::out_channels) {
      const std::uint32_t word = load_word(from);
      *to = {sxtb16(word), sxtb16_odd(word)};
    }
    for (; to != end; ++to)
      *to = {zero, zero};
  }
}

/// Sums of four channels at two neighbouring output pixels.
struct TwoPixelSums {
  std::int32_t pixel[2][4];
};

/// b' plus the products of the windows at `window` and `stride` positions further, kernel row by
/// kernel row; an expanded input serves both pixels. Four instructions for four
/// multiply-accumulates, one to load each input and each weight of a pixel. Registers: r4-r11 sums,
/// r2 and r3 inputs, r12 and lr weights, r0 and r1 pointers; `end` of the taps waits on the stack.
/// `unroll` kernel rows an iteration.
template <int columns, int kernel_width, int stride, int unroll>
ASSAY_INLINE void filter_two_pixels(const FourInputs* window, const FourInputs* taps,
                                    const FourInputs* end, const std::int32_t* bias,
                                    TwoPixelSums& sums) {
  register const FourInputs* r0 asm("r0") = window;
  register const FourInputs* r1 asm("r1") = taps;
  register const FourInputs* r2 asm("r2") = end;
  register TwoPixelSums* r3 asm("r3") = &sums;
  register const std::int32_t* r12 asm("r12") = bias;
  asm volatile(
      "push {r2, r3}\n\t"
      "ldmia r12, {r4-r7}\n\t"
      "mov r8, r4\n\t"
      "mov r9, r5\n\t"
      "mov r10, r6\n\t"
      "mov r11, r7\n"
      "1:\n\t"
      ".rept %c[unroll]\n\t"
      ".set assay_x, 0\n\t"
      ".rept %c[kernel_width] + %c[stride]\n\t"
      "ldrd r2, r3, [r0, #8 * assay_x]\n\t"
      ".if assay_x < %c[kernel_width]\n\t"
      "ldrd r12, lr, [r1, #8 * assay_x]\n\t"
      "smlabb r4, r2, r12, r4\n\t"
      "smlabb r5, r3, lr, r5\n\t"
      "smlatt r6, r2, r12, r6\n\t"
      "smlatt r7, r3, lr, r7\n\t"
      ".endif\n\t"
      ".if assay_x >= %c[stride]\n\t"
      "ldrd r12, lr, [r1, #8 * (assay_x - %c[stride])]\n\t"
      "smlabb r8, r2, r12, r8\n\t"
      "smlabb r9, r3, lr, r9\n\t"
      "smlatt r10, r2, r12, r10\n\t"
      "smlatt r11, r3, lr, r11\n\t"
      ".endif\n\t"
      ".set assay_x, assay_x + 1\n\t"
      ".endr\n\t"
      "add r0, r0, #8 * %c[columns]\n\t"
      "add r1, r1, #8 * %c[kernel_width]\n\t"
      ".endr\n\t"
      "ldr r2, [sp]\n\t"
      "cmp r1, r2\n\t"
      "bne 1b\n\t"
      "pop {r2, r3}\n\t"
      "stmia r3, {r4-r11}" ASSAY_LINES_192
      : "+r"(r0), "+r"(r1), "+r"(r12)
      : "r"(r2), "r"(r3), [columns] "i"(columns), [kernel_width] "i"(kernel_width),
        [stride] "i"(stride), [unroll] "i"(unroll)
      : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "lr", "cc", "memory");
}

/// Four channels of one output pixel, for rows of one.
template <class L>
ASSAY_INLINE void filter_one_pixel(const FourInputs* window, const FourInputs* taps,
                                   std::int32_t (&sums)[4]) {
  for (int ky = 0; ky < L::kernel_height; ++ky, window += depthwise_layout<L>.columns)
    for (int kx = 0; kx < L::kernel_width; ++kx, ++taps) {
      sums[0] = smlabb(window[kx].even, taps->even, sums[0]);
      sums[1] = smlabb(window[kx].odd, taps->odd, sums[1]);
      sums[2] = smlatt(window[kx].even, taps->even, sums[2]);
      sums[3] = smlatt(window[kx].odd, taps->odd, sums[3]);
    }
}

/// One output row of four channels of a strip.
template <class L>
ASSAY_INLINE void filter_row(const FourInputs* row, const FourInputs* taps,
                             const std::int32_t* channels, std::int8_t* out) {
  constexpr int pixels = depthwise_layout<L>.strip;
  const std::int32_t* const multipliers = channels + 4;
  if constexpr (pixels == 1) {
    std::int32_t sums[4] = {channels[0], channels[1], channels[2], channels[3]};
    filter_one_pixel<L>(row, taps, sums);
    for (int c = 0; c < 4; ++c)
      out[c] = requantize<L>(sums[c], multipliers[c]);
    return;
  }
  constexpr int unroll = L::kernel_height * L::kernel_width <= 9 ? L::kernel_height : 1;
  const FourInputs* const end = taps + L::kernel_height * L::kernel_width;
  // With an odd number of pixels the last two overlap the ones before them.
  for (int x = 0; x < pixels; x += 2) {
    if (x > pixels - 2) x = pixels - 2;
    TwoPixelSums sums;
    filter_two_pixels<depthwise_layout<L>.columns, L::kernel_width, L::stride_width, unroll>(
        row + x * L::stride_width, taps, end, channels, sums);
    std::int8_t* to = out + x * L::out_channels;
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c) {
      to[c] = requantize<L>(sums.pixel[0][c], multipliers[c]);
      to[L::out_channels + c] = requantize<L>(sums.pixel[1][c], multipliers[c]);
    }
  }
}

/// All channels of a strip of a band, the outputs from (y, x) on; `taps_of(block)` gives the
/// weights of four channels.
template <class L, class TapsOf>
ASSAY_INLINE void filter_strip(const std::int8_t* in, std::int8_t* out, int y, int x,
                               Plane<L>& plane, TapsOf taps_of) {
  constexpr DepthwiseLayout layout = depthwise_layout<L>;
  constexpr int out_row = L::out_width * L::out_channels;
  const StripInputs strip(x * L::stride_width - L::pad_left, L::in_width, layout.columns);
  for (int block = 0; 4 * block < L::out_channels; ++block) {
    const int channel = first_of_block<4>(block, L::out_channels);
    const FourInputs* taps = taps_of(block);
    expand_plane<L>(in + channel, y * L::stride_height - L::pad_top, strip, plane);
    std::int8_t* to = out + y * out_row + x * L::out_channels + channel;
    for (int row = 0; row < layout.band; ++row, to += out_row)
      filter_row<L>(plane[row * L::stride_height], taps, L::channels + 8 * block, to);
  }
}

/// All bands and strips.
template <class L, class TapsOf>
ASSAY_INLINE void filter_strips(const std::int8_t* in, std::int8_t* out, Plane<L>& plane,
                                TapsOf taps_of) {
  constexpr DepthwiseLayout layout = depthwise_layout<L>;
  for (int band = 0; band < L::out_height; band += layout.band) {
    // The last band, too, is a whole one.
    if (band > L::out_height - layout.band) band = L::out_height - layout.band;
    if constexpr (layout.strip == L::out_width)
      filter_strip<L>(in, out, band, 0, plane, taps_of);
    else
      for (int x = 0; x < L::out_width; x += layout.strip)
        filter_strip<L>(in, out, band, strip_begin(x, L::out_width, layout.strip), plane, taps_of);
  }
}

}  // namespace dsp

template <class L>
void depthwise_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::filter_strips<L>(in, out, *static_cast<dsp::Plane<L>*>(scratch),
                        [](int block) ASSAY_INLINE_LAMBDA {
                          return reinterpret_cast<const dsp::FourInputs*>(L::taps) +
                                 L::kernel_height * L::kernel_width * block;
                        });
}

}  // namespace assay::kernels

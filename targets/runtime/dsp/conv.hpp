// Convolution for cores with SMLAD: two output channels x four output pixels at a time, so that a
// word of activations serves two channels and a word of weights four pixels; see layout.hpp for the
// weight format. L has, besides the members of layer.hpp:
//   std::uint32_t pairs[]        weights, [channel pair][step]
//   std::int32_t channels[]      a ChannelPair for each pair of output channels
//   std::int32_t part_steps[]    steps that may be summed before 256 * A1 leaves 32 bits
// With an odd number of output channels the second pair repeats channel 1 (see conv_channel).
#pragma once

#include "targets/runtime/dsp/window.hpp"

namespace assay::kernels {

namespace dsp {

/// Accumulators of two channels at four pixels.
struct PairSums {
  std::int32_t low[4];   ///< A0
  std::int32_t both[4];  ///< 256 * A1 + A0
};

/// Adds the products of all steps from `columns` to `end`; returns the weights after them. Twelve
/// instructions for sixteen multiply-accumulates. Registers: 8 sums, 2 pointers, a raw and an
/// expanded word of weights, 2 words of activations: all fourteen, so `end` waits on the stack.
/// They are named because GCC does not find an allocation of fourteen operands everywhere.
template <int unroll>
ASSAY_INLINE const std::uint32_t* multiply_pair_by_four(const std::uint32_t* weights,
                                                        const std::uint32_t* columns,
                                                        const std::uint32_t* end, PairSums& sums) {
  register const std::uint32_t* r0 asm("r0") = weights;
  register const std::uint32_t* r1 asm("r1") = columns;
  register const std::uint32_t* r2 asm("r2") = end;
  register PairSums* r3 asm("r3") = &sums;
  asm volatile(
      "push {r2, r3}\n\t"
      "ldmia r3, {r4-r11}\n"  // low[0..3], both[0..3]
      "1:\n\t"
      ".rept %c[unroll]\n\t"
      "ldr r2, [r0], #4\n\t"
      "ldrd r12, lr, [r1], #8\n\t"
      "sxtb16 r3, r2\n\t"
      "smlad r8, r2, r12, r8\n\t"
      "smlad r9, r2, lr, r9\n\t"
      "smlad r4, r3, r12, r4\n\t"
      "smlad r5, r3, lr, r5\n\t"
      "ldrd r12, lr, [r1], #8\n\t"
      "smlad r10, r2, r12, r10\n\t"
      "smlad r11, r2, lr, r11\n\t"
      "smlad r6, r3, r12, r6\n\t"
      "smlad r7, r3, lr, r7\n\t"
      ".endr\n\t"
      "ldr r2, [sp]\n\t"
      "cmp r1, r2\n\t"
      "bne 1b\n\t"
      "pop {r2, r3}\n\t"
      "stmia r3, {r4-r11}" ASSAY_LINES_192
      : "+r"(r0), "+r"(r1)
      : "r"(r2), "r"(r3), [unroll] "i"(unroll)
      : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
  return r0;
}

/// Two channels at four pixels, written to out[pixel * out_channels] and the byte after it.
template <class L, int pixels>
ASSAY_INLINE void convolve_pair(const std::uint32_t*& weights, const ChannelPair& channels,
                                const std::uint32_t (*columns)[4], std::int8_t* out) {
  constexpr ConvLayout layout = conv_layout<L>;
  constexpr int part = L::part_steps[0];
  constexpr bool whole = part >= layout.loop.steps;
  const std::int32_t bias0 = channels.bias[0], bias1 = channels.bias[1];
  PairSums sums;
  std::int32_t high[4];
  for (int j = 0; j < 4; ++j) {
    sums.low[j] = bias0;
    sums.both[j] = whole ? bias0 + bias1 * 256 : bias0;
    high[j] = bias1;
  }
  for (int from = 0; from < layout.loop.steps; from += part) {
    const int to = whole || from + part > layout.loop.steps ? layout.loop.steps : from + part;
    weights = multiply_pair_by_four<layout.loop.unroll>(weights, columns[from], columns[to], sums);
    for (int j = 0; j < 4 && !whole; ++j) {
      high[j] += (sums.both[j] - sums.low[j]) >> 8;
      sums.both[j] = sums.low[j];
    }
  }
  const std::int32_t multiplier0 = channels.multiplier[0], multiplier1 = channels.multiplier[1];
  for (int j = 0; j < pixels; ++j, out += L::out_channels) {
    out[0] = requantize<L>(sums.low[j], multiplier0);
    if constexpr (L::out_channels == 1) continue;
    out[1] = whole ? requantize<L, 8>(sums.both[j] - sums.low[j], multiplier1)
                   : requantize<L>(high[j], multiplier1);
  }
}

/// All channels of four pixels, of which the first `pixels` are written.
template <class L, int pixels>
ASSAY_INLINE void convolve_four(const std::uint32_t (*columns)[4], std::int8_t* out) {
  const std::uint32_t* weights = L::pairs;
  const auto* channels = reinterpret_cast<const ChannelPair*>(L::channels);
  const ChannelPair* const end = channels + (L::out_channels + 1) / 2;
  int advance = L::out_channels % 2 ? 1 : 2;
  do {
    convolve_pair<L, pixels>(weights, *channels, columns, out);
    out += advance;
    advance = 2;
  } while (++channels != end);
}

}  // namespace dsp

template <class L>
void conv_dsp(const std::int8_t* in, std::int8_t* out, void* memory) {
  using Scratch = dsp::ConvScratch<L>;
  auto& scratch = *static_cast<Scratch*>(memory);
  constexpr int pixels = L::out_height * L::out_width;
  scratch.rows.initialize();
  if constexpr (pixels < 4) {
    dsp::gather_columns<L>(in, 0, scratch);
    dsp::convolve_four<L, pixels>(scratch.columns, out);
  } else {
    // The last four pixels may have been written in part: the same values again.
    for (int first = 0; first < pixels; first += 4) {
      if (first > pixels - 4) first = pixels - 4;
      dsp::gather_columns<L>(in, first, scratch);
      dsp::convolve_four<L, 4>(scratch.columns, out + first * L::out_channels);
    }
  }
}

}  // namespace assay::kernels

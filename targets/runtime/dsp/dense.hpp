// Dense layer for cores with SMLAD: eight output channels at a time over the whole input; see
// layout.hpp for the weight format. L has, besides the members of layer.hpp:
//   std::uint32_t pairs[]       weights, [block of 8 channels][word of 2 inputs][channel pair]
//   std::int32_t channels[]     a ChannelPair for each pair of output channels
//   std::int32_t part_steps[]   steps (of four inputs) that may be summed before 256 * A1 leaves
//                               32 bits
#pragma once

#include "targets/runtime/dsp/layout.hpp"
#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels {

namespace dsp {

/// Accumulators of `pairs` pairs of channels.
template <int pairs>
struct DenseSums {
  std::int32_t low[pairs];   ///< A0
  std::int32_t both[pairs];  ///< 256 * A1 + A0
};

// Two pairs of channels times the two inputs in register `a`.
#define ASSAY_DENSE_TWO_PAIRS(a, both0, both1, low0, low1) \
  "ldrd r2, r3, [r0], #8\n\t"                              \
  "smlad " both0 ", r2, " a ", " both0                     \
  "\n\t"                                                   \
  "sxtb16 r2, r2\n\t"                                      \
  "smlad " both1 ", r3, " a ", " both1                     \
  "\n\t"                                                   \
  "smlad " low0 ", r2, " a ", " low0                       \
  "\n\t"                                                   \
  "sxtb16 r3, r3\n\t"                                      \
  "smlad " low1 ", r3, " a ", " low1 "\n\t"

/// Adds the products of four pairs of channels with all inputs from `inputs` to `end`; returns the
/// weights after them. 29 instructions for 32 multiply-accumulates. Registers: 8 sums, 2 pointers,
/// 2 words of weights, 2 of inputs: all fourteen, so `end` waits on the stack. They are named
/// because GCC does not find an allocation of fourteen operands everywhere.
template <int unroll>
ASSAY_INLINE const std::uint32_t* multiply_four_pairs(const std::uint32_t* weights,
                                                      const std::uint32_t* inputs,
                                                      const std::uint32_t* end,
                                                      DenseSums<4>& sums) {
  register const std::uint32_t* r0 asm("r0") = weights;
  register const std::uint32_t* r1 asm("r1") = inputs;
  register const std::uint32_t* r2 asm("r2") = end;
  register DenseSums<4>* r3 asm("r3") = &sums;
  asm volatile(
      "push {r2, r3}\n\t"
      "ldmia r3, {r4-r11}\n"  // low[0..3], both[0..3]
      "1:\n\t"
      ".rept %c[unroll]\n\t"
      "ldrd r12, lr, [r1], #8\n\t"
      ASSAY_DENSE_TWO_PAIRS("r12", "r8", "r9", "r4", "r5")
      ASSAY_DENSE_TWO_PAIRS("r12", "r10", "r11", "r6", "r7")
      ASSAY_DENSE_TWO_PAIRS("lr", "r8", "r9", "r4", "r5")
      ASSAY_DENSE_TWO_PAIRS("lr", "r10", "r11", "r6", "r7")
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

#undef ASSAY_DENSE_TWO_PAIRS

/// The same for the one to three pairs that are left when the channels are no multiple of eight.
template <int pairs>
ASSAY_INLINE const std::uint32_t* multiply_pairs(const std::uint32_t* weights,
                                                 const std::uint32_t* inputs,
                                                 const std::uint32_t* end, DenseSums<pairs>& sums) {
  do {
    const std::uint32_t a = *inputs++;
    for (int i = 0; i < pairs; ++i) {
      const std::uint32_t raw = *weights++;
      sums.both[i] = smlad(raw, a, sums.both[i]);
      sums.low[i] = smlad(sxtb16(raw), a, sums.low[i]);
    }
  } while (inputs != end);
  return weights;
}

/// `count` output channels: all channels of `pairs` pairs, or all but the last one.
template <class L, int pairs, int count>
ASSAY_INLINE void dense_block(const std::uint32_t*& weights, const ChannelPair* channels,
                              const std::uint32_t* inputs, std::int8_t* out) {
  constexpr DenseLayout layout(L::in_height * L::in_width * L::in_channels);
  constexpr int part = L::part_steps[0];
  constexpr bool whole = part >= layout.loop.steps;
  DenseSums<pairs> sums;
  std::int32_t high[pairs];
  for (int i = 0; i < pairs; ++i) {
    sums.low[i] = channels[i].bias[0];
    high[i] = channels[i].bias[1];
    sums.both[i] = whole ? sums.low[i] + high[i] * 256 : sums.low[i];
  }
  for (int from = 0; from < layout.loop.steps; from += part) {
    const int to = whole || from + part > layout.loop.steps ? layout.loop.steps : from + part;
    if constexpr (pairs == 4)
      weights = multiply_four_pairs<layout.loop.unroll>(weights, inputs + 2 * from, inputs + 2 * to,
                                                        sums);
    else
      weights = multiply_pairs<pairs>(weights, inputs + 2 * from, inputs + 2 * to, sums);
    for (int i = 0; i < pairs && !whole; ++i) {
      high[i] += (sums.both[i] - sums.low[i]) >> 8;
      sums.both[i] = sums.low[i];
    }
  }
  for (int i = 0; i < count; ++i) {
    const std::int32_t multiplier = channels[i / 2].multiplier[i % 2];
    if (i % 2 == 0)
      out[i] = requantize<L>(sums.low[i / 2], multiplier);
    else
      out[i] = whole ? requantize<L, 8>(sums.both[i / 2] - sums.low[i / 2], multiplier)
                     : requantize<L>(high[i / 2], multiplier);
  }
}

/// The input as int16 in the order of a step.
template <int inputs>
ASSAY_INLINE void expand_inputs(const std::int8_t* in, std::uint32_t* to) {
  for (int i = 0; i < inputs / 4; ++i, in += 4, to += 2) {
    const std::uint32_t word = load_word(in);
    to[0] = sxtb16(word);
    to[1] = sxtb16_odd(word);
  }
  auto* halves = reinterpret_cast<std::int16_t*>(to);
  for (int i = 0; i < inputs % 4; ++i)
    halves[(i & 1) * 2 + (i >> 1)] = in[i];
}

}  // namespace dsp

template <class L>
void dense_dsp(const std::int8_t* in, std::int8_t* out, void* memory) {
  auto* inputs = static_cast<std::uint32_t*>(memory);
  dsp::expand_inputs<L::in_height * L::in_width * L::in_channels>(in, inputs);
  const std::uint32_t* weights = L::pairs;
  const auto* channels = reinterpret_cast<const dsp::ChannelPair*>(L::channels);
  for (int block = 0; block < L::out_channels / 8; ++block, channels += 4, out += 8)
    dsp::dense_block<L, 4, 8>(weights, channels, inputs, out);
  constexpr int left = L::out_channels % 8;
  if constexpr (left == 7)
    dsp::dense_block<L, 4, 7>(weights, channels, inputs, out);
  else if constexpr (left > 0)
    dsp::dense_block<L, (left + 1) / 2, left>(weights, channels, inputs, out);
}

}  // namespace assay::kernels

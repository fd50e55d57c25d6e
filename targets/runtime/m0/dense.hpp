// Dense layer for Armv6-M, and convolution of one or two pixels or of more channels than
// conv_parts.hpp has room for: eight output channels at a time, weights stored + 128; see
// layout.hpp. A window is taken in pieces that lie together in memory. A dense layer of few enough
// inputs has them as words in scratch memory, for all its channels. L has, besides the members of
// layer.hpp:
//   std::uint8_t blocks[]      weights + 128, [block of 8 channels][input][channel]
//   std::int8_t singles[]      weights of the channels after the blocks, [channel][input]
//   std::int32_t bias[], multiplier[]  of all channels, those of the blocks filled up
#pragma once

#include "targets/runtime/m0/layout.hpp"
#include "targets/runtime/m0/requantize.hpp"
#include "targets/runtime/pixel_window.hpp"

namespace assay::kernels {

namespace m0 {

#define ASSAY_M0_DENSE_MAC(input, add, sum) \
  "ldrb r0, [r6, #assay_offset]\n\t"        \
  ".set assay_offset, assay_offset + 1\n\t" \
  "muls r0, " input ", r0\n\t" add " " sum ", r0\n\t"

// The input in the low register `a` times the weights of eight channels.
#define ASSAY_M0_DENSE_EIGHT(a)       \
  ASSAY_M0_DENSE_MAC(a, "add", "r8")  \
  ASSAY_M0_DENSE_MAC(a, "add", "r9")  \
  ASSAY_M0_DENSE_MAC(a, "add", "r10") \
  ASSAY_M0_DENSE_MAC(a, "add", "r11") \
  ASSAY_M0_DENSE_MAC(a, "add", "r12") \
  ASSAY_M0_DENSE_MAC(a, "add", "lr")  \
  ASSAY_M0_DENSE_MAC(a, "adds r4,", "r4") ASSAY_M0_DENSE_MAC(a, "adds r5,", "r5")

// The same with the input at `from` + r2.
#define ASSAY_M0_DENSE_INPUT(from) "ldrsb r1, [" from ", r2]\n\t" ASSAY_M0_DENSE_EIGHT("r1")

// The eight sums from the address in r3 and back to the one on the stack.
#define ASSAY_M0_DENSE_BEGIN        \
  "push {r3}\n\t"                   \
  "ldmia r3!, {r0, r1, r4, r5}\n\t" \
  "mov r8, r0\n\t"                  \
  "mov r9, r1\n\t"                  \
  "mov r10, r4\n\t"                 \
  "mov r11, r5\n\t"                 \
  "ldmia r3!, {r0, r1, r4, r5}\n\t" \
  "mov r12, r0\n\t"                 \
  "mov lr, r1\n\t"
#define ASSAY_M0_DENSE_END  \
  "pop {r3}\n\t"            \
  "mov r0, r8\n\t"          \
  "mov r1, r9\n\t"          \
  "stmia r3!, {r0, r1}\n\t" \
  "mov r0, r10\n\t"         \
  "mov r1, r11\n\t"         \
  "stmia r3!, {r0, r1}\n\t" \
  "mov r0, r12\n\t"         \
  "mov r1, lr\n\t"          \
  "stmia r3!, {r0, r1, r4, r5}"

/// Adds the products of eight channels with `count` inputs, a multiple of `unroll`, to `sums`;
/// returns the weights after them. `unroll` is 1, or even and at most 4: LDRB reaches 32 weights.
/// 26 instructions for 8 multiply-accumulates. Registers: r4, r5, r8-r12, lr sums, r6 weights, r7
/// and r3 inputs and the ones after them, r2 index of the input (counts up to 0), r0 and r1
/// operands.
template <int unroll>
ASSAY_INLINE const std::uint8_t* multiply_eight(const std::uint8_t* weights,
                                                const std::int8_t* inputs, int count,
                                                std::int32_t (&sums)[8]) {
  register std::int32_t r2 asm("r2") = -count;
  register std::int32_t* r3 asm("r3") = sums;
  register const std::uint8_t* r6 asm("r6") = weights;
  register const std::int8_t* r7 asm("r7") = inputs + count;
  asm volatile(
      ".syntax unified\n\t"
      ASSAY_M0_DENSE_BEGIN
      "adds r3, r7, #1\n"
      "1:\n\t"
      ".set assay_offset, 0\n\t"
      ".if %c[unroll] == 1\n\t"
      ASSAY_M0_DENSE_INPUT("r7")
      "adds r6, r6, #8\n\t"
      "adds r2, r2, #1\n\t"
      ".endif\n\t"
      ".rept %c[unroll] / 2\n\t"
      ASSAY_M0_DENSE_INPUT("r7")
      ASSAY_M0_DENSE_INPUT("r3")
      ".if assay_offset == 8 * %c[unroll]\n\t"
      "adds r6, r6, #assay_offset\n\t"
      ".endif\n\t"
      "adds r2, r2, #2\n\t"
      ".endr\n\t"
      "bne 1b\n\t"
      ASSAY_M0_DENSE_END ASSAY_LINES_48 ASSAY_LINES_48
      : "+r"(r2), "+r"(r3), "+r"(r6), "+r"(r7)
      : [unroll] "i"(unroll)
      : "r0", "r1", "r4", "r5", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
  return r6;
}

/// The same with inputs as words, four at a time, from `inputs` up to `end`: 25.25 instructions for
/// 8 multiply-accumulates. Registers: as above; r7 inputs and r3 their end, r0-r2 operands.
ASSAY_INLINE const std::uint8_t* multiply_eight(const std::uint8_t* weights,
                                                const std::int32_t* inputs, const std::int32_t* end,
                                                std::int32_t (&sums)[8]) {
  register const std::int32_t* r2 asm("r2") = end;
  register std::int32_t* r3 asm("r3") = sums;
  register const std::uint8_t* r6 asm("r6") = weights;
  register const std::int32_t* r7 asm("r7") = inputs;
  asm volatile(
      ".syntax unified\n\t"
      ASSAY_M0_DENSE_BEGIN
      "movs r3, r2\n"
      "1:\n\t"
      ".set assay_offset, 0\n\t"
      ".rept 2\n\t"
      "ldmia r7!, {r1, r2}\n\t"
      ASSAY_M0_DENSE_EIGHT("r1")
      ASSAY_M0_DENSE_EIGHT("r2")
      ".endr\n\t"
      "adds r6, r6, #assay_offset\n\t"
      "cmp r7, r3\n\t"
      "bne 1b\n\t"
      ASSAY_M0_DENSE_END ASSAY_LINES_48
      : "+r"(r2), "+r"(r3), "+r"(r6), "+r"(r7)
      :
      : "r0", "r1", "r4", "r5", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
  return r6;
}

#undef ASSAY_M0_DENSE_MAC
#undef ASSAY_M0_DENSE_EIGHT
#undef ASSAY_M0_DENSE_INPUT
#undef ASSAY_M0_DENSE_BEGIN
#undef ASSAY_M0_DENSE_END

/// Adds the products of eight channels with the inputs of a piece; advances `weights`. The inputs
/// up to `words` lie as words at `expanded`.
template <int length, int words>
ASSAY_INLINE void multiply_piece(const std::uint8_t*& weights, const std::int8_t* inputs,
                                 const std::int32_t* expanded, std::int32_t (&sums)[8]) {
  constexpr int fours = length / 4 * 4;
  static_assert(words == 0 || words == fours);
  if constexpr (words > 0)
    weights = multiply_eight(weights, expanded, expanded + words, sums);
  else if constexpr (fours > 0)
    weights = multiply_eight<4>(weights, inputs, fours, sums);
  if constexpr (fours < length)
    weights = multiply_eight<1>(weights, inputs + fours, length - fours, sums);
}

/// Writes the first `count` of eight channels.
template <class L, int count>
ASSAY_INLINE void put_eight(const std::int32_t (&sums)[8], const std::int32_t* multiplier,
                            std::int8_t* out) {
#pragma GCC unroll 8
  for (int i = 0; i < count; ++i)
    out[i] = requantize<L>(sums[i], multiplier[i]);
}

/// All channels of a window, whose pieces are found as in pixel_window.hpp. There is room for
/// `words` inputs as words at `expanded`, for a window of one piece.
template <class L, int words, class Window>
ASSAY_INLINE void multiply_window(const Window& window, std::int8_t* out,
                                  std::int32_t* expanded = nullptr) {
  constexpr DenseLayout layout(L::out_channels);
  constexpr int length = Window::length;
  const std::int32_t* multiplier = L::multiplier;
  const std::int32_t* bias = L::bias;
  const std::uint8_t* weights = L::blocks;
  if constexpr (layout.blocks > 0) {
    // Weights are 128 too large, so every sum is 128 * sum(a) too large.
    std::int32_t surplus = 0;
    for (int p = 0; p < Window::pieces; ++p) {
      const std::int8_t* inputs = window.piece(p);
#pragma GCC unroll 8
      for (int i = 0; i < length; ++i) {
        surplus += inputs[i];
        if (i < words) expanded[i] = inputs[i];
      }
    }
    surplus *= weight_offset;
    for (int block = 0; block < layout.blocks; ++block) {
      std::int32_t sums[8];
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i)
        sums[i] = bias[i] - surplus;
      for (int p = 0; p < Window::pieces; ++p)
        multiply_piece<length, words>(weights, window.piece(p), expanded, sums);
      constexpr int last = L::out_channels - 8 * (layout.blocks - 1);
      if (last >= 8 || block + 1 < layout.blocks)
        put_eight<L, 8>(sums, multiplier, out);
      else
        put_eight<L, last>(sums, multiplier, out);
      bias += 8;
      multiplier += 8;
      out += 8;
    }
  }
  const std::int8_t* single = L::singles;
  for (int i = 0; i < layout.singles; ++i) {
    std::int32_t sum = *bias++;
    for (int p = 0; p < Window::pieces; ++p) {
      const std::int8_t* inputs = window.piece(p);
      for (int k = 0; k < length; ++k)
        sum += *single++ * inputs[k];
    }
    *out++ = requantize<L>(sum, *multiplier++);
  }
}

}  // namespace m0

template <class L>
void dense_m0(const std::int8_t* in, std::int8_t* out, void* scratch) {
  constexpr int words = m0::dense_input_words(WholeInput<L>::length, L::out_channels);
  m0::multiply_window<L, words>(WholeInput<L>{in}, out, static_cast<std::int32_t*>(scratch));
}

template <class L>
void conv_wide_m0(const std::int8_t* in, std::int8_t* out, void* scratch) {
  PixelWindow<L> window(in, scratch);
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += L::out_channels) {
      window.move_to(y, x);
      m0::multiply_window<L, 0>(window, out);
    }
}

}  // namespace assay::kernels

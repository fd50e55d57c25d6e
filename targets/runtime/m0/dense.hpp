// Dense layer for Armv6-M, and convolution whose windows are too long to be unpacked into scratch
// memory: eight output channels at a time, weights stored + 128; see layout.hpp. A window is taken
// in pieces that lie together in memory. L has, besides the members of layer.hpp:
//   std::uint8_t blocks[]      weights + 128, [block of 8 channels][input][channel]
//   std::int8_t singles[]      weights of the channels after the blocks, [channel][input]
//   std::int32_t bias[], multiplier[]  of all channels, those of the blocks filled up
#pragma once

#include "targets/runtime/m0/layout.hpp"
#include "targets/runtime/m0/requantize.hpp"
#include "targets/runtime/pixel_window.hpp"

namespace assay::kernels {

namespace m0 {

#define ASSAY_M0_DENSE_MAC(add, sum)        \
  "ldrb r0, [r6, #assay_offset]\n\t"        \
  ".set assay_offset, assay_offset + 1\n\t" \
  "muls r0, r1, r0\n\t" add " " sum ", r0\n\t"

// The input at `from` + r2 times the weights of eight channels.
#define ASSAY_M0_DENSE_INPUT(from)                                                               \
  "ldrsb r1, [" from ", r2]\n\t" ASSAY_M0_DENSE_MAC("add", "r8") ASSAY_M0_DENSE_MAC("add", "r9") \
      ASSAY_M0_DENSE_MAC("add", "r10") ASSAY_M0_DENSE_MAC("add", "r11")                          \
          ASSAY_M0_DENSE_MAC("add", "r12") ASSAY_M0_DENSE_MAC("add", "lr")                       \
              ASSAY_M0_DENSE_MAC("adds r4,", "r4") ASSAY_M0_DENSE_MAC("adds r5,", "r5")

/// Adds the products of eight channels with `count` inputs, a multiple of `unroll`, to `sums`;
/// returns the weights after them. `unroll` is 1, or even and at most 4: LDRB reaches 32 weights.
/// 25.5 instructions for 8 multiply-accumulates. Registers: r4, r5, r8-r12, lr sums, r6 weights, r7
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
      "push {r3}\n\t"
      "ldmia r3!, {r0, r1, r4, r5}\n\t"
      "mov r8, r0\n\t"
      "mov r9, r1\n\t"
      "mov r10, r4\n\t"
      "mov r11, r5\n\t"
      "ldmia r3!, {r0, r1, r4, r5}\n\t"
      "mov r12, r0\n\t"
      "mov lr, r1\n\t"
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
      "pop {r3}\n\t"
      "mov r0, r8\n\t"
      "mov r1, r9\n\t"
      "stmia r3!, {r0, r1}\n\t"
      "mov r0, r10\n\t"
      "mov r1, r11\n\t"
      "stmia r3!, {r0, r1}\n\t"
      "mov r0, r12\n\t"
      "mov r1, lr\n\t"
      "stmia r3!, {r0, r1, r4, r5}" ASSAY_LINES_48 ASSAY_LINES_48
      : "+r"(r2), "+r"(r3), "+r"(r6), "+r"(r7)
      : [unroll] "i"(unroll)
      : "r0", "r1", "r4", "r5", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
  return r6;
}

#undef ASSAY_M0_DENSE_MAC
#undef ASSAY_M0_DENSE_INPUT

/// All channels of a window, whose pieces are found as in pixel_window.hpp.
template <class L, class Window>
ASSAY_INLINE void multiply_window(const Window& window, std::int8_t* out) {
  constexpr DenseLayout layout(L::out_channels);
  constexpr int length = Window::length;
  const std::int32_t* multiplier = L::multiplier;
  const std::int32_t* bias = L::bias;
  const std::uint8_t* weights = L::blocks;
  int channel = 0;
  if constexpr (layout.blocks > 0) {
    // Weights are 128 too large, so every sum is 128 * sum(a) too large.
    std::int32_t surplus = 0;
    for (int p = 0; p < Window::pieces; ++p) {
      const std::int8_t* inputs = window.piece(p);
#pragma GCC unroll 8
      for (int i = 0; i < length; ++i)
        surplus += inputs[i];
    }
    surplus *= weight_offset;
    for (int block = 0; block < layout.blocks; ++block) {
      std::int32_t sums[8];
      for (std::int32_t& sum : sums)
        sum = *bias++ - surplus;
      for (int p = 0; p < Window::pieces; ++p) {
        constexpr int most = length / 4 * 4;
        const std::int8_t* inputs = window.piece(p);
        if constexpr (most > 0) weights = multiply_eight<4>(weights, inputs, most, sums);
        if constexpr (most < length)
          weights = multiply_eight<1>(weights, inputs + most, length - most, sums);
      }
      for (int i = 0; i < 8 && channel < L::out_channels; ++i)
        out[channel++] = requantize<L>(sums[i], *multiplier++);
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
    out[channel++] = requantize<L>(sum, *multiplier++);
  }
}

}  // namespace m0

template <class L>
void dense_m0(const std::int8_t* in, std::int8_t* out, void*) {
  m0::multiply_window<L>(WholeInput<L>{in}, out);
}

template <class L>
void conv_wide_m0(const std::int8_t* in, std::int8_t* out, void* scratch) {
  PixelWindow<L> window(in, scratch);
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += L::out_channels) {
      window.move_to(y, x);
      m0::multiply_window<L>(window, out);
    }
}

}  // namespace assay::kernels

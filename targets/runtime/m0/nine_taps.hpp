// The inner loop of a depthwise 3x3 convolution for Armv6-M: all outputs of one channel of a band,
// the nine weights in registers.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/m0/layout.hpp"
#include "targets/runtime/m0/plane.hpp"
#include "targets/runtime/m0/requantize.hpp"

namespace assay::kernels::m0 {

// The offset of a tap in the window.
#define ASSAY_M0_AT(row, column) \
  "(" #row " * %c[tap_row] + " #column " * %c[tap_column] + assay_window)"

// The tap at `a` with the weight that `load` brings to r1.
#define ASSAY_M0_TAP(load, a)     \
  "ldr r0, [r3, #" a "]\n\t" load \
  "\n\t"                          \
  "muls r0, r1, r0\n\t"

// Adds the products in r0 to the two sums: lr holds both, r2 the high one (see four_pixels.hpp).
#define ASSAY_M0_ADD_TAPS \
  "add lr, r0\n\t"        \
  "asrs r0, r0, #16\n\t"  \
  "adcs r2, r0\n\t"

// The taps at `a` and `b`, the latter with its weight in the low register `wb`.
#define ASSAY_M0_TWO_TAPS(load_a, a, wb, b) \
  ASSAY_M0_TAP(load_a, a)                   \
  "ldr r1, [r3, #" b                        \
  "]\n\t"                                   \
  "muls r1, " wb                            \
  ", r1\n\t"                                \
  "adds r0, r0, r1\n\t" ASSAY_M0_ADD_TAPS

// Weight `index` of the filter at r3 to r0, and on to where `keep` puts it.
#define ASSAY_M0_KEPT_WEIGHT(index, keep) \
  "movs r0, #" index                      \
  "\n\t"                                  \
  "ldrsb r0, [r3, r0]\n\t" keep "\n\t"

#define ASSAY_M0_LOW_WEIGHT(index, weight) \
  "movs " weight ", #" index               \
  "\n\t"                                   \
  "ldrsb " weight ", [r3, " weight "]\n\t"

/// How the inner loop walks: along lines of outputs, next to each other in the plane.
template <class L>
struct Walk {
  static constexpr DepthwiseLayout layout = depthwise_layout<L>;
  static constexpr int out_row = L::out_width * L::out_channels;
  static constexpr bool down = layout.by_columns;
  static constexpr int steps = down ? layout.half : layout.strip;
  static constexpr int lines = down ? layout.strip : layout.half;
  // In bytes of the plane and of the output.
  static constexpr int step =
      4 * (down ? layout.word(L::stride_height, 0) : layout.word(0, L::stride_width));
  static constexpr int line =
      4 * (down ? layout.word(0, L::stride_width) : layout.word(L::stride_height, 0));
  static constexpr int out_step = down ? out_row : L::out_channels;
  static constexpr int out_line = down ? L::out_channels : out_row;
  static constexpr int tap(int index) { return 4 * layout.word(index / 3, index % 3); }
};

/// Registers: r3 window, r4-r7 and r10-r12 weights, lr and r2 sums, r0 and r1 products, r8 b' in
/// both halves, r9 end of a line of outputs; on the stack two weights and what r1-r5 and r7 hold at
/// first. About 68 instructions for 18 multiply-accumulates and two outputs, and up to four an
/// iteration.
template <class L>
ASSAY_INLINE void filter_nine_taps(const std::int32_t* plane, const std::int8_t* filter,
                                   const std::int32_t* parameters, std::int8_t* out) {
  using W = Walk<L>;
  constexpr int line_gap = W::line - W::steps * W::step;
  constexpr int reach = (124 - W::tap(8)) / W::step + 1;  // of LDR, in windows
  constexpr int unroll = largest_divisor(W::steps, reach < 4 ? reach : 4);
  static_assert(line_gap >= 0 && W::line < 256 && W::tap(8) < 128);
  // b' in both halves, b', m, the output, bytes from the output of the lower row to that of the
  // higher, from the end of a line of outputs to the next, the end of the plane.
  register std::int32_t r0 asm("r0") =
      static_cast<std::int32_t>(static_cast<std::uint32_t>(parameters[0]) * 65537u);
  register std::int32_t r1 asm("r1") = parameters[0];
  register std::int32_t r2 asm("r2") = parameters[1];
  register std::int8_t* r3 asm("r3") = out;
  register std::int32_t r4 asm("r4") = W::layout.distance * W::out_row;
  register std::int32_t r5 asm("r5") = W::out_line - W::steps * W::out_step;
  register const std::int32_t* r7 asm("r7") = plane + W::lines * W::line / 4;
  register const std::int32_t* r8 asm("r8") = plane;
  register const std::int8_t* r9 asm("r9") = filter;
  asm volatile(
      ".syntax unified\n\t"
      "push {r0-r7}\n\t"
      "mov r3, r9\n\t"
      "mov r1, r8\n\t"
      "mov r8, r0\n\t"
      "movs r6, #%c[line] - %c[line_gap]\n\t"
      "add r6, r1\n\t"
      "mov r9, r6\n\t"
      ASSAY_M0_KEPT_WEIGHT("0", "mov r10, r0")
      ASSAY_M0_LOW_WEIGHT("1", "r4")
      ASSAY_M0_KEPT_WEIGHT("2", "mov r11, r0")
      ASSAY_M0_LOW_WEIGHT("3", "r5")
      ASSAY_M0_KEPT_WEIGHT("4", "mov r12, r0")
      ASSAY_M0_LOW_WEIGHT("5", "r6")
      ASSAY_M0_KEPT_WEIGHT("6", "str r0, [sp, #0]")
      ASSAY_M0_LOW_WEIGHT("7", "r7")
      ASSAY_M0_KEPT_WEIGHT("8", "str r0, [sp, #24]")
      "mov r3, r1\n"
      "1:\n\t"
      ".set assay_window, 0\n\t"
      ".rept %c[unroll]\n\t"
      "mov lr, r8\n\t"
      "ldr r2, [sp, #4]\n\t"
      ASSAY_M0_TWO_TAPS("mov r1, r10", ASSAY_M0_AT(0, 0), "r4", ASSAY_M0_AT(0, 1))
      ASSAY_M0_TWO_TAPS("mov r1, r11", ASSAY_M0_AT(0, 2), "r5", ASSAY_M0_AT(1, 0))
      ASSAY_M0_TWO_TAPS("mov r1, r12", ASSAY_M0_AT(1, 1), "r6", ASSAY_M0_AT(1, 2))
      ASSAY_M0_TWO_TAPS("ldr r1, [sp, #0]", ASSAY_M0_AT(2, 0), "r7", ASSAY_M0_AT(2, 1))
      ASSAY_M0_TAP("ldr r1, [sp, #24]", ASSAY_M0_AT(2, 2))
      ASSAY_M0_ADD_TAPS
      "lsls r0, r2, #16\n\t"
      "mov r1, lr\n\t"
      "subs r1, r1, r0\n\t"
      "ldr r0, [sp, #8]\n\t"
      ASSAY_M0_SCALE("r1", "r0")
      ASSAY_M0_SCALE("r2", "r0")
      ASSAY_M0_CLAMP("r0", "r1")
      "ldr r1, [sp, #12]\n\t"
      "strb r0, [r1]\n\t"
      ASSAY_M0_CLAMP("r0", "r2")
      "ldr r2, [sp, #16]\n\t"
      "strb r0, [r1, r2]\n\t"
      ".if %c[out_step] < 256\n\t"
      "adds r1, r1, #%c[out_step]\n\t"
      ".else\n\t"
      "ldr r0, 4f\n\t"
      "adds r1, r1, r0\n\t"
      ".endif\n\t"
      "str r1, [sp, #12]\n\t"
      ".set assay_window, assay_window + %c[step]\n\t"
      ".endr\n\t"
      "adds r3, r3, #assay_window\n\t"
      "cmp r3, r9\n\t"
      "beq 2f\n\t"
      "b 1b\n"  // out of reach for a conditional branch
      "2:\n\t"
      // The next line.
      "adds r3, r3, #%c[line_gap]\n\t"
      "movs r0, #%c[line]\n\t"
      "add r9, r0\n\t"
      "ldr r0, [sp, #20]\n\t"
      "adds r1, r1, r0\n\t"
      "str r1, [sp, #12]\n\t"
      "ldr r0, [sp, #28]\n\t"
      "cmp r3, r0\n\t"
      "beq 3f\n\t"
      "b 1b\n\t"
      ".balign 4\n"
      "4:\n\t"
      ".word %c[out_step]\n"
      "3:\n\t"
      "add sp, #32" ASSAY_LINES_192 ASSAY_LINES_48 ASSAY_LINES_48
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r7), "+r"(r8),
        "+r"(r9)
      : [unroll] "i"(unroll), [tap_row] "i"(W::tap(3)), [tap_column] "i"(W::tap(1)), [step] "i"(W::step), [line] "i"(W::line), [line_gap] "i"(line_gap),
        [out_step] "i"(W::out_step), ASSAY_M0_REQUANTIZE_OPERANDS(L)
      : "r6", "r10", "r11", "r12", "lr", "cc", "memory");
}

#undef ASSAY_M0_AT
#undef ASSAY_M0_TAP
#undef ASSAY_M0_ADD_TAPS
#undef ASSAY_M0_TWO_TAPS
#undef ASSAY_M0_KEPT_WEIGHT
#undef ASSAY_M0_LOW_WEIGHT

}  // namespace assay::kernels::m0

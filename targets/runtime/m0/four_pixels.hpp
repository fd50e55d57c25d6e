// Inner loops of convolutions for Armv6-M: one output channel at four pixels, two pixels to a MULS;
// see layout.hpp for the words. Weights come as words in scratch, or as bytes from flash.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/m0/requantize.hpp"

namespace assay::kernels::m0 {

/// Sums of one channel at four pixels: of the lower and the higher halves of two words, which in a
/// tile are the pixels 0 and 2 and the pixels 1 and 3.
struct FourSums {
  std::int32_t low0;
  std::int32_t high0;
  std::int32_t low1;
  std::int32_t high1;
};

/// `both` is sum + sum' * 2^16, modulo 2^32, `high` is sum' of two pairs of pixels.
ASSAY_INLINE FourSums split_sums(std::int32_t both0, std::int32_t high0, std::int32_t both1,
                                 std::int32_t high1) {
  // Unsigned, because the high sum may be shifted out.
  const auto low = [](std::int32_t both, std::int32_t high) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(both) -
                                     (static_cast<std::uint32_t>(high) << 16));
  };
  return {low(both0, high0), high0, low(both1, high1), high1};
}

/// What the sums of a pair of pixels start with.
ASSAY_INLINE std::int32_t bias_of_both(std::int32_t bias) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(bias) * 65537u);
}

/// Sums as loops gather them, for those that go on in another loop.
struct OpenSums {
  std::int32_t both0;
  std::int32_t high0;
  std::int32_t both1;
  std::int32_t high1;
};
ASSAY_INLINE OpenSums open_sums(std::int32_t bias) {
  return {bias_of_both(bias), bias, bias_of_both(bias), bias};
}
ASSAY_INLINE FourSums split_sums(const OpenSums& sums) {
  return split_sums(sums.both0, sums.high0, sums.both1, sums.high1);
}

// Adds `sums`, two sums of products in one word, to `both`, which gathers sum + sum' * 2^16 modulo
// 2^32, and the higher one to `high`: ASRS leaves bit 15, the sign of the lower sum, in the carry,
// and ADCS adds back the 1 that it borrowed from the higher one.
#define ASSAY_M0_SPLIT(sums, both, high) \
  "add " both ", " sums                  \
  "\n\t"                                 \
  "asrs " sums ", " sums                 \
  ", #16\n\t"                            \
  "adcs " high ", " sums "\n\t"

// Two pixels, two inputs in memory at r7, with the weights in r2 and r3: two sums in r0.
#define ASSAY_M0_TWO_PRODUCTS \
  "ldmia r7!, {r0, r1}\n\t"   \
  "muls r0, r2, r0\n\t"       \
  "muls r1, r3, r1\n\t"       \
  "adds r0, r0, r1\n\t"

#define ASSAY_M0_TWO_PIXELS(both, high) \
  ASSAY_M0_TWO_PRODUCTS                 \
  ASSAY_M0_SPLIT("r0", both, high)

/// bias + the products of a filter unpacked to words, up to `end`, with columns; advances `columns`
/// as far. 15 instructions for 8 multiply-accumulates. Registers: r4, r5, r8, r9 sums, r6 and r7
/// pointers, r10 end, r0 and r1 products, r2 and r3 weights.
template <int unroll>
ASSAY_INLINE FourSums multiply_words(const std::int32_t* filter, const std::int32_t* end,
                                     const std::int32_t*& columns, std::int32_t bias) {
  register std::int32_t r0 asm("r0") = bias_of_both(bias);
  register std::int32_t r1 asm("r1");
  register const std::int32_t* r2 asm("r2") = end;
  register std::int32_t r4 asm("r4") = bias;
  register std::int32_t r5 asm("r5");
  register const std::int32_t* r6 asm("r6") = filter;
  register const std::int32_t* r7 asm("r7") = columns;
  asm volatile(
      ".syntax unified\n\t"
      "mov r10, r2\n\t"
      "mov r8, r0\n\t"
      "mov r9, r0\n\t"
      "mov r5, r4\n"
      "1:\n\t"
      ".rept %c[unroll]\n\t"
      "ldmia r6!, {r2, r3}\n\t"
      ASSAY_M0_TWO_PIXELS("r8", "r4")
      ASSAY_M0_TWO_PIXELS("r9", "r5")
      ".endr\n\t"
      "cmp r6, r10\n\t"
      "bne 1b\n\t"
      "mov r0, r8\n\t"
      "mov r1, r9" ASSAY_LINES_48 ASSAY_LINES_48
      : "+r"(r0), "=r"(r1), "+r"(r2), "+r"(r4), "=r"(r5), "+r"(r6), "+r"(r7)
      : [unroll] "i"(unroll)
      : "r3", "r8", "r9", "r10", "cc", "memory");
  columns = r7;
  return split_sums(r0, r4, r1, r5);
}

// The output of a sum, with the multiplier in r3, to the address in r6, which advances by a pixel.
#define ASSAY_M0_PUT_PIXEL(sum)        \
  ASSAY_M0_SCALE(sum, "r3")            \
  ASSAY_M0_CLAMP("r2", sum)            \
  "strb r2, [r6]\n\t"                  \
  ".if %c[out_channels] < 256\n\t"     \
  "adds r6, r6, #%c[out_channels]\n\t" \
  ".else\n\t"                          \
  "ldr r2, [sp, #8]\n\t"               \
  "adds r6, r6, r2\n\t"                \
  ".endif\n\t"

/// One output channel, to `out` and a pixel further each: the products of a filter unpacked to
/// words, as in multiply_words, with the columns of one or more groups of four pixels. 49
/// instructions for a group beside those of its products. Registers: as multiply_words; r11 filter,
/// r12 b' in both halves, lr end of the columns; on the stack b', the multiplier, the pixel's bytes
/// and the output.
template <class L, int unroll>
ASSAY_INLINE void convolve_groups(const std::int32_t* filter, const std::int32_t* filter_end,
                                  const std::int32_t* columns, const std::int32_t* columns_end,
                                  const std::int32_t* channel, std::int8_t* out) {
  register std::int32_t r0 asm("r0") = bias_of_both(channel[0]);
  register std::int32_t r1 asm("r1") = channel[0];
  register std::int32_t r2 asm("r2") = channel[1];
  register const std::int32_t* r3 asm("r3") = columns_end;
  register std::int32_t r4 asm("r4") = L::out_channels;
  register std::int8_t* r5 asm("r5") = out;
  register const std::int32_t* r6 asm("r6") = filter;
  register const std::int32_t* r7 asm("r7") = columns;
  register const std::int32_t* r8 asm("r8") = filter_end;
  asm volatile(
      ".syntax unified\n\t"
      "push {r1, r2, r4, r5}\n\t"
      "mov r10, r8\n\t"
      "mov r11, r6\n\t"
      "mov r12, r0\n\t"
      "mov lr, r3\n"
      "1:\n\t"
      "mov r6, r11\n\t"
      "mov r8, r12\n\t"
      "mov r9, r12\n\t"
      "ldr r4, [sp, #0]\n\t"
      "movs r5, r4\n"
      "2:\n\t"
      ".rept %c[unroll]\n\t"
      "ldmia r6!, {r2, r3}\n\t"
      ASSAY_M0_TWO_PIXELS("r8", "r4")
      ASSAY_M0_TWO_PIXELS("r9", "r5")
      ".endr\n\t"
      "cmp r6, r10\n\t"
      "bne 2b\n\t"
      // The lower sums, as in split_sums.
      "mov r0, r8\n\t"
      "mov r1, r9\n\t"
      "lsls r2, r4, #16\n\t"
      "subs r0, r0, r2\n\t"
      "lsls r2, r5, #16\n\t"
      "subs r1, r1, r2\n\t"
      "ldr r3, [sp, #4]\n\t"
      "ldr r6, [sp, #12]\n\t"
      ASSAY_M0_PUT_PIXEL("r0")
      ASSAY_M0_PUT_PIXEL("r1")
      ASSAY_M0_PUT_PIXEL("r4")
      ASSAY_M0_PUT_PIXEL("r5")
      "str r6, [sp, #12]\n\t"
      "cmp r7, lr\n\t"
      "beq 3f\n\t"
      "b 1b\n"  // out of reach for a conditional branch
      "3:\n\t"
      "add sp, #16" ASSAY_LINES_48 ASSAY_LINES_48
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8)
      : [unroll] "i"(unroll), [out_channels] "i"(L::out_channels), ASSAY_M0_REQUANTIZE_OPERANDS(L)
      : "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

#undef ASSAY_M0_PUT_PIXEL

/// As multiply_words, with weights as bytes, added to `sums`: 18 instructions for 8
/// multiply-accumulates. `end` is that of the columns.
template <int unroll>
ASSAY_INLINE OpenSums multiply_bytes(const std::int8_t* filter, const std::int32_t*& columns,
                                     const std::int32_t* end, const OpenSums& sums) {
  register std::int32_t r0 asm("r0") = sums.both0;
  register std::int32_t r1 asm("r1") = sums.both1;
  register const std::int32_t* r2 asm("r2") = end;
  register std::int32_t r4 asm("r4") = sums.high0;
  register std::int32_t r5 asm("r5") = sums.high1;
  register const std::int8_t* r6 asm("r6") = filter;
  register const std::int32_t* r7 asm("r7") = columns;
  asm volatile(
      ".syntax unified\n\t"
      "mov r10, r2\n\t"
      "mov r8, r0\n\t"
      "mov r9, r1\n"
      "1:\n\t"
      ".set assay_offset, 0\n\t"
      ".rept %c[unroll]\n\t"
      "ldrh r3, [r6, #assay_offset]\n\t"
      ".set assay_offset, assay_offset + 2\n\t"
      "sxtb r2, r3\n\t"
      "lsls r3, r3, #16\n\t"
      "asrs r3, r3, #24\n\t"
      ASSAY_M0_TWO_PIXELS("r8", "r4")
      ASSAY_M0_TWO_PIXELS("r9", "r5")
      ".endr\n\t"
      "adds r6, r6, #assay_offset\n\t"
      "cmp r7, r10\n\t"
      "beq 2f\n\t"
      "b 1b\n"  // out of reach for a conditional branch
      "2:\n\t"
      "mov r0, r8\n\t"
      "mov r1, r9" ASSAY_LINES_192 ASSAY_LINES_48 ASSAY_LINES_48
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7)
      : [unroll] "i"(unroll)
      : "r3", "r8", "r9", "r10", "cc", "memory");
  columns = r7;
  return {r0, r4, r1, r5};
}

/// Like multiply_words, for weights in [-7, 7]: the sums of an iteration's products fit the halves
/// of a word, and are split up once. 98 instructions for 64 multiply-accumulates at `unroll` 8, its
/// largest value. Registers: as multiply_words, r10 and r11 sums of an iteration, r12 end.
template <int unroll>
ASSAY_INLINE FourSums multiply_small_words(const std::int32_t* filter, const std::int32_t* end,
                                           const std::int32_t*& columns, std::int32_t bias) {
  static_assert(2 * unroll * 7 * 128 < 32768);
  register std::int32_t r0 asm("r0") = bias_of_both(bias);
  register std::int32_t r1 asm("r1");
  register const std::int32_t* r2 asm("r2") = end;
  register std::int32_t r4 asm("r4") = bias;
  register std::int32_t r5 asm("r5");
  register const std::int32_t* r6 asm("r6") = filter;
  register const std::int32_t* r7 asm("r7") = columns;
  asm volatile(
      ".syntax unified\n\t"
      "mov r12, r2\n\t"
      "mov r8, r0\n\t"
      "mov r9, r0\n\t"
      "mov r5, r4\n"
      "1:\n\t"
      "ldmia r6!, {r2, r3}\n\t"
      ASSAY_M0_TWO_PRODUCTS
      "mov r10, r0\n\t"
      ASSAY_M0_TWO_PRODUCTS
      "mov r11, r0\n\t"
      ".rept %c[unroll] - 1\n\t"
      "ldmia r6!, {r2, r3}\n\t"
      ASSAY_M0_TWO_PRODUCTS
      "add r10, r0\n\t"
      ASSAY_M0_TWO_PRODUCTS
      "add r11, r0\n\t"
      ".endr\n\t"
      "mov r0, r10\n\t"
      ASSAY_M0_SPLIT("r0", "r8", "r4")
      "mov r0, r11\n\t"
      ASSAY_M0_SPLIT("r0", "r9", "r5")
      "cmp r6, r12\n\t"
      "bne 1b\n\t"
      "mov r0, r8\n\t"
      "mov r1, r9" ASSAY_LINES_48 ASSAY_LINES_48
      : "+r"(r0), "=r"(r1), "+r"(r2), "+r"(r4), "=r"(r5), "+r"(r6), "+r"(r7)
      : [unroll] "i"(unroll)
      : "r3", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
  columns = r7;
  return split_sums(r0, r4, r1, r5);
}

/// bias + the products of blocks of four inputs with columns. `records` are {w0, w1, offset of the
/// block's columns in bytes, w2, w3}, at least one of them. 33 instructions for 16
/// multiply-accumulates. Registers: as multiply_words, r11 the columns.
ASSAY_INLINE FourSums multiply_blocks(const std::int32_t* records, const std::int32_t* end,
                                      const std::int32_t* columns, std::int32_t bias) {
  register std::int32_t r0 asm("r0") = bias_of_both(bias);
  register const std::int32_t* r1 asm("r1") = columns;
  register const std::int32_t* r2 asm("r2") = end;
  register std::int32_t r3 asm("r3");
  register std::int32_t r4 asm("r4") = bias;
  register std::int32_t r5 asm("r5");
  register const std::int32_t* r6 asm("r6") = records;
  asm volatile(
      ".syntax unified\n\t"
      "mov r10, r2\n\t"
      "mov r11, r1\n\t"
      "mov r8, r0\n\t"
      "mov r9, r0\n\t"
      "mov r5, r4\n"
      "1:\n\t"
      "ldmia r6!, {r2, r3, r7}\n\t"
      "add r7, r11\n\t"
      ASSAY_M0_TWO_PIXELS("r8", "r4")
      ASSAY_M0_TWO_PIXELS("r9", "r5")
      "ldmia r6!, {r2, r3}\n\t"
      ASSAY_M0_TWO_PIXELS("r8", "r4")
      ASSAY_M0_TWO_PIXELS("r9", "r5")
      "cmp r6, r10\n\t"
      "bne 1b\n\t"
      "mov r0, r8\n\t"
      "mov r3, r9"
      : "+r"(r0), "+r"(r1), "+r"(r2), "=r"(r3), "+r"(r4), "=r"(r5), "+r"(r6)
      :
      : "r7", "r8", "r9", "r10", "r11", "cc", "memory");
  return split_sums(r0, r4, r3, r5);
}

/// bias + the products of single inputs with columns. `records` are {weight, offset of its columns
/// in bytes}, an even number of them and at least two. 22 instructions for 8 multiply-accumulates.
/// Registers: as multiply_blocks.
ASSAY_INLINE FourSums multiply_singles(const std::int32_t* records, const std::int32_t* end,
                                       const std::int32_t* columns, std::int32_t bias) {
  register std::int32_t r0 asm("r0") = bias_of_both(bias);
  register const std::int32_t* r1 asm("r1") = columns;
  register const std::int32_t* r2 asm("r2") = end;
  register std::int32_t r3 asm("r3");
  register std::int32_t r4 asm("r4") = bias;
  register std::int32_t r5 asm("r5");
  register const std::int32_t* r6 asm("r6") = records;
  asm volatile(
      ".syntax unified\n\t"
      "mov r10, r2\n\t"
      "mov r11, r1\n\t"
      "mov r8, r0\n\t"
      "mov r9, r0\n\t"
      "mov r5, r4\n"
      "1:\n\t"
      "ldmia r6!, {r2, r7}\n\t"
      "add r7, r11\n\t"
      "ldr r0, [r7]\n\t"
      "ldr r1, [r7, #8]\n\t"
      "muls r0, r2, r0\n\t"
      "muls r1, r2, r1\n\t"
      "ldmia r6!, {r2, r7}\n\t"
      "add r7, r11\n\t"
      "ldr r3, [r7]\n\t"
      "muls r3, r2, r3\n\t"
      "adds r0, r0, r3\n\t"
      "ldr r3, [r7, #8]\n\t"
      "muls r3, r2, r3\n\t"
      "adds r1, r1, r3\n\t"
      ASSAY_M0_SPLIT("r0", "r8", "r4")
      ASSAY_M0_SPLIT("r1", "r9", "r5")
      "cmp r6, r10\n\t"
      "bne 1b\n\t"
      "mov r0, r8\n\t"
      "mov r3, r9"
      : "+r"(r0), "+r"(r1), "+r"(r2), "=r"(r3), "+r"(r4), "=r"(r5), "+r"(r6)
      :
      : "r7", "r8", "r9", "r10", "r11", "cc", "memory");
  return split_sums(r0, r4, r3, r5);
}

#undef ASSAY_M0_SPLIT
#undef ASSAY_M0_TWO_PRODUCTS
#undef ASSAY_M0_TWO_PIXELS

}  // namespace assay::kernels::m0

// Inner loops of convolutions for Armv6-M: one output channel at four pixels, two pixels to a MULS;
// see layout.hpp for the words. Weights come as words in scratch, or as bytes from flash.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"

namespace assay::kernels::m0 {

/// Sums of one channel at four pixels.
struct FourSums {
  std::int32_t pixel[4];
};

/// `both` is sum + sum' * 2^16, modulo 2^32, `high` is sum' of two pairs of pixels.
ASSAY_INLINE FourSums split_sums(std::int32_t both0, std::int32_t high0, std::int32_t both1,
                                 std::int32_t high1) {
  // Unsigned, because the high sum may be shifted out.
  const auto low = [](std::int32_t both, std::int32_t high) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(both) -
                                     (static_cast<std::uint32_t>(high) << 16));
  };
  return {{low(both0, high0), high0, low(both1, high1), high1}};
}

/// What the sums of a pair of pixels start with.
ASSAY_INLINE std::int32_t bias_of_both(std::int32_t bias) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(bias) * 65537u);
}

// Two pixels, two inputs in memory at r7, weights in r2 and r3. `both` gathers
// sum + sum' * 2^16, modulo 2^32; `high` gathers sum': ASRS leaves bit 15, the sign of the low
// product sum, in the carry, and ADCS adds back the 1 that it borrowed from the high one.
#define ASSAY_M0_TWO_PIXELS(both, high) \
  "ldmia r7!, {r0, r1}\n\t"             \
  "muls r0, r2, r0\n\t"                 \
  "muls r1, r3, r1\n\t"                 \
  "adds r0, r0, r1\n\t"                 \
  "add " both                           \
  ", r0\n\t"                            \
  "asrs r0, r0, #16\n\t"                \
  "adcs " high ", r0\n\t"

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

/// The same with weights as bytes: 18 instructions for 8 multiply-accumulates. `end` is that of the
/// columns.
template <int unroll>
ASSAY_INLINE FourSums multiply_bytes(const std::int8_t* filter, const std::int32_t*& columns,
                                     const std::int32_t* end, std::int32_t bias) {
  register std::int32_t r0 asm("r0") = bias_of_both(bias);
  register std::int32_t r1 asm("r1");
  register const std::int32_t* r2 asm("r2") = end;
  register std::int32_t r4 asm("r4") = bias;
  register std::int32_t r5 asm("r5");
  register const std::int8_t* r6 asm("r6") = filter;
  register const std::int32_t* r7 asm("r7") = columns;
  asm volatile(
      ".syntax unified\n\t"
      "mov r10, r2\n\t"
      "mov r8, r0\n\t"
      "mov r9, r0\n\t"
      "mov r5, r4\n"
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
      "mov r1, r9" ASSAY_LINES_192
      : "+r"(r0), "=r"(r1), "+r"(r2), "+r"(r4), "=r"(r5), "+r"(r6), "+r"(r7)
      : [unroll] "i"(unroll)
      : "r3", "r8", "r9", "r10", "cc", "memory");
  columns = r7;
  return split_sums(r0, r4, r1, r5);
}

#undef ASSAY_M0_TWO_PIXELS

}  // namespace assay::kernels::m0

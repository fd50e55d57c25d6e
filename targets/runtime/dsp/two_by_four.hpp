// Sums of products of two channels at four pixels, with all of a core's registers: what
// convolutions whose weights and inputs are int16 pairs come down to.
#pragma once

#include <cstdint>

#include "targets/runtime/dsp/simd.hpp"

namespace assay::kernels::dsp {

/// Accumulators of two channels at four pixels.
struct TileSums {
  std::int32_t channel[2][4];
};

/// `sums` = `start` + the products of all steps from `columns` to `end`; returns the columns after
/// them. Eleven instructions for sixteen multiply-accumulates. Registers: 8 sums, 2 pointers, a
/// word of weights of either channel, 2 words of activations: all fourteen, so `end` waits on the
/// stack. They are named because GCC does not find an allocation of fourteen operands everywhere.
template <int unroll>
ASSAY_INLINE void multiply_two_by_four(const std::uint32_t* weights, const std::uint32_t* columns,
                                       const std::uint32_t* end, const TileSums& start,
                                       TileSums& sums) {
  register const std::uint32_t* r0 asm("r0") = weights;
  register const std::uint32_t* r1 asm("r1") = columns;
  register const std::uint32_t* r2 asm("r2") = end;
  register TileSums* r3 asm("r3") = &sums;
  register const TileSums* r12 asm("r12") = &start;
  asm volatile(
      "push {r2, r3}\n\t"
      "ldmia r12, {r4-r11}\n"
      "1:\n\t"
      ".rept %c[unroll]\n\t"
      "ldrd r2, r3, [r0], #8\n\t"
      "ldrd r12, lr, [r1], #8\n\t"
      "smlad r4, r2, r12, r4\n\t"
      "smlad r5, r2, lr, r5\n\t"
      "smlad r8, r3, r12, r8\n\t"
      "smlad r9, r3, lr, r9\n\t"
      "ldrd r12, lr, [r1], #8\n\t"
      "smlad r6, r2, r12, r6\n\t"
      "smlad r7, r2, lr, r7\n\t"
      "smlad r10, r3, r12, r10\n\t"
      "smlad r11, r3, lr, r11\n\t"
      ".endr\n\t"
      "ldr r2, [sp]\n\t"
      "cmp r1, r2\n\t"
      "bne 1b\n\t"
      "pop {r2, r3}\n\t"
      "stmia r3, {r4-r11}" ASSAY_LINES_192
      : "+r"(r0), "+r"(r1), "+r"(r12)
      : "r"(r2), "r"(r3), [unroll] "i"(unroll)
      : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "lr", "cc", "memory");
}

}  // namespace assay::kernels::dsp

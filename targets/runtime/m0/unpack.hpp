// Weights from flash to words in scratch.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/m0/layout.hpp"

namespace assay::kernels::m0 {

/// `count` bytes, a multiple of four at an aligned address, to signed words; advances `from`.
/// Eight instructions for four weights, and two for up to eight such words.
template <int count>
ASSAY_INLINE void unpack_bytes(const std::int8_t*& from, std::int32_t* to) {
  constexpr int unroll = largest_divisor(count / 4, 8);
  register const std::int8_t* r0 asm("r0") = from;
  register std::int32_t* r1 asm("r1") = to;
  register const std::int8_t* r7 asm("r7") = from + count;
  asm volatile(
      ".syntax unified\n"
      "1:\n\t"
      ".rept %c[unroll]\n\t"
      "ldmia r0!, {r5}\n\t"
      "sxtb r2, r5\n\t"
      "lsls r3, r5, #16\n\t"
      "asrs r3, r3, #24\n\t"
      "lsls r4, r5, #8\n\t"
      "asrs r4, r4, #24\n\t"
      "asrs r5, r5, #24\n\t"
      "stmia r1!, {r2, r3, r4, r5}\n\t"
      ".endr\n\t"
      "cmp r0, r7\n\t"
      "bne 1b" ASSAY_LINES_48 ASSAY_LINES_6 ASSAY_LINES_6
      : "+r"(r0), "+r"(r1)
      : [unroll] "i"(unroll), "r"(r7)
      : "r2", "r3", "r4", "r5", "cc", "memory");
  from = r0;
}

/// Blocks of four weights each to records {w0, w1, offset of the block's columns, w2, w3}.
/// Positions are blocks of a window, up to `end`. 13 instructions for a block; returns the end of
/// the records.
template <class Position>
ASSAY_INLINE std::int32_t* unpack_blocks(const Position*& position, const Position* end,
                                         const std::uint32_t*& weights, std::int32_t* to) {
  register const Position* r0 asm("r0") = position;
  register const std::uint32_t* r1 asm("r1") = weights;
  register std::int32_t* r6 asm("r6") = to;
  register const Position* r8 asm("r8") = end;
  if (position == end) return to;
  asm volatile(
      ".syntax unified\n"
      "1:\n\t"
      ".if %c[size] == 1\n\t"
      "ldrb r4, [r0]\n\t"
      ".else\n\t"
      "ldrh r4, [r0]\n\t"
      ".endif\n\t"
      "adds r0, r0, #%c[size]\n\t"
      "lsls r4, r4, #5\n\t"
      "ldmia r1!, {r7}\n\t"
      "sxtb r2, r7\n\t"
      "lsls r3, r7, #16\n\t"
      "asrs r3, r3, #24\n\t"
      "lsls r5, r7, #8\n\t"
      "asrs r5, r5, #24\n\t"
      "asrs r7, r7, #24\n\t"
      "stmia r6!, {r2, r3, r4, r5, r7}\n\t"
      "cmp r0, r8\n\t"
      "bne 1b"
      : "+r"(r0), "+r"(r1), "+r"(r6)
      : [size] "i"(sizeof(Position)), "r"(r8)
      : "r2", "r3", "r4", "r5", "r7", "cc", "memory");
  position = r0;
  weights = r1;
  return r6;
}

}  // namespace assay::kernels::m0

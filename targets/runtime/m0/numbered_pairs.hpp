// Pairs of weights whose values a byte of two 4-bit numbers chooses, for Armv6-M: two inputs to a
// MULS, as dense_packed.hpp describes.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"

namespace assay::kernels::m0 {

/// Words of the table of all pairs of 16 values.
inline constexpr int pair_table_words = 256;

/// The word of every pair, w0 + w1 * 2^16, at the number of w0 + 16 times that of w1.
template <int count>
ASSAY_INLINE void fill_pair_table(const std::int8_t (&values)[count], std::int32_t* table) {
  for (int second = 0; second < count; ++second)
    for (int first = 0; first < count; ++first)
      table[16 * second + first] = values[first] + values[second] * 65536;
}

}  // namespace assay::kernels::m0

// The weights numbered by byte `index` at r6, in the table at r3, times the pair of inputs in
// `pair`, added to r4; r2 is overwritten. ASRS leaves the sign of w0 * a1 in the carry, and ADCS
// adds back the 1 that it borrowed.
#define ASSAY_M0_NUMBERED_PAIR(index, pair) \
  "ldrb r2, [r6, #" index                   \
  "]\n\t"                                   \
  "lsls r2, r2, #2\n\t"                     \
  "ldr r2, [r3, r2]\n\t"                    \
  "muls " pair ", r2, " pair                \
  "\n\t"                                    \
  "asrs " pair ", " pair                    \
  ", #16\n\t"                               \
  "adcs r4, " pair "\n\t"

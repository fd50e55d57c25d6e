// The words of all pairs of up to 16 values, by which two numbers in a byte become two weights.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"

namespace assay::kernels::armv6 {

/// Word low + 16 * high of `table` becomes the halfwords (value of low, value of high). The row of
/// the first high one is made first, without it, and the others, then itself, are made of that.
template <class L>
ASSAY_INLINE void prepare_pairs(std::uint32_t* table) {
  constexpr int row_words = 16;
  constexpr int values = sizeof L::values;
  for (int low = 0; low < values; ++low)
    table[low] = static_cast<std::uint16_t>(L::values[low]);
  for (int high = values - 1; high >= 0; --high) {
    const std::uint32_t* from = table;
    std::uint32_t* to = table + high * row_words;
    const std::int32_t value = L::values[high];
    asm volatile(
        ".rept 4\n\t"
        "ldmia %[from]!, {r4, r5, r6, r7}\n\t"
        "orr r4, r4, %[high], lsl #16\n\t"
        "orr r5, r5, %[high], lsl #16\n\t"
        "orr r6, r6, %[high], lsl #16\n\t"
        "orr r7, r7, %[high], lsl #16\n\t"
        "stmia %[to]!, {r4, r5, r6, r7}\n\t"
        ".endr" ASSAY_LINES_48
        : [from] "+r"(from), [to] "+r"(to)
        : [high] "r"(value)
        : "r4", "r5", "r6", "r7", "memory");
  }
}

}  // namespace assay::kernels::armv6

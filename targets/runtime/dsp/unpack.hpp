// Decoders of packed weights: from flash to words of two int16, in the order of tile_layout.hpp.
// A decoder has
//   form                          its PackedForm
//   prepare(table)                fills RAM of form.table_bytes() before the first block
//   block(from, to, table)        decodes a block and advances both pointers
// Weights are at any address for codebooks, at word addresses for lanes.
#pragma once

#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/dsp/tile_layout.hpp"

namespace assay::kernels::dsp {

/// The low halves of two words, side by side.
ASSAY_INLINE std::uint32_t pack_halves(std::int32_t low, std::int32_t high) {
  std::uint32_t result;
  asm("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(low), "r"(high));
  return result;
}

/// Weights as parts of bytes; `bits` is 8, 4 or 2.
template <int bits>
struct Lanes {
  static constexpr PackedForm form{bits, false};

  static ASSAY_INLINE void prepare(std::uint32_t*) {}

  static ASSAY_INLINE void block(const std::uint8_t*& from, std::uint32_t*& to,
                                 const std::uint32_t*) {
    if constexpr (bits == 8)
      asm volatile(
          "ldmia %[from]!, {r4, r5}\n\t"
          "sxtb16 r8, r4\n\t"
          "sxtb16 r9, r4, ror #8\n\t"
          "sxtb16 r10, r5\n\t"
          "sxtb16 r11, r5, ror #8\n\t"
          "stmia %[to]!, {r8-r11}"
          : [from] "+r"(from), [to] "+r"(to)
          :
          : "r4", "r5", "r8", "r9", "r10", "r11", "memory");
    else if constexpr (bits == 4)
      asm volatile(
          "ldr r4, [%[from]], #4\n\t"
          "and r5, r4, %[mask]\n\t"
          "sxtb16 r8, r5\n\t"
          "sxtb16 r9, r5, ror #8\n\t"
          "and r5, %[mask], r4, lsl #4\n\t"
          "sxtb16 r10, r5\n\t"
          "sxtb16 r11, r5, ror #8\n\t"
          "stmia %[to]!, {r8-r11}"
          : [from] "+r"(from), [to] "+r"(to)
          : [mask] "r"(0xf0f0f0f0u)
          : "r4", "r5", "r8", "r9", "r10", "r11", "memory");
    else
      asm volatile(
          "ldr r4, [%[from]], #4\n\t"
          "and r5, r4, %[mask]\n\t"
          "sxtb16 r8, r5\n\t"
          "sxtb16 r9, r5, ror #8\n\t"
          "and r5, %[mask], r4, lsl #2\n\t"
          "sxtb16 r10, r5\n\t"
          "sxtb16 r11, r5, ror #8\n\t"
          "stmia %[to]!, {r8-r11}\n\t"
          "and r5, %[mask], r4, lsl #4\n\t"
          "sxtb16 r8, r5\n\t"
          "sxtb16 r9, r5, ror #8\n\t"
          "and r5, %[mask], r4, lsl #6\n\t"
          "sxtb16 r10, r5\n\t"
          "sxtb16 r11, r5, ror #8\n\t"
          "stmia %[to]!, {r8-r11}"
          : [from] "+r"(from), [to] "+r"(to)
          : [mask] "r"(0xc0c0c0c0u)
          : "r4", "r5", "r8", "r9", "r10", "r11", "memory");
  }
};

/// Up to 16 values, L::values: a byte holds the indices of two weights and chooses their word from
/// a table of all pairs.
template <class L>
struct PairCodebook {
  static constexpr PackedForm form{4, true};

  static ASSAY_INLINE void prepare(std::uint32_t* table) {
    for (const std::int8_t high : L::values) {
      for (const std::int8_t low : L::values)
        *table++ = pack_halves(low, high);
      table += 16 - sizeof L::values;
    }
  }

  static ASSAY_INLINE void block(const std::uint8_t*& from, std::uint32_t*& to,
                                 const std::uint32_t* table) {
    asm volatile(
        "ldrb r8, [%[from]], #4\n\t"
        "ldrb r9, [%[from], #-3]\n\t"
        "ldrb r10, [%[from], #-2]\n\t"
        "ldrb r11, [%[from], #-1]\n\t"
        "ldr r8, [%[table], r8, lsl #2]\n\t"
        "ldr r9, [%[table], r9, lsl #2]\n\t"
        "ldr r10, [%[table], r10, lsl #2]\n\t"
        "ldr r11, [%[table], r11, lsl #2]\n\t"
        "stmia %[to]!, {r8-r11}"
        : [from] "+r"(from), [to] "+r"(to)
        : [table] "r"(table)
        : "r8", "r9", "r10", "r11", "memory");
  }
};

/// Up to 128 values, L::values, with indices of five to seven bits. Loads up to a byte beyond a
/// block.
template <class L>
struct Codebook {
  static constexpr PackedForm form{index_bits(sizeof L::values), true};

  static ASSAY_INLINE void prepare(std::uint32_t*) {}

  /// Word `word` of the four of a block.
  template <int word>
  static ASSAY_INLINE std::uint32_t pair(std::uint32_t indices) {
    constexpr std::uint32_t mask = (1 << form.bits) - 1;
    constexpr int first = word % 2 * 2 * form.bits + (word < 2 ? 0 : 4 * form.bits % 8);
    return pack_halves(L::values[indices >> first & mask],
                       L::values[indices >> (first + form.bits) & mask]);
  }

  static ASSAY_INLINE void block(const std::uint8_t*& from, std::uint32_t*& to,
                                 const std::uint32_t*) {
    std::uint32_t first, second;  // four indices each
    __builtin_memcpy(&first, from, sizeof first);
    __builtin_memcpy(&second, from + 4 * form.bits / 8, sizeof second);
    to[0] = pair<0>(first), to[1] = pair<1>(first);
    to[2] = pair<2>(second), to[3] = pair<3>(second);
    from += form.bits;
    to += 4;
  }
};

}  // namespace assay::kernels::dsp

// Decoders of packed weights: from flash to words of two int16, in the order of tile_layout.hpp.
// A decoder has
//   form                          its PackedForm
//   prepare(table)                fills RAM of form.table_bytes() before the first block
//   block(from, to, table)        decodes a block into memory and advances both pointers
// and a codebook's
//   add_group(from, table, group, low, high)   adds the products of a block with a group of inputs
//                                              to the sums of two channels
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

/// SMLAD that stays where it is written: left alone, GCC decodes far ahead and runs out of
/// registers.
ASSAY_INLINE void add_in_order(std::int32_t& sum, std::uint32_t weights, std::uint32_t a) {
  asm volatile("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(weights), "r"(a));
}

/// The same pointer, but GCC no longer knows where it points. What it knows about constant arrays
/// and fixed addresses leads it to compute addresses anew where they are needed, from literal
/// pools, and first iterations ahead.
template <class T>
ASSAY_INLINE T* opaque(T* pointer) {
  asm("" : "+r"(pointer));
  return pointer;
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

  static ASSAY_INLINE void add_group(const std::uint8_t*& from, const std::uint32_t* table,
                                     const std::uint32_t (&group)[2], std::int32_t& low,
                                     std::int32_t& high) {
    std::uint32_t word;
    asm volatile(
        "ldrb %[word], [%[from]], #4\n\t"
        "ldr %[word], [%[table], %[word], lsl #2]\n\t"
        "smlad %[low], %[word], %[first], %[low]\n\t"
        "ldrb %[word], [%[from], #-3]\n\t"
        "ldr %[word], [%[table], %[word], lsl #2]\n\t"
        "smlad %[high], %[word], %[first], %[high]\n\t"
        "ldrb %[word], [%[from], #-2]\n\t"
        "ldr %[word], [%[table], %[word], lsl #2]\n\t"
        "smlad %[low], %[word], %[second], %[low]\n\t"
        "ldrb %[word], [%[from], #-1]\n\t"
        "ldr %[word], [%[table], %[word], lsl #2]\n\t"
        "smlad %[high], %[word], %[second], %[high]"
        : [from] "+r"(from), [low] "+r"(low), [high] "+r"(high), [word] "=&r"(word)
        : [table] "r"(table), [first] "r"(group[0]), [second] "r"(group[1])
        : "memory");
  }
};

/// Up to 128 values, L::values, with indices of five to seven bits. Loads up to a byte beyond a
/// block.
template <class L>
struct Codebook {
  static constexpr PackedForm form{index_bits(sizeof L::values), true};

  static ASSAY_INLINE void prepare(std::uint32_t*) {}

  /// Word `i` of the four of the block at `from`.
  template <int i>
  static ASSAY_INLINE std::uint32_t word(const std::uint8_t* from) {
    constexpr std::uint32_t mask = (1 << form.bits) - 1;
    constexpr int at = i % 2 * 2 * form.bits + (i < 2 ? 0 : 4 * form.bits % 8);
    std::uint32_t indices;
    __builtin_memcpy(&indices, from + (i < 2 ? 0 : 4 * form.bits / 8), sizeof indices);
    return pack_halves(L::values[indices >> at & mask],
                       L::values[indices >> (at + form.bits) & mask]);
  }

  static ASSAY_INLINE void block(const std::uint8_t*& from, std::uint32_t*& to,
                                 const std::uint32_t*) {
    to[0] = word<0>(from), to[1] = word<1>(from);
    to[2] = word<2>(from), to[3] = word<3>(from);
    from += form.bits;
    to += 4;
  }

  static ASSAY_INLINE void add_group(const std::uint8_t*& from, const std::uint32_t*,
                                     const std::uint32_t (&group)[2], std::int32_t& low,
                                     std::int32_t& high) {
    add_in_order(low, word<0>(from), group[0]);
    add_in_order(high, word<1>(from), group[0]);
    add_in_order(low, word<2>(from), group[1]);
    add_in_order(high, word<3>(from), group[1]);
    from += form.bits;
  }
};

}  // namespace assay::kernels::dsp

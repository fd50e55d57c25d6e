// Inputs for weights that are met one by one or in blocks of four, for Armv6 cores: of a few
// pixels, so that a weight is read once for all of them.
#pragma once

#include "targets/runtime/armv6/conv.hpp"
#include "targets/runtime/armv6/pair_table.hpp"

namespace assay::kernels::armv6 {

/// Adds a weight times a row of halfwords of eight pixels: ten instructions.
ASSAY_INLINE void add_row(const std::int16_t* row, std::int32_t weight, std::int32_t (&sums)[8]) {
  asm volatile(
      "ldmia %[row]!, {r4, r5}\n\t"
      "smlabb %[a], r4, %[weight], %[a]\n\t"
      "smlatb %[b], r4, %[weight], %[b]\n\t"
      "smlabb %[c], r5, %[weight], %[c]\n\t"
      "smlatb %[d], r5, %[weight], %[d]\n\t"
      "ldmia %[row], {r4, r5}\n\t"
      "smlabb %[e], r4, %[weight], %[e]\n\t"
      "smlatb %[f], r4, %[weight], %[f]\n\t"
      "smlabb %[g], r5, %[weight], %[g]\n\t"
      "smlatb %[h], r5, %[weight], %[h]"
      : [row] "+r"(row), [a] "+r"(sums[0]), [b] "+r"(sums[1]), [c] "+r"(sums[2]), [d] "+r"(sums[3]),
        [e] "+r"(sums[4]), [f] "+r"(sums[5]), [g] "+r"(sums[6]), [h] "+r"(sums[7])
      : [weight] "r"(weight)
      : "r4", "r5", "memory");
}

/// Adds the block (w0, w2), (w1, w3) times a step of four pixels: ten instructions.
ASSAY_INLINE void add_block(const std::uint32_t* step, std::uint32_t even, std::uint32_t odd,
                            std::int32_t (&sums)[4]) {
  asm volatile(
      "ldmia %[step]!, {r4, r5, r6, r7}\n\t"
      "smlad %[a], %[even], r4, %[a]\n\t"
      "smlad %[b], %[even], r6, %[b]\n\t"
      "smlad %[a], %[odd], r5, %[a]\n\t"
      "smlad %[b], %[odd], r7, %[b]\n\t"
      "ldmia %[step], {r4, r5, r6, r7}\n\t"
      "smlad %[c], %[even], r4, %[c]\n\t"
      "smlad %[d], %[even], r6, %[d]\n\t"
      "smlad %[c], %[odd], r5, %[c]\n\t"
      "smlad %[d], %[odd], r7, %[d]"
      :
      [step] "+r"(step), [a] "+r"(sums[0]), [b] "+r"(sums[1]), [c] "+r"(sums[2]), [d] "+r"(sums[3])
      : [even] "r"(even), [odd] "r"(odd)
      : "r4", "r5", "r6", "r7", "memory");
}

/// For single weights: row i holds input i of eight pixels.
template <class L>
struct SingleTile {
  static constexpr int pixels = single_pixels;
  std::int16_t rows[conv_layout<L>.window_bytes()][pixels];
  WindowScratch<L> windows;

  ASSAY_INLINE void prepare() { windows.rows.initialize(); }
  ASSAY_INLINE void fill(const std::int8_t* in, int first, int count) {
    for (int p = 0; p < count; ++p) {
      const std::int8_t* window = gather_window(in, first + p, windows);
      for (int i = 0; i < conv_layout<L>.rows * conv_layout<L>.row; ++i)
        rows[i][p] = window[i];
    }
  }
  ASSAY_INLINE void add(int position, std::int8_t weight, std::int32_t (&sums)[pixels]) const {
    add_row(rows[position], weight, sums);
  }
};

/// For blocks of four weights: a step is two words of each of four pixels.
template <class L>
struct BlockTile {
  static constexpr int pixels = block_pixels;
  static constexpr int step_words = 2 * pixels;
  std::uint32_t steps[conv_layout<L>.steps()][step_words];
  WindowScratch<L> windows;

  ASSAY_INLINE void prepare() { windows.rows.initialize(); }
  ASSAY_INLINE void fill(const std::int8_t* in, int first, int count) {
    for (int p = 0; p < count; ++p)
      widen_window<L, step_words>(gather_window(in, first + p, windows), steps[0] + 2 * p);
  }
  ASSAY_INLINE void add(int block, const std::uint32_t* weights,
                        std::int32_t (&sums)[pixels]) const {
    add_block(steps[block], dsp::sxtb16(*weights), dsp::sxtb16_odd(*weights), sums);
  }
};

/// The same for blocks of numbers, whose bytes choose words from a table of all pairs of values.
template <class L>
struct NumberedTile : BlockTile<L> {
  std::uint32_t table[pair_table_words];

  ASSAY_INLINE void prepare() {
    BlockTile<L>::prepare();
    prepare_pairs<L>(table);
  }
  ASSAY_INLINE void add(int block, const std::uint8_t* numbers,
                        std::int32_t (&sums)[block_pixels]) const {
    add_block(this->steps[block], table[numbers[0]], table[numbers[1]], sums);
  }
};

}  // namespace assay::kernels::armv6

// The plane of a depthwise convolution: one channel of the input rows of a band, with their
// padding, two rows to a word; see DepthwiseLayout.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/layer.hpp"
#include "targets/runtime/m0/layout.hpp"

namespace assay::kernels::m0 {

template <class L>
inline constexpr DepthwiseLayout depthwise_layout{L::out_height,    L::out_width,
                                                  L::kernel_height, L::kernel_width,
                                                  L::stride_height, L::stride_width};

/// Two values of padding.
template <class L>
inline constexpr std::int32_t padding_pair = L::input_zero * 65537;

/// Fills the plane with padding. What lies inside the input is the same for all channels of a band,
/// so pack_plane writes the same words of it for each.
template <class L>
__attribute__((noinline)) void pad_plane(std::int32_t* plane) {
  constexpr DepthwiseLayout layout = depthwise_layout<L>;
  for (int i = 0; i < layout.rows * layout.columns; ++i)
    plane[i] = padding_pair<L>;
}

/// Facts of a row of the plane that are the same for all strips.
template <class L>
struct PlaneRow {
  static constexpr DepthwiseLayout layout = depthwise_layout<L>;
  static constexpr int bytes = L::in_width * L::out_channels;  ///< to the next row of the input
  static constexpr int apart = layout.distance * L::stride_height;  ///< rows between the halves
  static constexpr int step = layout.word(0, 1);                    ///< words between inputs
  /// Inputs an iteration may pack, if they divide those of a strip.
  static constexpr int reach = 124 / (4 * step) + 1 < 4 ? 124 / (4 * step) + 1 : 4;
};

/// What of an input row lies in the plane when one strip is the whole width.
template <class L>
struct WholeStrip {
  static constexpr StripInputs whole{-L::pad_left, L::in_width, depthwise_layout<L>.columns};
  static constexpr int first = whole.first, left = whole.left, inputs = whole.inputs;
  static constexpr int unroll = inputs > 0 ? largest_divisor(inputs, PlaneRow<L>::reach)
                                           : 1;  ///< of the loop over them
};
/// The same of one of several.
struct OneStrip : StripInputs {
  using StripInputs::StripInputs;
  static constexpr int unroll = 1;
};

/// `rows` rows, at least one, that have inputs in both halves. Six instructions for an input, and
/// three for up to four of them.
template <class L, class Strip>
__attribute__((noinline)) void pack_row_pairs(const Strip& strip, const std::int8_t* from,
                                              std::int32_t* to, int rows) {
  using Row = PlaneRow<L>;
  constexpr int word_bytes = 4 * Row::step;
  const int taken = strip.inputs * L::out_channels;
  std::int32_t low, high;
  register const std::int8_t* r8 asm("r8") = from + taken;
  register std::int32_t r9 asm("r9") = Row::bytes;
  register std::int32_t r10 asm("r10") = Row::bytes - taken;
  register std::int32_t r11 asm("r11") = 4 * Row::layout.word(1, 0) - strip.inputs * word_bytes;
  register const std::int8_t* r12 asm("r12") = from + rows * Row::bytes;
  asm volatile(
      ".syntax unified\n"
      "1:\n\t"
      ".set assay_offset, 0\n\t"
      ".rept %c[unroll]\n\t"
      "ldrsb %[high], [%[from], %[distance]]\n\t"
      "ldrsb %[low], [%[from], %[zero]]\n\t"
      "lsls %[high], %[high], #16\n\t"
      "adds %[low], %[low], %[high]\n\t"
      "str %[low], [%[to], #assay_offset]\n\t"
      "adds %[from], %[from], %[step]\n\t"
      ".set assay_offset, assay_offset + %c[word_bytes]\n\t"
      ".endr\n\t"
      "adds %[to], %[to], #assay_offset\n\t"
      "cmp %[from], r8\n\t"
      "bne 1b\n\t"
      // The next row.
      "add r8, r9\n\t"
      "add %[from], r10\n\t"
      "add %[to], r11\n\t"
      "cmp %[from], r12\n\t"
      "bne 1b" ASSAY_LINES_6 ASSAY_LINES_6 ASSAY_LINES_6
      : [from] "+l"(from), [to] "+l"(to), [low] "=&l"(low), [high] "=&l"(high), "+r"(r8)
      : [unroll] "i"(Strip::unroll), [word_bytes] "i"(word_bytes), [zero] "l"(0),
        [step] "l"(L::out_channels), [distance] "l"(Row::apart * Row::bytes), "r"(r9), "r"(r10),
        "r"(r11), "r"(r12)
      : "cc", "memory");
}

/// A row with padding in one half. Five instructions for an input, and three for up to four.
template <class L, bool low, class Strip>
__attribute__((noinline)) void pack_row_half(const Strip& strip, const std::int8_t* from,
                                             std::int32_t* to) {
  constexpr int word_bytes = 4 * PlaneRow<L>::step;
  std::int32_t word;
  register const std::int8_t* r8 asm("r8") = from + strip.inputs * L::out_channels;
  asm volatile(
      ".syntax unified\n"
      "1:\n\t"
      ".set assay_offset, 0\n\t"
      ".rept %c[unroll]\n\t"
      "ldrsb %[word], [%[from], %[zero]]\n\t"
      ".if %c[low] == 0\n\t"
      "lsls %[word], %[word], #16\n\t"
      ".endif\n\t"
      "adds %[word], %[word], %[padding]\n\t"
      "str %[word], [%[to], #assay_offset]\n\t"
      "adds %[from], %[from], %[step]\n\t"
      ".set assay_offset, assay_offset + %c[word_bytes]\n\t"
      ".endr\n\t"
      "adds %[to], %[to], #assay_offset\n\t"
      "cmp %[from], r8\n\t"
      "bne 1b" ASSAY_LINES_6 ASSAY_LINES_6 ASSAY_LINES_6
      : [from] "+l"(from), [to] "+l"(to), [word] "=&l"(word)
      : [unroll] "i"(Strip::unroll), [low] "i"(low ? 1 : 0), [word_bytes] "i"(word_bytes),
        [zero] "l"(0), [step] "l"(L::out_channels),
        [padding] "l"(low ? L::input_zero * 65536 : L::input_zero), "r"(r8)
      : "cc", "memory");
}

/// One channel of the rows from `first_row` of the input on, which may lie in the padding.
template <class L, class Strip>
__attribute__((noinline)) void pack_plane(const Strip& strip, const std::int8_t* in, int first_row,
                                          std::int32_t* plane) {
  using Row = PlaneRow<L>;
  if (strip.inputs <= 0) return;
  std::int32_t* to = plane + Row::layout.word(0, strip.left);
  const std::int8_t* from = in + first_row * Row::bytes + strip.first * L::out_channels;
  // The higher rows come after the lower ones, so that a row is in both halves from where the lower
  // one is inside to where the higher one is no longer.
  const int both_end = L::in_height - Row::apart - first_row;
  for (int r = 0; r < Row::layout.rows;) {
    const int y = first_row + r;
    int rows = 1;
    if (y >= 0 && r < both_end) {
      rows = (both_end < Row::layout.rows ? both_end : Row::layout.rows) - r;
      pack_row_pairs<L>(strip, from, to, rows);
    } else if (y >= 0 && y < L::in_height) {
      pack_row_half<L, true>(strip, from, to);
    } else if (y + Row::apart >= 0 && y + Row::apart < L::in_height) {
      pack_row_half<L, false>(strip, from + Row::apart * Row::bytes, to);
    }
    r += rows;
    from += rows * Row::bytes;
    to += rows * Row::layout.word(1, 0);
  }
}

}  // namespace assay::kernels::m0

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

/// What of an input row lies in the plane.
template <class L>
struct PlaneRow {
  static constexpr DepthwiseLayout layout = depthwise_layout<L>;
  static constexpr int left = L::pad_left < layout.columns ? L::pad_left : layout.columns;
  static constexpr int inputs =
      L::in_width < layout.columns - left ? L::in_width : layout.columns - left;
  static constexpr int bytes = L::in_width * L::out_channels;  ///< to the next row of the input
  static constexpr int apart = layout.distance * L::stride_height;  ///< rows between the halves
  static constexpr int step = layout.word(0, 1);                    ///< words between inputs
};

/// `rows` rows, at least one, that have inputs in both halves. Six instructions for an input, and
/// three for up to four of them.
template <class L>
__attribute__((noinline)) void pack_row_pairs(const std::int8_t* from, std::int32_t* to, int rows) {
  using Row = PlaneRow<L>;
  constexpr int word_bytes = 4 * Row::step;
  constexpr int reach = 124 / word_bytes + 1;
  constexpr int unroll = largest_divisor(Row::inputs, reach < 4 ? reach : 4);
  constexpr int taken = Row::inputs * L::out_channels;
  std::int32_t low, high;
  register const std::int8_t* r8 asm("r8") = from + taken;
  register std::int32_t r9 asm("r9") = Row::bytes;
  register std::int32_t r10 asm("r10") = Row::bytes - taken;
  register std::int32_t r11 asm("r11") = 4 * Row::layout.word(1, 0) - Row::inputs * word_bytes;
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
      : [unroll] "i"(unroll), [word_bytes] "i"(word_bytes), [zero] "l"(0),
        [step] "l"(L::out_channels), [distance] "l"(Row::apart * Row::bytes), "r"(r9), "r"(r10),
        "r"(r11), "r"(r12)
      : "cc", "memory");
}

/// A row with padding in one half.
template <class L, bool low>
__attribute__((noinline)) void pack_row_half(const std::int8_t* from, std::int32_t* to) {
  using Row = PlaneRow<L>;
  constexpr std::int32_t padding = low ? L::input_zero * 65536 : L::input_zero;
  for (const std::int8_t* end = from + Row::inputs * L::out_channels; from != end;
       from += L::out_channels, to += Row::step)
    *to = padding + (low ? *from : *from * 65536);
}

/// One channel of the rows from `first_row` of the input on, which may lie in the padding.
template <class L>
__attribute__((noinline)) void pack_plane(const std::int8_t* in, int first_row,
                                          std::int32_t* plane) {
  using Row = PlaneRow<L>;
  if constexpr (Row::inputs <= 0) return;
  std::int32_t* to = plane + Row::layout.word(0, Row::left);
  const std::int8_t* from = in + first_row * Row::bytes;
  // The higher rows come after the lower ones, so that a row is in both halves from where the lower
  // one is inside to where the higher one is no longer.
  const int both_end = L::in_height - Row::apart - first_row;
  for (int r = 0; r < Row::layout.rows;) {
    const int y = first_row + r;
    int rows = 1;
    if (y >= 0 && r < both_end) {
      rows = (both_end < Row::layout.rows ? both_end : Row::layout.rows) - r;
      pack_row_pairs<L>(from, to, rows);
    } else if (y >= 0 && y < L::in_height) {
      pack_row_half<L, true>(from, to);
    } else if (y + Row::apart >= 0 && y + Row::apart < L::in_height) {
      pack_row_half<L, false>(from + Row::apart * Row::bytes, to);
    }
    r += rows;
    from += rows * Row::bytes;
    to += rows * Row::layout.word(1, 0);
  }
}

}  // namespace assay::kernels::m0

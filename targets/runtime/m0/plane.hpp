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

/// `count` inputs `step` bytes apart, and those `distance` bytes after them in the higher half, to
/// words `word_step` bytes apart. Six instructions each, and two for a group of up to four.
template <int count, int step, int distance, int word_step>
ASSAY_INLINE void pack_row_pair(const std::int8_t* from, std::int32_t* to) {
  constexpr int reach = 124 / word_step + 1;
  constexpr int unroll = largest_divisor(count, reach < 4 ? reach : 4);
  register const std::int8_t* r8 asm("r8") = from + count * step;
  std::int32_t low, high;
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
      ".set assay_offset, assay_offset + %c[word_step]\n\t"
      ".endr\n\t"
      "adds %[to], %[to], #assay_offset\n\t"
      "cmp %[from], r8\n\t"
      "bne 1b" ASSAY_LINES_6 ASSAY_LINES_6 ASSAY_LINES_6
      : [from] "+l"(from), [to] "+l"(to), [low] "=&l"(low), [high] "=&l"(high)
      : [unroll] "i"(unroll), [word_step] "i"(word_step),
        "r"(r8), [zero] "l"(0), [step] "l"(step), [distance] "l"(distance)
      : "cc", "memory");
}

/// The same with padding in one half.
template <class L, int count, int word_step, bool low>
__attribute__((noinline)) void pack_row_half(const std::int8_t* from, std::int32_t* to) {
  constexpr std::int32_t padding = low ? L::input_zero * 65536 : L::input_zero;
  for (const std::int8_t* end = from + count * L::out_channels; from != end;
       from += L::out_channels, to += word_step)
    *to = padding + (low ? *from : *from * 65536);
}

/// One channel of the rows from `first_row` of the input on, which may lie in the padding.
template <class L>
__attribute__((noinline)) void pack_plane(const std::int8_t* in, int first_row,
                                          std::int32_t* plane) {
  constexpr DepthwiseLayout layout = depthwise_layout<L>;
  constexpr int left = L::pad_left < layout.columns ? L::pad_left : layout.columns;
  constexpr int inside = L::in_width < layout.columns - left ? L::in_width : layout.columns - left;
  constexpr int row_bytes = L::in_width * L::out_channels;
  constexpr int apart = layout.distance * L::stride_height;
  constexpr int step = layout.word(0, 1);
  if constexpr (inside <= 0) return;
  std::int32_t* to = plane + layout.word(0, left);
  for (int r = 0; r < layout.rows; ++r, to += layout.word(1, 0)) {
    const int y = first_row + r;
    const bool low = y >= 0 && y < L::in_height;
    const bool high = y + apart >= 0 && y + apart < L::in_height;
    const std::int8_t* from = in + y * row_bytes;
    if (low && high)
      pack_row_pair<inside, L::out_channels, apart * row_bytes, 4 * step>(from, to);
    else if (low)
      pack_row_half<L, inside, step, true>(from, to);
    else if (high)
      pack_row_half<L, inside, step, false>(from + apart * row_bytes, to);
  }
}

}  // namespace assay::kernels::m0

// Gathers the inputs of four output pixels of a convolution into columns of int16, interleaved step
// by step as multiply_pair_by_four of conv.hpp reads them: one word a pixel and step.
#pragma once

#include "targets/runtime/dsp/layout.hpp"
#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/window_rows.hpp"

namespace assay::kernels::dsp {

template <class L>
inline constexpr ConvLayout conv_layout{L::kernel_height, L::kernel_width, L::in_channels};

template <class L>
struct ConvScratch {
  std::uint32_t columns[conv_layout<L>.loop.steps][4];
  WindowRows<L, 4> rows;
};

/// Writes input `index` of a window for one pixel.
ASSAY_INLINE void put_input(std::uint32_t (*columns)[4], int pixel, int index, std::int8_t value) {
  auto* halves = reinterpret_cast<std::int16_t*>(columns[index / 4 * 2 + (index & 1)] + pixel);
  halves[index >> 1 & 1] = value;
}

/// One kernel row of four pixels, four bytes of each at a time.
template <int row>
ASSAY_INLINE void expand_row(const std::int8_t* const (&from)[4], std::uint32_t (*columns)[4]) {
  const std::int8_t *p0 = from[0], *p1 = from[1], *p2 = from[2], *p3 = from[3];
  for (int i = 0; i < row / 4; ++i, columns += 2) {
    const std::uint32_t a = load_word(p0), b = load_word(p1);
    const std::uint32_t c = load_word(p2), d = load_word(p3);
    p0 += 4, p1 += 4, p2 += 4, p3 += 4;
    columns[0][0] = sxtb16(a), columns[0][1] = sxtb16(b);
    columns[0][2] = sxtb16(c), columns[0][3] = sxtb16(d);
    columns[1][0] = sxtb16_odd(a), columns[1][1] = sxtb16_odd(b);
    columns[1][2] = sxtb16_odd(c), columns[1][3] = sxtb16_odd(d);
  }
  for (int i = 0; i < row % 4; ++i) {
    put_input(columns, 0, i, p0[i]), put_input(columns, 1, i, p1[i]);
    put_input(columns, 2, i, p2[i]), put_input(columns, 3, i, p3[i]);
  }
}

/// Fills scratch.columns for the output pixels first .. first + 3 (row by row; pixels beyond the
/// last repeat the last).
template <class L>
ASSAY_INLINE void gather_columns(const std::int8_t* in, int first, ConvScratch<L>& scratch) {
  constexpr ConvLayout layout = conv_layout<L>;
  constexpr int last = L::out_height * L::out_width - 1;
  int y[4], x[4];
  for (int j = 0; j < 4; ++j) {
    const int pixel = last < 3 && first + j > last ? last : first + j;
    y[j] = pixel / L::out_width;
    x[j] = pixel - y[j] * L::out_width;
  }
  for (int ky = 0; ky < layout.kernel_height; ++ky) {
    const std::int8_t* rows[4];
    for (int j = 0; j < 4; ++j)
      rows[j] = scratch.rows.find(in, y[j], x[j], ky, j);
    if constexpr (layout.flat) {
      for (int j = 0; j < 4; ++j)
        for (int i = 0; i < layout.row; ++i)
          put_input(scratch.columns, j, ky * layout.row + i, rows[j][i]);
    } else {
      expand_row<layout.row>(rows, scratch.columns + ky * (layout.row_stride / 2));
    }
  }
}

}  // namespace assay::kernels::dsp

// Gathers the inputs of four output pixels of a convolution into columns of int16, interleaved step
// by step as multiply_pair_by_four of conv.hpp reads them: one word a pixel and step.
#pragma once

#include "targets/runtime/dsp/layout.hpp"
#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels::dsp {

template <class L>
inline constexpr ConvLayout conv_layout{L::kernel_height, L::kernel_width, L::in_channels};

/// Scratch memory of a convolution, in this order.
template <class L>
struct ConvScratch {
  static constexpr int row_bytes = round_up(L::kernel_width * L::in_channels, 4);
  static constexpr bool pads_width =
      reaches_outside(L::in_width, L::out_width, L::kernel_width, L::stride_width, L::pad_left);
  static constexpr bool pads_height =
      reaches_outside(L::in_height, L::out_height, L::kernel_height, L::stride_height, L::pad_top);

  std::uint32_t columns[conv_layout<L>.loop.steps][4];
  std::int8_t clipped[4][pads_width ? row_bytes : 1];  ///< kernel rows that reach over a side
  std::int8_t outside[pads_height ? row_bytes : 1];    ///< a kernel row above or below the input
};

/// Where kernel row `kernel_row` of the window of one output pixel lies as kernel_width *
/// in_channels bytes in a row: in the input itself, or in scratch when it reaches into the padding.
template <class L>
ASSAY_INLINE const std::int8_t* window_row(const std::int8_t* in, int out_y, int out_x,
                                           int kernel_row, std::int8_t* clipped,
                                           const std::int8_t* outside) {
  using Scratch = ConvScratch<L>;
  const int y = out_y * L::stride_height - L::pad_top + kernel_row;
  const int x = out_x * L::stride_width - L::pad_left;
  if (Scratch::pads_height && (y < 0 || y >= L::in_height)) return outside;
  const std::int8_t* row = in + (y * L::in_width + x) * L::in_channels;
  if (!Scratch::pads_width || (x >= 0 && x + L::kernel_width <= L::in_width)) return row;
  std::int8_t* to = clipped;
  for (int kx = 0; kx < L::kernel_width; ++kx, row += L::in_channels) {
    const bool inside = x + kx >= 0 && x + kx < L::in_width;
    for (int c = 0; c < L::in_channels; ++c)
      *to++ = inside ? row[c] : L::input_zero;
  }
  return clipped;
}

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
      rows[j] = window_row<L>(in, y[j], x[j], ky, scratch.clipped[j], scratch.outside);
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

// The rows of a convolution's windows as contiguous bytes: in the input itself, or in a small copy
// where a window reaches over the edge of the input. Portable.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/layer.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels {

/// Bytes of WindowRows below: scratch a convolution needs for `pixels` windows at a time.
constexpr int window_rows_bytes(int row, int pixels, bool pads_width, bool pads_height) {
  return pixels * (pads_width ? round_up(row, 4) : 4) + (pads_height ? round_up(row, 4) : 4);
}

template <class L, int pixels>
struct WindowRows {
  static constexpr int row = L::kernel_width * L::in_channels;
  static constexpr bool pads_width =
      reaches_outside(L::in_width, L::out_width, L::kernel_width, L::stride_width, L::pad_left);
  static constexpr bool pads_height =
      reaches_outside(L::in_height, L::out_height, L::kernel_height, L::stride_height, L::pad_top);

  std::int8_t clipped[pixels][pads_width ? round_up(row, 4) : 4];  ///< reach over a side
  std::int8_t outside[pads_height ? round_up(row, 4) : 4];         ///< above or below the input

  /// Call once before find.
  ASSAY_INLINE void initialize() {
    for (int i = 0; pads_height && i < row; ++i)
      outside[i] = L::input_zero;
  }

  /// Row `kernel_row` of the window of output (out_y, out_x): kernel_width * in_channels bytes,
  /// valid until the next call for the same `pixel`.
  ASSAY_INLINE const std::int8_t* find(const std::int8_t* in, int out_y, int out_x, int kernel_row,
                                       int pixel) {
    const int y = out_y * L::stride_height - L::pad_top + kernel_row;
    const int x = out_x * L::stride_width - L::pad_left;
    if (pads_height && (y < 0 || y >= L::in_height)) return outside;
    const std::int8_t* from = in + (y * L::in_width + x) * L::in_channels;
    if (!pads_width || (x >= 0 && x + L::kernel_width <= L::in_width)) return from;
    std::int8_t* to = clipped[pixel];
    for (int kx = 0; kx < L::kernel_width; ++kx, from += L::in_channels) {
      const bool inside = x + kx >= 0 && x + kx < L::in_width;
      for (int c = 0; c < L::in_channels; ++c)
        *to++ = inside ? from[c] : L::input_zero;
    }
    return clipped[pixel];
  }
};

}  // namespace assay::kernels

// The windows of a pool, over tensors of any element: what of each lies inside the input. A window
// that cannot leave the input has constant limits. Portable.
#pragma once

#include "targets/runtime/inline.hpp"
#include "targets/runtime/layer.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels {

/// The part of a window that lies inside the input: positions [first, last) of a dimension.
struct Range {
  int first;
  int last;
  constexpr int length() const { return last - first; }
};

/// Along one dimension; a constant length when no window reaches over an edge.
template <int in, int out, int kernel, int stride, int pad>
ASSAY_INLINE Range window_range(int position) {
  const int first = position * stride - pad;
  if constexpr (!reaches_outside(in, out, kernel, stride, pad)) return {first, first + kernel};
  return {first < 0 ? 0 : first, first + kernel > in ? in : first + kernel};
}

/// Calls `window(rows, columns)` for every output pixel.
template <class L, class Window>
ASSAY_INLINE void for_each_window(Window window) {
  for (int y = 0; y < L::out_height; ++y) {
    const Range rows =
        window_range<L::in_height, L::out_height, L::kernel_height, L::stride_height, L::pad_top>(
            y);
    for (int x = 0; x < L::out_width; ++x)
      window(rows,
             window_range<L::in_width, L::out_width, L::kernel_width, L::stride_width, L::pad_left>(
                 x));
  }
}

/// Calls `visit(pointer)` for every position of a window, at the channel `in` points to.
template <class L, class Element, class Visit>
ASSAY_INLINE void for_each_position(const Element* in, Range rows, Range columns, Visit visit) {
  const Element* row = in + (rows.first * L::in_width + columns.first) * L::in_channels;
  for (int y = 0; y < rows.length(); ++y, row += L::in_width * L::in_channels)
    for (int x = 0; x < columns.length(); ++x)
      visit(row + x * L::in_channels);
}

/// What of a window lies inside the input: its first element, rows and columns.
template <class Element>
struct PoolWindow {
  const Element* first;
  int rows;
  int columns;
};

/// Calls `channels(window)` for every output pixel; the limits of a window serve all its channels.
template <class L, class Element, class Channels>
ASSAY_INLINE void for_each_pool_window(const Element* in, Channels channels) {
  for_each_window<L>([&](Range rows, Range columns) ASSAY_INLINE_LAMBDA {
    channels(PoolWindow<Element>{in + (rows.first * L::in_width + columns.first) * L::in_channels,
                                 rows.length(), columns.length()});
  });
}

/// Calls `visit(value)` for every input of a window in the channel that `at` points to.
template <class L, class Element, class Visit>
ASSAY_INLINE void for_each_input(const PoolWindow<Element>& window, const Element* at,
                                 Visit visit) {
#pragma GCC unroll 3
  for (int r = 0; r < window.rows; ++r, at += (L::in_width - window.columns) * L::in_channels)
#pragma GCC unroll 3
    for (int c = 0; c < window.columns; ++c, at += L::in_channels)
      visit(*at);
}

}  // namespace assay::kernels

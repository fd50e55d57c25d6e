// The inputs of four output pixels as words that hold two pixels each (see layout.hpp), gathered
// from the input tensor with its padding. Portable C++.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/layer.hpp"
#include "targets/runtime/m0/layout.hpp"

namespace assay::kernels::m0 {

/// For each pair of inputs k, k + 1 of the window the words {pixels 0 and 1 of k, of k + 1,
/// pixels 2 and 3 of k, of k + 1}.
using Columns = std::int32_t (*)[4];

/// Inputs `first` .. `first + count` - 1 of the windows of one pair of pixels, which lie one after
/// the other at `a` and `b`. `to` is the pair's first word.
template <int count, bool odd_starts>
__attribute__((noinline)) void pack_pixels(const std::int8_t* a, const std::int8_t* b,
                                           std::int32_t* to, int first) {
  const auto word = [a, b](int i) { return a[i] + b[i] * 65536; };
  to += first / 2 * 4;
  int i = 0;
  if (odd_starts && first % 2 != 0) {
    to[1] = word(0);
    to += 4;
    i = 1;
  }
#pragma GCC unroll 4
  for (; i + 1 < count; i += 2, to += 4) {
    to[0] = word(i);
    to[1] = word(i + 1);
  }
  if ((odd_starts || count % 2 != 0) && i < count) to[0] = word(i);
}

/// Gathers windows. `outside` is what a pixel in the padding holds: in_channels times input_zero.
template <class L>
class WindowPacker {
 public:
  static constexpr bool pads_width =
      reaches_outside(L::in_width, L::out_width, L::kernel_width, L::stride_width, L::pad_left);
  static constexpr bool pads_height =
      reaches_outside(L::in_height, L::out_height, L::kernel_height, L::stride_height, L::pad_top);

  WindowPacker(const std::int8_t* in, std::int8_t* outside) : in_(in), outside_(outside) {
    for (int i = 0; (pads_width || pads_height) && i < L::in_channels; ++i)
      outside[i] = L::input_zero;
  }

  /// The output pixels first .. first + 3, counted row by row; pixels beyond the last repeat it.
  ASSAY_INLINE void gather(int first, Columns columns) const {
    constexpr int last = L::out_height * L::out_width - 1;
    int y = first / L::out_width, x = first % L::out_width;
    for (int pair = 0; pair < 2; ++pair) {
      Corner corner[2];
      for (int j = 0; j < 2; ++j) {
        corner[j] = {y * L::stride_height - L::pad_top, x * L::stride_width - L::pad_left};
        if (last < 3 && first + 2 * pair + j >= last) continue;
        if (++x == L::out_width) x = 0, ++y;
      }
      gather_pair(corner[0], corner[1], &columns[0][2 * pair]);
    }
  }

 private:
  static constexpr int row = L::kernel_width * L::in_channels;

  /// Of a window in the input; it may lie in the padding.
  struct Corner {
    int y;
    int x;
  };

  static bool row_inside(Corner corner) {
    return (!pads_height || (corner.y >= 0 && corner.y < L::in_height)) &&
           (!pads_width || (corner.x >= 0 && corner.x + L::kernel_width <= L::in_width));
  }
  const std::int8_t* position(Corner corner) const {
    if (pads_height && (corner.y < 0 || corner.y >= L::in_height)) return outside_;
    if (pads_width && (corner.x < 0 || corner.x >= L::in_width)) return outside_;
    return in_ + (corner.y * L::in_width + corner.x) * L::in_channels;
  }

  __attribute__((noinline)) void gather_pair(Corner a, Corner b, std::int32_t* to) const {
    int first = 0;
    for (int ky = 0; ky < L::kernel_height; ++ky, ++a.y, ++b.y) {
      if (row_inside(a) && row_inside(b)) {
        pack_pixels<row, row % 2 != 0>(position(a), position(b), to, first);
        first += row;
        continue;
      }
      for (int kx = 0; kx < L::kernel_width; ++kx, first += L::in_channels)
        pack_pixels<L::in_channels, L::in_channels % 2 != 0>(position({a.y, a.x + kx}),
                                                             position({b.y, b.x + kx}), to, first);
    }
  }

  const std::int8_t* in_;
  const std::int8_t* outside_;
};

}  // namespace assay::kernels::m0

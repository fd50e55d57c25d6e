// The inputs of four output pixels as words that hold two pixels each (see layout.hpp), gathered
// from the input tensor with its padding.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/layer.hpp"
#include "targets/runtime/m0/layout.hpp"

namespace assay::kernels::m0 {

/// For each pair of inputs k, k + 1 of the window the words {pixels 0 and 2 of k, of k + 1,
/// pixels 1 and 3 of k, of k + 1}. Pixels next to each other in two pairs let pairs share words.
using Columns = std::int32_t (*)[4];

/// Pairs of inputs that lie one after the other at `a` and `b`, a multiple of `unroll` pairs up to
/// `end` of `a`, to words of a pair of pixels. 11 instructions for two words; returns the next
/// word.
template <int unroll>
ASSAY_INLINE std::int32_t* pack_inputs(const std::int8_t* a, const std::int8_t* end,
                                       const std::int8_t* b, std::int32_t* to) {
  std::int32_t low, high;
  const std::int32_t distance = b - a;
  register const std::int8_t* r8 asm("r8") = end;
  asm volatile(
      ".syntax unified\n"
      "1:\n\t"
      ".set assay_offset, 0\n\t"
      ".rept %c[unroll]\n\t"
      "ldrsb %[high], [%[a], %[distance]]\n\t"
      "ldrsb %[low], [%[a], %[zero]]\n\t"
      "lsls %[high], %[high], #16\n\t"
      "adds %[low], %[low], %[high]\n\t"
      "str %[low], [%[to], #assay_offset]\n\t"
      "ldrsb %[high], [%[a], %[distance1]]\n\t"
      "ldrsb %[low], [%[a], %[one]]\n\t"
      "lsls %[high], %[high], #16\n\t"
      "adds %[low], %[low], %[high]\n\t"
      "str %[low], [%[to], #assay_offset + 4]\n\t"
      "adds %[a], %[a], #2\n\t"
      ".set assay_offset, assay_offset + 16\n\t"
      ".endr\n\t"
      "adds %[to], %[to], #assay_offset\n\t"
      "cmp %[a], r8\n\t"
      "bne 1b" ASSAY_LINES_48 ASSAY_LINES_48
      : [a] "+l"(a), [to] "+l"(to), [low] "=&l"(low), [high] "=&l"(high)
      : [unroll] "i"(unroll), "r"(r8), [zero] "l"(0), [one] "l"(1), [distance] "l"(distance),
        [distance1] "l"(distance + 1)
      : "cc", "memory");
  return to;
}

/// The words of `pairs` pairs of inputs of one pair of pixels; returns the next word. Four
/// instructions for two words.
template <int pairs>
ASSAY_INLINE std::int32_t* copy_pairs(const std::int32_t* from, std::int32_t* to) {
  std::int32_t first, second;
  register const std::int32_t* r8 asm("r8") = to + 4 * pairs;
  asm volatile(
      ".syntax unified\n"
      "1:\n\t"
      ".set assay_offset, 0\n\t"
      ".rept %c[unroll]\n\t"
      "ldr %[first], [%[from], #assay_offset]\n\t"
      "ldr %[second], [%[from], #assay_offset + 4]\n\t"
      "str %[first], [%[to], #assay_offset]\n\t"
      "str %[second], [%[to], #assay_offset + 4]\n\t"
      ".set assay_offset, assay_offset + 16\n\t"
      ".endr\n\t"
      "adds %[from], %[from], #assay_offset\n\t"
      "adds %[to], %[to], #assay_offset\n\t"
      "cmp %[to], r8\n\t"
      "bne 1b" ASSAY_LINES_48
      : [from] "+l"(from), [to] "+l"(to), [first] "=&l"(first), [second] "=&l"(second)
      : [unroll] "i"(largest_divisor(pairs, 8)), "r"(r8)
      : "cc", "memory");
  return to;
}

/// Inputs `first` .. `first + count` - 1 of the windows of one pair of pixels, which lie one after
/// the other at `a` and `b`. `to` is the pair's first word. Only an odd count may start oddly.
template <int count>
__attribute__((noinline)) void pack_pixels(const std::int8_t* a, const std::int8_t* b,
                                           std::int32_t* to, int first) {
  constexpr int pairs = count / 2;
  to += count % 2 == 0 ? first * 2 : first / 2 * 4;
  const bool odd = count % 2 != 0 && first % 2 != 0;
  if (odd) {
    to[1] = *a++ + *b++ * 65536;
    to += 4;
  }
  if constexpr (pairs > 0) to = pack_inputs<largest_divisor(pairs, 8)>(a, a + 2 * pairs, b, to);
  if (count % 2 != 0 && !odd) to[0] = a[2 * pairs] + b[2 * pairs] * 65536;
}

/// Gathers windows, four pixels after the other. `outside` is what a pixel in the padding holds:
/// in_channels times input_zero.
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

  /// Upper left corner of a window in the input; it may lie in the padding.
  struct Corner {
    int y;
    int x;
  };
  struct Corners {
    Corner of[4];
  };

  /// The windows of the next four output pixels, row by row. Beyond the last pixel but at least
  /// four from the first, the last four; beyond the last of fewer, that one again.
  ASSAY_INLINE Corners next() {
    constexpr int pixels = L::out_height * L::out_width;
    constexpr int last = pixels > 4 ? pixels - 4 : 0;
    if (pixels % 4 != 0 && pixel_ > last) y_ = last / L::out_width, x_ = last % L::out_width;
    pixel_ += 4;
    Corners corners;
    for (int j = 0; j < 4; ++j) {
      corners.of[j] = {y_ * L::stride_height - L::pad_top, x_ * L::stride_width - L::pad_left};
      if (j >= pixels - 1) continue;
      if (++x_ == L::out_width) x_ = 0, ++y_;
    }
    return corners;
  }

  /// Whole windows of the next four output pixels.
  ASSAY_INLINE void gather(Columns columns) {
    const Corners corners = next();
    gather_pair(corners.of[0], corners.of[2], columns[0]);
    if constexpr (shares_words)
      gather_beside(corners.of[1], corners.of[3], columns[0]);
    else
      gather_pair(corners.of[1], corners.of[3], columns[0] + 2);
  }

  /// `count` channels from `channel` on of the position (ky, kx) of four windows, as inputs `first`
  /// and so on of the columns.
  template <int count>
  __attribute__((noinline)) void gather_position(const Corners& corners, int ky, int kx,
                                                 int channel, Columns columns, int first) const {
    const auto at = [&](Corner corner) {
      return position({corner.y + ky, corner.x + kx}) + channel;
    };
    pack_pixels<count>(at(corners.of[0]), at(corners.of[2]), columns[0], first);
    pack_pixels<count>(at(corners.of[1]), at(corners.of[3]), columns[0] + 2, first);
  }

 private:
  static constexpr int row = L::kernel_width * L::in_channels;
  static constexpr bool has_few_inputs =
      L::in_channels == 1 && L::kernel_width <= 5 && L::kernel_height <= 5;
  /// The windows of the second pair are those of the first moved by one input pixel.
  static constexpr bool shares_words = L::stride_width == 1 && L::out_width % 4 == 0 &&
                                       L::in_channels % 2 == 0 && L::kernel_width > 1;

  static bool row_inside(Corner corner) {
    return (!pads_height || (corner.y >= 0 && corner.y < L::in_height)) &&
           (!pads_width || (corner.x >= 0 && corner.x + L::kernel_width <= L::in_width));
  }
  const std::int8_t* position(Corner corner) const {
    if (pads_height && (corner.y < 0 || corner.y >= L::in_height)) return outside_;
    if (pads_width && (corner.x < 0 || corner.x >= L::in_width)) return outside_;
    return inside_position(corner);
  }
  const std::int8_t* inside_position(Corner corner) const {
    return in_ + (corner.y * L::in_width + corner.x) * L::in_channels;
  }

  static bool window_inside(Corner corner) {
    return row_inside(corner) && row_inside({corner.y + L::kernel_height - 1, corner.x});
  }

  /// Windows of a few inputs, one by one: a call for each row would cost more than its inputs.
  ASSAY_INLINE void gather_few(Corner a, Corner b, std::int32_t* to) const {
    const auto word_of = [&](int input) -> std::int32_t& { return to[input / 2 * 4 + input % 2]; };
    if (window_inside(a) && window_inside(b)) {
      const std::int8_t* from_a = inside_position(a);
      const std::int8_t* from_b = inside_position(b);
#pragma GCC unroll 5
      for (int ky = 0; ky < L::kernel_height; ++ky, from_a += L::in_width, from_b += L::in_width)
#pragma GCC unroll 5
        for (int kx = 0; kx < L::kernel_width; ++kx)
          word_of(ky * L::kernel_width + kx) = from_a[kx] + from_b[kx] * 65536;
      return;
    }
    int input = 0;
    for (int ky = 0; ky < L::kernel_height; ++ky, ++a.y, ++b.y) {
      const std::int8_t* from_a = row_at(a.y);
      const std::int8_t* from_b = row_at(b.y);
      for (int kx = 0; kx < L::kernel_width; ++kx, ++input)
        word_of(input) = input_at(from_a, a.x + kx) + input_at(from_b, b.x + kx) * 65536;
    }
  }
  /// A row of an image of one channel; nullptr in the padding.
  const std::int8_t* row_at(int y) const {
    return !pads_height || static_cast<unsigned>(y) < L::in_height ? in_ + y * L::in_width
                                                                   : nullptr;
  }
  static std::int32_t input_at(const std::int8_t* row, int x) {
    const bool inside = row && (!pads_width || static_cast<unsigned>(x) < L::in_width);
    return inside ? row[x] : L::input_zero;
  }

  __attribute__((noinline)) void gather_pair(Corner a, Corner b, std::int32_t* to) const {
    if constexpr (has_few_inputs) return gather_few(a, b, to);
    int first = 0;
    for (int ky = 0; ky < L::kernel_height; ++ky, ++a.y, ++b.y) {
      if (row_inside(a) && row_inside(b)) {
        pack_pixels<row>(inside_position(a), inside_position(b), to, first);
        first += row;
        continue;
      }
      for (int kx = 0; kx < L::kernel_width; ++kx, first += L::in_channels)
        pack_pixels<L::in_channels>(position({a.y, a.x + kx}), position({b.y, b.x + kx}), to,
                                    first);
    }
  }

  /// The second pair, of which only the last column of the windows is new. `columns` are those of
  /// the group.
  __attribute__((noinline)) void gather_beside(Corner a, Corner b, std::int32_t* columns) const {
    a.x += L::kernel_width - 1;
    b.x += L::kernel_width - 1;
    std::int32_t* to = columns + 2;
    for (int ky = 0; ky < L::kernel_height; ++ky, ++a.y, ++b.y) {
      to = copy_pairs<L::in_channels / 2 * (L::kernel_width - 1)>(to + 2 * L::in_channels - 2, to);
      pack_pixels<L::in_channels>(position(a), position(b), to, 0);
      to += 2 * L::in_channels;
    }
  }

  const std::int8_t* in_;
  const std::int8_t* outside_;
  int pixel_ = 0;
  int y_ = 0;
  int x_ = 0;
};

}  // namespace assay::kernels::m0

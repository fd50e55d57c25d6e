// Expands a piece of a convolution's input into a patch; see patch_layout.hpp.
#pragma once

#include "targets/runtime/dsp/patch_layout.hpp"
#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels::dsp {

/// Four channels of two pixels: two words of each, `stride` words apart.
template <int stride>
ASSAY_INLINE void expand_group(const std::int8_t*& a, const std::int8_t*& b, std::uint32_t*& to) {
  std::uint32_t x, y, even_a, even_b;
  asm volatile(
      "ldr %[x], [%[a]], #4\n\t"
      "ldr %[y], [%[b]], #4\n\t"
      "sxtb16 %[even_a], %[x]\n\t"
      "sxtb16 %[even_b], %[y]\n\t"
      "sxtb16 %[x], %[x], ror #8\n\t"
      "sxtb16 %[y], %[y], ror #8\n\t"
      "strd %[even_a], %[even_b], [%[to]], #4 * %c[stride]\n\t"
      "strd %[x], %[y], [%[to]], #4 * %c[stride]"
      : [a] "+r"(a), [b] "+r"(b), [to] "+r"(to), [x] "=&r"(x), [y] "=&r"(y), [even_a] "=&r"(even_a),
        [even_b] "=&r"(even_b)
      : [stride] "i"(stride)
      : "memory");
}

/// All channels of two pixels. Halves without an input hold anything: their weights are zero.
template <int channels, int stride>
ASSAY_INLINE void expand_two_pixels(const std::int8_t* a, const std::int8_t* b, std::uint32_t* to) {
#pragma GCC unroll 4
  for (int i = 0; i < channels / 4; ++i)
    expand_group<stride>(a, b, to);
  constexpr int left = channels % 4;
  if constexpr (left == 1) {
    to[0] = static_cast<std::uint32_t>(*a);
    to[1] = static_cast<std::uint32_t>(*b);
  } else if constexpr (left > 1) {
    to[0] = join_bottoms(a[0], a[left - 1]);
    to[1] = join_bottoms(b[0], b[left - 1]);
  }
  if constexpr (left == 3) {
    to[stride] = static_cast<std::uint32_t>(a[1]);
    to[stride + 1] = static_cast<std::uint32_t>(b[1]);
  }
}

/// One row of pixels from column `left` on; `row` is the row of the input.
template <const PatchLayout& layout>
ASSAY_INLINE void fill_row(const std::int8_t* row, int left, const std::int8_t* outside,
                           std::uint32_t* to) {
  constexpr int channels = layout.shape.channels, step = layout.shape.stride_width;
  const auto pixel = [&](int x) {
    const bool inside = static_cast<unsigned>(x) < static_cast<unsigned>(layout.shape.in_width);
    return inside || !layout.has_outside() ? row + x * channels : outside;
  };
  for (int phase = 0; phase < layout.phases; ++phase)
    for (int i = 0, x = left + phase; i < layout.phase(); i += 2, x += 2 * step, to += 2) {
      if constexpr (layout.columns_per_word == 1) {
        expand_two_pixels<channels, layout.stride()>(pixel(x), pixel(x + step), to);
      } else {
        to[0] = join_bottoms(*pixel(x), *pixel(x + 1));
        to[1] = join_bottoms(*pixel(x + step), *pixel(x + step + 1));
      }
    }
}

/// Fills the patch whose first row and column are `top` and `left` of the input; either may lie in
/// the padding, of which `outside` is a pixel.
template <const PatchLayout& layout>
ASSAY_INLINE void fill_patch(const std::int8_t* in, int top, int left, const std::int8_t* outside,
                             std::uint32_t* to) {
  constexpr int row_words = layout.words * layout.stride();
  for (int y = top; y < top + layout.rows(); ++y, to += row_words) {
    if (!layout.has_outside() || (y >= 0 && y < layout.shape.in_height)) {
      fill_row<layout>(in + y * layout.shape.in_width * layout.shape.channels, left, outside, to);
      continue;
    }
    const std::uint32_t zeros = join_bottoms(outside[0], outside[0]);
    for (int i = 0; i < row_words; ++i)
      to[i] = zeros;
  }
}

}  // namespace assay::kernels::dsp

// Depthwise convolution in Advanced SIMD registers: eight channels of a pixel at a time. L has,
// besides the members of layer.hpp, filters, bias and multiplier as in layout.hpp.
#pragma once

#include "targets/runtime/neon/products.hpp"

namespace assay::kernels {

namespace neon {

/// Eight channels from `from` on, of which `channels` exist.
ASSAY_INLINE int8x8_t load_channels(const std::int8_t* from, int channels) {
  if (channels >= depthwise_channels) return vld1_s8(from);
  std::int8_t all[depthwise_channels] = {};
  for (int i = 0; i < channels; ++i)
    all[i] = from[i];
  return vld1_s8(all);
}

/// Eight channels from `first` on of one output pixel; `weights` as L::filters.
template <class L>
ASSAY_INLINE void filter_pixel(const std::int8_t* in, const std::int8_t* weights, int out_y,
                               int out_x, int first, std::int8_t* out) {
  constexpr int stride = round_up(L::out_channels, depthwise_channels);
  const int channels = L::out_channels - first;
  weights += first;
  int32x4_t low = vdupq_n_s32(0), high = vdupq_n_s32(0);
  for (int ky = 0; ky < L::kernel_height; ++ky) {
    const int y = out_y * L::stride_height - L::pad_top + ky;
    for (int kx = 0; kx < L::kernel_width; ++kx, weights += stride) {
      const int x = out_x * L::stride_width - L::pad_left + kx;
      const bool inside = y >= 0 && y < L::in_height && x >= 0 && x < L::in_width;
      const int8x8_t inputs =
          inside ? load_channels(in + (y * L::in_width + x) * L::in_channels + first, channels)
                 : vdup_n_s8(L::input_zero);
      const int16x8_t products = vmull_s8(inputs, vld1_s8(weights));
      low = vaddw_s16(low, vget_low_s16(products));
      high = vaddw_high_s16(high, products);
    }
  }
  const int16x4_t y_low = requantize<L>(low, L::bias + first, L::multiplier + first);
  const int16x4_t y_high = requantize<L>(high, L::bias + first + 4, L::multiplier + first + 4);
  store_bytes(out + first, vmovn_s16(vcombine_s16(y_low, y_high)), channels);
}

template <class L>
ASSAY_INLINE void filter_pixels(const std::int8_t* in, const std::int8_t* weights,
                                std::int8_t* out) {
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += L::out_channels)
      for (int first = 0; first < L::out_channels; first += depthwise_channels)
        filter_pixel<L>(in, weights, y, x, first, out);
}

}  // namespace neon

template <class L>
void depthwise_neon(const std::int8_t* in, std::int8_t* out, void*) {
  neon::filter_pixels<L>(in, L::filters, out);
}

}  // namespace assay::kernels

// Depthwise convolution in Advanced SIMD registers: eight channels of a row of outputs at a time,
// whose weights stay in registers. Of eight channels or more the last block overlaps the one before
// it. L has, besides the members of layer.hpp, filters, bias and multiplier as in layout.hpp;
// scratch memory holds PaddedRows.
#pragma once

#include "targets/runtime/first_of_block.hpp"
#include "targets/runtime/neon/products.hpp"
#include "targets/runtime/padded_rows.hpp"

namespace assay::kernels {

namespace neon {

/// Eight channels, of which `channels` exist.
template <int channels>
ASSAY_INLINE int8x8_t load_channels(const std::int8_t* from) {
  if constexpr (channels >= depthwise_channels) {
    return vld1_s8(from);
  } else {
    std::int8_t all[depthwise_channels] = {};
    for (int i = 0; i < channels; ++i)
      all[i] = from[i];
    return vld1_s8(all);
  }
}

/// Up to eight channels of a row of outputs: `first` is the first one, `window` its first input and
/// `weights` its first weight. Products are added in pairs, as add_products does.
template <class L>
ASSAY_INLINE void filter_row(const std::int8_t* window, const std::int8_t* weights, int first,
                             std::int8_t* out) {
  constexpr int positions = L::kernel_height * L::kernel_width, pixel = L::out_channels;
  constexpr int channels = pixel < depthwise_channels ? pixel : depthwise_channels;
  int8x8_t filter[positions];
#pragma GCC unroll 64
  for (int i = 0; i < positions; ++i)
    filter[i] = vld1_s8(weights + i * round_up(pixel, depthwise_channels));
  const int32x4_t bias[] = {vld1q_s32(L::bias + first), vld1q_s32(L::bias + first + 4)};
  const int32x4_t multiplier[] = {vld1q_s32(L::multiplier + first),
                                  vld1q_s32(L::multiplier + first + 4)};
  const auto inputs = [&](int i) ASSAY_INLINE_LAMBDA {
    return load_channels<channels>(window +
                                   i / L::kernel_width * PaddedRows<L, std::int8_t>::pitch +
                                   i % L::kernel_width * pixel);
  };
  for (int x = 0; x < L::out_width; ++x, window += L::stride_width * pixel, out += pixel) {
    int32x4_t low = vdupq_n_s32(0), high = vdupq_n_s32(0);
#pragma GCC unroll 64
    for (int i = 0; i < positions; i += 2) {
      int16x8_t products = vmull_s8(inputs(i), filter[i]);
      if (i + 1 < positions) products = vmlal_s8(products, inputs(i + 1), filter[i + 1]);
      low = vaddw_s16(low, vget_low_s16(products));
      high = vaddw_high_s16(high, products);
    }
    const int16x4_t y_low = requantize<L>(low, bias[0], multiplier[0]);
    const int16x4_t y_high = requantize<L>(high, bias[1], multiplier[1]);
    store_bytes(out, vmovn_s16(vcombine_s16(y_low, y_high)), channels);
  }
}

/// All channels of all rows.
template <class L>
ASSAY_INLINE void filter_rows(const std::int8_t* in, const std::int8_t* weights, std::int8_t* out,
                              void* scratch) {
  PaddedRows<L, std::int8_t> rows(in, L::input_zero, scratch);
  for (int y = 0; y < L::out_height; ++y, out += L::out_width * L::out_channels) {
    const std::int8_t* const under = rows.under(y);
    for (int block = 0; block * depthwise_channels < L::out_channels; ++block) {
      const int first = first_of_block<depthwise_channels>(block, L::out_channels);
      filter_row<L>(under + first, weights + first, first, out + first);
    }
  }
}

}  // namespace neon

template <class L>
void depthwise_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  neon::filter_rows<L>(in, L::filters, out, scratch);
}

}  // namespace assay::kernels

// Convolution and dense layer over int16 tensors for AArch64: four channels at up to four pixels,
// sixteen inputs at a time, so that a vector of weights serves the pixels and one of inputs the
// channels. Needs four channels. A window is the input itself where that lies together, else a
// column in scratch memory. L has, besides the members of layer.hpp: std::int8_t packed[] (the
// filters, each filled up with zeros to padded_inputs), bias[] and multiplier[].
#pragma once

#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/neon.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels {

namespace int16 {

/// The products of `inputs` inputs, a multiple of 16, of each pixel with four channels: a vector of
/// the channels for each pixel.
template <int pixels>
ASSAY_INLINE void multiply_tile(const std::int16_t* const (&columns)[pixels],
                                const std::int8_t* filters, int filter, int from, int inputs,
                                int32x4_t (&products)[pixels]) {
  int32x4_t sums[pixels][4];
  for (auto& pixel : sums)
    for (int32x4_t& channel : pixel)
      channel = vdupq_n_s32(0);
  for (int i = from; i < from + inputs; i += 16) {
    int16x8_t first[pixels], second[pixels];
#pragma GCC unroll 4
    for (int p = 0; p < pixels; ++p) {
      first[p] = vld1q_s16(columns[p] + i);
      second[p] = vld1q_s16(columns[p] + i + 8);
    }
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c) {
      const int8x16_t weights = vld1q_s8(filters + c * filter + i);
      const int16x8_t low = vmovl_s8(vget_low_s8(weights)), high = vmovl_high_s8(weights);
#pragma GCC unroll 4
      for (int p = 0; p < pixels; ++p) {
        int32x4_t& sum = sums[p][c];
        sum = vmlal_s16(sum, vget_low_s16(first[p]), vget_low_s16(low));
        sum = vmlal_high_s16(sum, first[p], low);
        sum = vmlal_s16(sum, vget_low_s16(second[p]), vget_low_s16(high));
        sum = vmlal_high_s16(sum, second[p], high);
      }
    }
  }
  for (int p = 0; p < pixels; ++p)
    products[p] =
        vpaddq_s32(vpaddq_s32(sums[p][0], sums[p][1]), vpaddq_s32(sums[p][2], sums[p][3]));
}

template <class L>
struct ConvNeon {
  static constexpr int inputs = L::kernel_height * L::kernel_width * L::in_channels;
  static constexpr int filter = padded_inputs(inputs);
  static constexpr int outputs = L::out_height * L::out_width;
  static constexpr int pixels = outputs < 4 ? outputs : 4;
  static constexpr int row = L::in_width * L::in_channels;
  static constexpr bool pads =
      reaches_outside(L::in_width, L::out_width, L::kernel_width, L::stride_width, L::pad_left) ||
      reaches_outside(L::in_height, L::out_height, L::kernel_height, L::stride_height, L::pad_top);
  /// Windows that need no column.
  static constexpr bool lies_together =
      L::kernel_height == 1 && L::kernel_width == 1 && !pads && filter == inputs;
  static_assert(L::out_channels >= 4);

  /// The window at (top, left) as a column; padding is 0.
  static ASSAY_INLINE void gather(const std::int16_t* in, int top, int left, std::int16_t* column) {
    constexpr int pixel = L::in_channels;
    for (int y = top; y < top + L::kernel_height; ++y)
      for (int x = left; x < left + L::kernel_width; ++x, column += pixel) {
        const bool inside = !pads || (y >= 0 && y < L::in_height && x >= 0 && x < L::in_width);
        if (inside)
          __builtin_memcpy(column, in + y * row + x * pixel, pixel * sizeof *column);
        else
          __builtin_memset(column, 0, pixel * sizeof *column);
      }
  }

  /// All channels of the pixels from `out` on.
  static ASSAY_INLINE void filter_pixels(const std::int16_t* const (&columns)[pixels],
                                         std::int16_t* out) {
    for (int block = 0; 4 * block < L::out_channels; ++block) {
      const int channel = first_of_block<4>(block, L::out_channels);
      const std::int8_t* filters = L::packed + channel * filter;
      if constexpr (L::accumulator_shift > 0) {
        int64x2_t totals[pixels][2];
        for (auto& total : totals)
          for (int i = 0; i < 2; ++i)
            total[i] = vld1q_s64(L::bias + channel + 2 * i);
        for (int from = 0; from < filter; from += part_inputs) {
          int32x4_t sums[pixels];
          multiply_tile(columns, filters, filter, from,
                        from + part_inputs < filter ? part_inputs : filter - from, sums);
          for (int p = 0; p < pixels; ++p) {
            totals[p][0] = vaddw_s32(totals[p][0], vget_low_s32(sums[p]));
            totals[p][1] = vaddw_high_s32(totals[p][1], sums[p]);
          }
        }
        for (int p = 0; p < pixels; ++p)
          store(shift_down<L>(totals[p][0], totals[p][1]), channel, out + p * L::out_channels);
      } else {
        int32x4_t sums[pixels];
        multiply_tile(columns, filters, filter, 0, filter, sums);
        for (int p = 0; p < pixels; ++p)
          store(vaddq_s32(sums[p], vld1q_s32(L::bias + channel)), channel,
                out + p * L::out_channels);
      }
    }
  }

  static ASSAY_INLINE void store(int32x4_t shifted, int channel, std::int16_t* out) {
    vst1_s16(out + channel, requantize_four<L>(shifted, vld1q_s32(L::multiplier + channel)));
  }
};

/// A dense layer as a convolution of one pixel.
template <class L>
struct AsPixel : L {
  static constexpr int in_channels = L::in_height * L::in_width * L::in_channels;
  static constexpr int in_height = 1, in_width = 1, out_height = 1, out_width = 1;
  static constexpr int kernel_height = 1, kernel_width = 1, stride_height = 1, stride_width = 1;
  static constexpr int pad_top = 0, pad_left = 0;
};

}  // namespace int16

template <class L>
void conv_int16_neon(const std::int16_t* in, std::int16_t* out, void* scratch) {
  using Conv = int16::ConvNeon<L>;
  auto* const gathered = static_cast<std::int16_t*>(scratch);
  if constexpr (!Conv::lies_together)
    __builtin_memset(gathered, 0, Conv::pixels * Conv::filter * sizeof *gathered);
  for (int group = 0; Conv::pixels * group < Conv::outputs; ++group) {
    const int first = first_of_block<Conv::pixels>(group, Conv::outputs);
    const std::int16_t* columns[Conv::pixels];
    for (int p = 0; p < Conv::pixels; ++p) {
      const int top = (first + p) / L::out_width * L::stride_height - L::pad_top;
      const int left = (first + p) % L::out_width * L::stride_width - L::pad_left;
      columns[p] = in + top * Conv::row + left * L::in_channels;
      if constexpr (!Conv::lies_together) {
        columns[p] = gathered + p * Conv::filter;
        Conv::gather(in, top, left, gathered + p * Conv::filter);
      }
    }
    Conv::filter_pixels(columns, out + first * L::out_channels);
  }
}

template <class L>
void dense_int16_neon(const std::int16_t* in, std::int16_t* out, void* scratch) {
  conv_int16_neon<int16::AsPixel<L>>(in, out, scratch);
}

}  // namespace assay::kernels

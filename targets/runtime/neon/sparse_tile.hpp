// Inputs for weights that are met one by one: of sixteen pixels, so that a weight is multiplied by
// two registers of inputs wherever its zeros lie. Row i of the tile is input i of the sixteen
// windows, widened to int16 as SMLAL by an element wants it.
#pragma once

#include "targets/runtime/neon/conv.hpp"
#include "targets/runtime/neon/packed_layout.hpp"

namespace assay::kernels::neon {

template <class L>
struct SparseScratch {
  static constexpr int pixels = shared_pixels_of(L::out_height * L::out_width);
  std::int16_t tile[conv_layout<L>.steps() * step_inputs][shared_pixels];
  ConvScratch<L, pixels> windows;
};

/// Sums of sixteen pixels.
struct PixelSums {
  int32x4_t quarters[4];

  ASSAY_INLINE PixelSums() {
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q)
      quarters[q] = vdupq_n_s32(0);
  }
  /// Adds weight `lane` of `weights` times a row of the tile.
  template <int lane>
  ASSAY_INLINE void add(const std::int16_t* row, int16x4_t weights) {
    const int16x8_t low = vld1q_s16(row), high = vld1q_s16(row + 8);
    quarters[0] = vmlal_lane_s16(quarters[0], vget_low_s16(low), weights, lane);
    quarters[1] = vmlal_high_lane_s16(quarters[1], low, weights, lane);
    quarters[2] = vmlal_lane_s16(quarters[2], vget_low_s16(high), weights, lane);
    quarters[3] = vmlal_high_lane_s16(quarters[3], high, weights, lane);
  }
};

/// Rows become columns: sixteen inputs of sixteen pixels. Four rounds of interleaving the first
/// half of the rows with the second.
ASSAY_INLINE void transpose(const std::int8_t* const (&windows)[shared_pixels], int first,
                            std::int16_t (*to)[shared_pixels]) {
  int8x16_t rows[shared_pixels];
#pragma GCC unroll 16
  for (int p = 0; p < shared_pixels; ++p)
    rows[p] = vld1q_s8(windows[p] + first);
#pragma GCC unroll 4
  for (int round = 0; round < 4; ++round) {
    int8x16_t next[shared_pixels];
#pragma GCC unroll 8
    for (int i = 0; i < shared_pixels / 2; ++i) {
      next[2 * i] = vzip1q_s8(rows[i], rows[i + shared_pixels / 2]);
      next[2 * i + 1] = vzip2q_s8(rows[i], rows[i + shared_pixels / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < shared_pixels; ++i)
      rows[i] = next[i];
  }
#pragma GCC unroll 16
  for (int i = 0; i < shared_pixels; ++i) {
    vst1q_s16(to[i], vmovl_s8(vget_low_s8(rows[i])));
    vst1q_s16(to[i] + 8, vmovl_high_s8(rows[i]));
  }
}

/// The windows of `count` pixels from `first` on; the tile's other pixels repeat the last one.
template <class L>
ASSAY_INLINE void fill_tile(const std::int8_t* in, int first, int count,
                            SparseScratch<L>& scratch) {
  const std::int8_t* windows[shared_pixels];
  for (int p = 0; p < shared_pixels; ++p)
    windows[p] = p < count ? find_window(in, first + p, p, scratch.windows) : windows[count - 1];
  for (int step = 0; step < conv_layout<L>.steps(); ++step)
    transpose(windows, step * step_inputs, scratch.tile + step * step_inputs);
}

/// Sixteen outputs of one channel, which lie out_channels apart.
template <class L, int lane = 0>
ASSAY_INLINE void put_lanes(int8x16_t outputs, std::int8_t* out) {
  vst1q_lane_s8(out, outputs, lane);
  if constexpr (lane + 1 < shared_pixels) put_lanes<L, lane + 1>(outputs, out + L::out_channels);
}

/// Outputs of one channel for `count` pixels, from `out` on.
template <class L>
ASSAY_INLINE void put_pixels(const PixelSums& sums, int channel, int count, std::int8_t* out) {
  const int32x4_t bias = vdupq_n_s32(L::bias[channel]);
  const int32x4_t multiplier = vdupq_n_s32(L::multiplier[channel]);
  int16x4_t y[4];
#pragma GCC unroll 4
  for (int q = 0; q < 4; ++q)
    y[q] = requantize<L>(sums.quarters[q], bias, multiplier);
  const int8x16_t outputs =
      vcombine_s8(vmovn_s16(vcombine_s16(y[0], y[1])), vmovn_s16(vcombine_s16(y[2], y[3])));
  if (count == shared_pixels) return put_lanes<L>(outputs, out);
  std::int8_t all[shared_pixels];
  vst1q_s8(all, outputs);
  for (int p = 0; p < count; ++p, out += L::out_channels)
    *out = all[p];
}

}  // namespace assay::kernels::neon

// Sums of products and requantization in AArch64's Advanced SIMD registers. No dot product
// instructions: Cortex-A57 and A72 have none.
#pragma once

#include <arm_neon.h>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/layer.hpp"
#include "targets/runtime/neon/layout.hpp"

namespace assay::kernels::neon {

/// Adds sixteen products in pairs. A weight lies in [-127, 127], so that a sum of two products,
/// at most 2 * 127 * 128 = 32 512, fits the 16 bits between SMLAL and SADALP.
ASSAY_INLINE int32x4_t add_products(int32x4_t sums, int8x16_t inputs, int8x16_t weights) {
  const int16x8_t low = vmull_s8(vget_low_s8(inputs), vget_low_s8(weights));
  return vpadalq_s16(sums, vmlal_high_s8(low, inputs, weights));
}

/// y = clamp((((acc + b') >> P) * m) >> R) of four sums, as int16 (a shift left by a negative
/// amount is an arithmetic shift right).
template <class L>
ASSAY_INLINE int16x4_t requantize(int32x4_t accumulators, int32x4_t bias, int32x4_t multiplier) {
  const int32x4_t biased = vaddq_s32(accumulators, bias);
  const int32x4_t shifted = vshlq_s32(biased, vdupq_n_s32(-L::accumulator_shift));
  const int32x4_t scaled = vmulq_s32(shifted, multiplier);
  const int32x4_t y = vshlq_s32(scaled, vdupq_n_s32(-L::output_shift));
  return vmovn_s32(vminq_s32(vmaxq_s32(y, vdupq_n_s32(L::clamp_min)), vdupq_n_s32(L::clamp_max)));
}

/// The same of four channels, whose b' and m lie one behind the other.
template <class L>
ASSAY_INLINE int16x4_t requantize(int32x4_t accumulators, const std::int32_t* bias,
                                  const std::int32_t* multiplier) {
  return requantize<L>(accumulators, vld1q_s32(bias), vld1q_s32(multiplier));
}

/// Writes the first `count` of up to eight bytes.
ASSAY_INLINE void store_bytes(std::int8_t* to, int8x8_t bytes, int count) {
  if (count >= 8) return vst1_s8(to, bytes);
  if (count == 4) {
    const std::int32_t word = vget_lane_s32(vreinterpret_s32_s8(bytes), 0);
    __builtin_memcpy(to, &word, sizeof word);
    return;
  }
  std::int8_t all[8];
  vst1_s8(all, bytes);
  for (int i = 0; i < count; ++i)
    to[i] = all[i];
}

/// Four channels of `pixels` windows of `steps` steps: weights as packed, from weights[0] on; the
/// outputs of pixel p go to out + p * out_channels, `channels` of them.
template <class L, int steps, int pixels>
ASSAY_INLINE void multiply_block(const std::int8_t* const (&columns)[pixels],
                                 const std::int8_t* weights, const std::int32_t* bias,
                                 const std::int32_t* multiplier, std::int8_t* out, int channels) {
  // GCC keeps arrays in registers only where every index is a constant: all small loops unroll.
  int32x4_t sums[pixels][block_channels];
#pragma GCC unroll 4
  for (int p = 0; p < pixels; ++p)
#pragma GCC unroll 4
    for (int c = 0; c < block_channels; ++c)
      sums[p][c] = vdupq_n_s32(0);
#pragma GCC unroll 1
  for (int step = 0; step < steps; ++step, weights += step_inputs * block_channels) {
    int8x16_t filter[block_channels];
#pragma GCC unroll 4
    for (int c = 0; c < block_channels; ++c)
      filter[c] = vld1q_s8(weights + c * step_inputs);
#pragma GCC unroll 4
    for (int p = 0; p < pixels; ++p) {
      const int8x16_t inputs = vld1q_s8(columns[p] + step * step_inputs);
#pragma GCC unroll 4
      for (int c = 0; c < block_channels; ++c)
        sums[p][c] = add_products(sums[p][c], inputs, filter[c]);
    }
  }
#pragma GCC unroll 4
  for (int p = 0; p < pixels; ++p) {
    const int32x4_t totals =
        vpaddq_s32(vpaddq_s32(sums[p][0], sums[p][1]), vpaddq_s32(sums[p][2], sums[p][3]));
    const int16x4_t y = requantize<L>(totals, bias, multiplier);
    store_bytes(out + p * L::out_channels, vmovn_s16(vcombine_s16(y, y)), channels);
  }
}

/// All channels of `pixels` windows.
template <class L, int steps, int pixels>
ASSAY_INLINE void multiply_windows(const std::int8_t* const (&columns)[pixels], std::int8_t* out) {
  const std::int8_t* weights = L::filters;
  for (int c = 0; c < L::out_channels; c += block_channels) {
    const int left = L::out_channels - c;
    multiply_block<L, steps, pixels>(columns, weights, L::bias + c, L::multiplier + c, out + c,
                                     left < block_channels ? left : block_channels);
    weights += steps * step_inputs * block_channels;
  }
}

}  // namespace assay::kernels::neon

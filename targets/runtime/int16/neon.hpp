// What the kernels over int16 tensors share on AArch64: eight elements in a vector, and their way
// from products of 64 bits to the output (ARITHMETIC.md, "int16 activations").
#pragma once

#include <arm_neon.h>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels::int16 {

/// Eight sums.
struct Sums {
  int32x4_t low;
  int32x4_t high;
};

/// What multipliers make of them.
struct Products {
  int64x2_t pair[4];
};

ASSAY_INLINE Sums widen(int16x8_t elements) {
  return {vmovl_s16(vget_low_s16(elements)), vmovl_high_s16(elements)};
}

ASSAY_INLINE Sums multiply(int16x8_t a, int16x8_t b) {
  return {vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b)};
}

/// One multiplier for all.
ASSAY_INLINE Products multiply(const Sums& sums, std::int32_t m) {
  const int32x4_t all = vdupq_n_s32(m);
  return {{vmull_s32(vget_low_s32(sums.low), vget_low_s32(all)), vmull_high_s32(sums.low, all),
           vmull_s32(vget_low_s32(sums.high), vget_low_s32(all)), vmull_high_s32(sums.high, all)}};
}

ASSAY_INLINE void add_products(Products& to, const Products& more) {
  for (int i = 0; i < 4; ++i)
    to.pair[i] = vaddq_s64(to.pair[i], more.pair[i]);
}

/// clamp16 of results that are shifted already.
template <class L>
ASSAY_INLINE int16x8_t narrow(const Products& y) {
  int16x8_t result = vqmovn_high_s32(vqmovn_s32(vqmovn_high_s64(vqmovn_s64(y.pair[0]), y.pair[1])),
                                     vqmovn_high_s64(vqmovn_s64(y.pair[2]), y.pair[3]));
  if constexpr (L::clamp_min > -32768) result = vmaxq_s16(result, vdupq_n_s16(L::clamp_min));
  if constexpr (L::clamp_max < 32767) result = vminq_s16(result, vdupq_n_s16(L::clamp_max));
  return result;
}

/// clamp16((product + b') >> R) with b' = 2^(R-1): a shift that rounds.
template <class L>
ASSAY_INLINE int16x8_t scale_down(Products products) {
  for (int64x2_t& pair : products.pair)
    pair = vrshrq_n_s64(pair, L::output_shift);
  return narrow<L>(products);
}

/// clamp16((m * x + b') >> R)
template <class L>
ASSAY_INLINE int16x8_t rescale(const Sums& sums, std::int32_t m) {
  return scale_down<L>(multiply(sums, m));
}

/// (acc + b') >> P of sums that need 64 bits and hold b'; the results have 32.
template <class L>
ASSAY_INLINE int32x4_t shift_down(int64x2_t low, int64x2_t high) {
  return vmovn_high_s64(vmovn_s64(vshrq_n_s64(low, L::accumulator_shift)),
                        vshrq_n_s64(high, L::accumulator_shift));
}

/// (x * m) >> R of four channels, limited to 32 bits.
template <class L>
ASSAY_INLINE int32x4_t scale_four(int32x4_t x, int32x4_t m) {
  return vqmovn_high_s64(
      vqmovn_s64(vshrq_n_s64(vmull_s32(vget_low_s32(x), vget_low_s32(m)), L::output_shift)),
      vshrq_n_s64(vmull_high_s32(x, m), L::output_shift));
}

/// clamp16((x * m) >> R) of four channels.
template <class L>
ASSAY_INLINE int16x4_t requantize_four(int32x4_t x, int32x4_t m) {
  const int16x4_t y = vqmovn_s32(scale_four<L>(x, m));
  return vmin_s16(vmax_s16(y, vdup_n_s16(L::clamp_min)), vdup_n_s16(L::clamp_max));
}

/// Four sums and b'; shifted by P.
template <class L>
ASSAY_INLINE int32x4_t add_bias(int32x4_t sums, int channel) {
  if constexpr (L::accumulator_shift > 0)
    return shift_down<L>(vaddw_s32(vld1q_s64(L::bias + channel), vget_low_s32(sums)),
                         vaddw_high_s32(vld1q_s64(L::bias + channel + 2), sums));
  else
    return vaddq_s32(sums, vld1q_s32(L::bias + channel));
}

/// clamp16((((acc + b') >> P) * m) >> R) of eight channels from `channel` on.
template <class L>
ASSAY_INLINE int16x8_t requantize_eight(const Sums& sums, int channel) {
  return vcombine_s16(
      requantize_four<L>(add_bias<L>(sums.low, channel), vld1q_s32(L::multiplier + channel)),
      requantize_four<L>(add_bias<L>(sums.high, channel + 4),
                         vld1q_s32(L::multiplier + channel + 4)));
}

}  // namespace assay::kernels::int16

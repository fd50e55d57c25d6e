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

/// clamp16((((acc + b') >> P) * m) >> R) of eight channels from `channel` on.
template <class L>
ASSAY_INLINE int16x8_t requantize(Sums sums, int channel) {
  if constexpr (L::accumulator_shift > 0) {
    const auto shifted = [channel](int32x2_t low, int32x2_t high, int first) ASSAY_INLINE_LAMBDA {
      const std::int64_t* bias = L::bias + channel + first;
      constexpr int p = L::accumulator_shift > 0 ? L::accumulator_shift : 1;
      return vcombine_s32(vmovn_s64(vshrq_n_s64(vaddw_s32(vld1q_s64(bias), low), p)),
                          vmovn_s64(vshrq_n_s64(vaddw_s32(vld1q_s64(bias + 2), high), p)));
    };
    sums = {shifted(vget_low_s32(sums.low), vget_high_s32(sums.low), 0),
            shifted(vget_low_s32(sums.high), vget_high_s32(sums.high), 4)};
  } else {
    sums = {vaddq_s32(sums.low, vld1q_s32(L::bias + channel)),
            vaddq_s32(sums.high, vld1q_s32(L::bias + channel + 4))};
  }
  const int32x4_t low = vld1q_s32(L::multiplier + channel);
  const int32x4_t high = vld1q_s32(L::multiplier + channel + 4);
  Products products{
      {vmull_s32(vget_low_s32(sums.low), vget_low_s32(low)), vmull_high_s32(sums.low, low),
       vmull_s32(vget_low_s32(sums.high), vget_low_s32(high)), vmull_high_s32(sums.high, high)}};
  for (int64x2_t& pair : products.pair)
    pair = vshrq_n_s64(pair, L::output_shift);
  return narrow<L>(products);
}

}  // namespace assay::kernels::int16

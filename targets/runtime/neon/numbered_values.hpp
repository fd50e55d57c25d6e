// The up to 16 values of L::values in a register, from which TBL takes weights by their numbers.
#pragma once

#include <arm_neon.h>

#include "targets/runtime/inline.hpp"

namespace assay::kernels::neon {

template <class L>
class NumberedValues {
 public:
  ASSAY_INLINE NumberedValues() {
    std::int8_t all[16] = {};
    __builtin_memcpy(all, L::values, sizeof L::values);
    values_ = vld1q_s8(all);
  }

  /// Four weights, twice, from the two bytes that hold their numbers: of w0 and w2, of w1 and w3.
  ASSAY_INLINE int8x8_t decode(const std::uint8_t* numbers) const {
    std::uint16_t both;
    __builtin_memcpy(&both, numbers, sizeof both);
    const uint8x8_t low = vreinterpret_u8_u16(vdup_n_u16(both));
    const uint8x8_t high = vshr_n_u8(low, 4);
    const uint16x4_t alternating = vtrn1_u16(vreinterpret_u16_u8(low), vreinterpret_u16_u8(high));
    return vqtbl1_s8(values_, vand_u8(vreinterpret_u8_u16(alternating), vdup_n_u8(15)));
  }

  /// Sixteen weights, whose numbers are the low halves of the bytes, or the high ones.
  ASSAY_INLINE int8x16_t low(uint8x16_t numbers) const {
    return vqtbl1q_s8(values_, vandq_u8(numbers, vdupq_n_u8(15)));
  }
  ASSAY_INLINE int8x16_t high(uint8x16_t numbers) const {
    return vqtbl1q_s8(values_, vshrq_n_u8(numbers, 4));
  }

 private:
  int8x16_t values_;
};

}  // namespace assay::kernels::neon

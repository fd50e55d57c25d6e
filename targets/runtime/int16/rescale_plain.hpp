// Elements and sums of int16 tensors brought to the output's scale on cores without SMLAD
// (ARITHMETIC.md, "int16 activations"): clamp16((m * x + b') >> R), where b' = 2^(R-1).
#pragma once

#include "targets/runtime/int16/halves.hpp"
#include "targets/runtime/int16/requantize_plain.hpp"

namespace assay::kernels::int16 {

ASSAY_INLINE Halves in_registers(const Halves& m) {
  return {in_register(m.high), in_register(m.low)};
}

/// Of an element.
template <class L>
ASSAY_INLINE std::int16_t rescale_plain(std::int32_t element, const Halves& m) {
  constexpr int shift = L::output_shift - 16;
  if constexpr (shift > 0)
    return limit_plain<L>((m.high * element + (m.low * element >> 16) + half_step<L, 16>) >> shift);
  else
    return scale_down_wide<L>((std::int64_t{m.high} * 65536 + m.low) * element);
}

/// Of a sum whose magnitude is at most `largest`.
template <class L, std::int64_t largest>
ASSAY_INLINE std::int16_t rescale_sum_plain(std::int32_t sum, std::int32_t m) {
  constexpr int shift = L::output_shift - 32;
  if constexpr (shift > 0)
    return limit_plain<L>((multiply_high(sum, m) + half_step<L, 32>) >> shift);
  else if constexpr (largest << -shift < std::int64_t{1} << 31)
    return limit_plain<L>(multiply_high<(1u << 15)>(sum * (1 << -shift), m));
  else
    return scale_down_wide<L>(std::int64_t{m} * sum);
}

}  // namespace assay::kernels::int16

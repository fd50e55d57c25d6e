// Requantization over int16 tensors for cores without SMLAD (ARITHMETIC.md, "int16 activations").
#pragma once

#include "targets/runtime/inline.hpp"
#include "targets/runtime/reference/requantize.hpp"

namespace assay::kernels::int16 {

/// (x * m) >> 32 for 0 <= m. An Armv6-M core has no multiplication that gives 64 bits: it takes
/// four of halves, none of whose sums leaves 32.
ASSAY_INLINE std::int32_t multiply_high(std::int32_t x, std::int32_t m) {
#ifdef __ARM_ARCH_6M__
  const std::uint32_t x_low = static_cast<std::uint16_t>(x), m_low = static_cast<std::uint16_t>(m);
  const std::int32_t x_high = x >> 16, m_high = m >> 16;
  const std::int32_t middle =
      x_high * static_cast<std::int32_t>(m_low) + static_cast<std::int32_t>(x_low * m_low >> 16);
  const std::uint32_t rest =
      x_low * static_cast<std::uint32_t>(m_high) + static_cast<std::uint16_t>(middle);
  return x_high * m_high + (middle >> 16) + static_cast<std::int32_t>(rest >> 16);
#else
  return static_cast<std::int32_t>(std::int64_t{x} * m >> 32);
#endif
}

/// clamp16((((acc + b') >> P) * m) >> R)
template <class L>
ASSAY_INLINE std::int16_t requantize_plain(Accumulator<L, std::int16_t> sum, int channel) {
  if constexpr (L::output_shift < 32) return requantize<L, std::int16_t>(sum, channel);
  const auto shifted = static_cast<std::int32_t>((sum + L::bias[channel]) >> L::accumulator_shift);
  const std::int32_t y = multiply_high(shifted, L::multiplier[channel]) >>
                         (L::output_shift < 32 ? 0 : L::output_shift - 32);
  if (y < L::clamp_min) return L::clamp_min;
  if (y > L::clamp_max) return L::clamp_max;
  return static_cast<std::int16_t>(y);
}

}  // namespace assay::kernels::int16

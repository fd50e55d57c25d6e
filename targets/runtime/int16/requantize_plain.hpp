// Requantization over int16 tensors for cores without SMLAD (ARITHMETIC.md, "int16 activations").
#pragma once

#include "targets/runtime/inline.hpp"
#include "targets/runtime/reference/requantize.hpp"

namespace assay::kernels::int16 {

/// (x * m + add * 2^16) >> 32 for 0 <= m and 0 <= add <= 2^15. An Armv6-M core has no
/// multiplication that gives 64 bits: it takes four of halves, none of whose sums leaves 32.
template <std::uint32_t add = 0>
ASSAY_INLINE std::int32_t multiply_high(std::int32_t x, std::int32_t m) {
#ifdef __ARM_ARCH_6M__
  const std::uint32_t x_low = static_cast<std::uint16_t>(x), m_low = static_cast<std::uint16_t>(m);
  const std::int32_t x_high = x >> 16, m_high = m >> 16;
  const std::int32_t middle =
      x_high * static_cast<std::int32_t>(m_low) + static_cast<std::int32_t>(x_low * m_low >> 16);
  const std::uint32_t rest =
      x_low * static_cast<std::uint32_t>(m_high) + static_cast<std::uint16_t>(middle) + add;
  return x_high * m_high + (middle >> 16) + static_cast<std::int32_t>(rest >> 16);
#else
  return static_cast<std::int32_t>((std::int64_t{x} * m + (std::int64_t{add} << 16)) >> 32);
#endif
}

/// clamp16(y)
template <class L>
ASSAY_INLINE std::int16_t limit_plain(std::int32_t y) {
  if constexpr (L::clamp_min == -32768 && L::clamp_max == 32767) {
    const auto whole = static_cast<std::int16_t>(y);
    return whole == y ? whole : static_cast<std::int16_t>(y >> 31 ^ 32767);
  }
  if (y < L::clamp_min) return L::clamp_min;
  if (y > L::clamp_max) return L::clamp_max;
  return static_cast<std::int16_t>(y);
}

/// clamp16((((acc + b') >> P) * m) >> R)
template <class L>
ASSAY_INLINE std::int16_t requantize_plain(Accumulator<L, std::int16_t> sum, int channel) {
  if constexpr (L::output_shift < 32) return kernels::requantize<L, std::int16_t>(sum, channel);
  const auto shifted = static_cast<std::int32_t>((sum + L::bias[channel]) >> L::accumulator_shift);
  return limit_plain<L>(multiply_high(shifted, L::multiplier[channel]) >>
                        (L::output_shift < 32 ? 0 : L::output_shift - 32));
}

}  // namespace assay::kernels::int16

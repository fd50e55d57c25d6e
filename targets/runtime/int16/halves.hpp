// Multipliers of 31 bits as halves, for sums of products over int16 tensors (ARITHMETIC.md, "int16
// activations"). What a sum has below 2^16 counts only as a carry: (sum + b') >> 16 fits 32 bits,
// and the 16 lowest bits of b' = 2^(R-1) are 0. Portable.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"

namespace assay::kernels::int16 {

/// m = high * 2^16 + low with |low| <= 2^15, so that two products of a low half and an element fit
/// 32 bits together: -32767 <= low <= 32768.
struct Halves {
  std::int32_t high;
  std::int32_t low;
};

constexpr Halves halves_of(std::int32_t m) {
  const auto low = static_cast<std::int32_t>((std::int64_t{m} + 32767) % 65536) - 32767;
  return {static_cast<std::int32_t>((std::int64_t{m} - low) / 65536), low};
}

/// b' without the bits that a shift to the right by `dropped` takes.
template <class L, int dropped>
inline constexpr std::int32_t half_step = 1 << (L::output_shift - 1 - dropped);

/// A constant as a register holds it: without this GCC builds products with it from shifts and
/// additions, and adds it where another operand could be shifted.
ASSAY_INLINE std::int32_t in_register(std::int32_t value) {
  asm("" : "+r"(value));
  return value;
}

/// Whether (sum of m_i * a_i + b') >> 16 fits 32 bits for any elements, where `multipliers` is the
/// sum of the m_i.
template <class L>
constexpr bool sums_fit(std::int64_t multipliers) {
  return L::output_shift > 16 &&
         multipliers * 32768 + (std::int64_t{1} << (L::output_shift - 1)) < std::int64_t{1} << 47;
}

/// clamp16((value + b') >> R), the slow way that always holds.
template <class L>
constexpr std::int16_t scale_down_wide(std::int64_t value) {
  const std::int64_t y = (value + (std::int64_t{1} << (L::output_shift - 1))) >> L::output_shift;
  return static_cast<std::int16_t>(y < L::clamp_min   ? L::clamp_min
                                   : y > L::clamp_max ? L::clamp_max
                                                      : y);
}

}  // namespace assay::kernels::int16

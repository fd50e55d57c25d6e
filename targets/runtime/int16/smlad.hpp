// What the SMLAD kernels over int16 tensors share: pairs of inputs, requantization, and a sum's way
// to it (ARITHMETIC.md, "int16 activations"). Thumb and Arm state.
#pragma once

#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels::int16 {

/// Two elements at any address of an element: these cores load unaligned words.
ASSAY_INLINE std::uint32_t load_pair(const std::int16_t* from) {
  std::uint32_t pair;
  __builtin_memcpy(&pair, from, sizeof pair);
  return pair;
}

/// clamp16(value >> shift).
template <int shift>
ASSAY_INLINE std::int32_t shift_and_saturate(std::int32_t value) {
  std::int32_t result;
  if constexpr (shift == 0)
    asm("ssat %0, #16, %1" : "=r"(result) : "r"(value));
  else
    asm("ssat %0, #16, %1, asr %2" : "=r"(result) : "r"(value), "i"(shift));
  return result;
}

/// The fused activation, of a value within int16; a register of 32 bits, as who stores two of them
/// wants it.
template <class L>
ASSAY_INLINE std::int32_t limit(std::int32_t y) {
  if constexpr (L::clamp_min > -32768) y = y < L::clamp_min ? L::clamp_min : y;
  if constexpr (L::clamp_max < 32767) y = y > L::clamp_max ? L::clamp_max : y;
  return y;
}

/// clamp16(product >> R).
template <class L>
ASSAY_INLINE std::int32_t scale_down(std::int64_t product) {
  constexpr int half = 32;
  if constexpr (L::output_shift >= half)
    return limit<L>(
        shift_and_saturate<L::output_shift - half>(static_cast<std::int32_t>(product >> half)));
  const std::int64_t y = product >> L::output_shift;
  return limit<L>(y < -32768 ? -32768 : y > 32767 ? 32767 : static_cast<std::int32_t>(y));
}

/// Whether sums need 64 bits.
template <class L>
inline constexpr bool long_sums = L::accumulator_shift > 0;

/// clamp16(((total >> P) * m) >> R) for a total that holds b'.
template <class L, class Total>
ASSAY_INLINE std::int16_t requantize(Total total, std::int32_t multiplier) {
  const auto shifted = static_cast<std::int32_t>(total >> L::accumulator_shift);
  return static_cast<std::int16_t>(scale_down<L>(std::int64_t{shifted} * multiplier));
}

}  // namespace assay::kernels::int16

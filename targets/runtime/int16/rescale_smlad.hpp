// Elements and sums of int16 tensors brought to the output's scale on cores with halfword products
// (ARITHMETIC.md, "int16 activations"): clamp16((m * x + b') >> R), where b' = 2^(R-1).
#pragma once

#include "targets/runtime/int16/halves.hpp"
#include "targets/runtime/int16/smlad.hpp"

namespace assay::kernels::int16 {

/// A half of a word of two elements.
enum class Half { bottom, top };

template <Half half>
ASSAY_INLINE std::int32_t element_of(std::uint32_t pair) {
  return half == Half::top ? static_cast<std::int32_t>(pair) >> 16
                           : static_cast<std::int16_t>(pair);
}

/// Writes two elements at any address of an element.
ASSAY_INLINE void store_pair(std::int16_t* to, std::int32_t first, std::int32_t second) {
  const std::uint32_t pair =
      dsp::join_bottoms(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(second));
  __builtin_memcpy(to, &pair, sizeof pair);
}

/// (m * element >> 16) + add.
template <Half half>
ASSAY_INLINE std::int32_t multiply_half(std::int32_t m, std::uint32_t pair, std::int32_t add) {
  std::int32_t result;
  if constexpr (half == Half::top)
    asm("smlawt %0, %1, %2, %3" : "=r"(result) : "r"(m), "r"(pair), "r"(add));
  else
    asm("smlawb %0, %1, %2, %3" : "=r"(result) : "r"(m), "r"(pair), "r"(add));
  return result;
}

/// (m * x >> 32) + add.
ASSAY_INLINE std::int32_t multiply_high(std::int32_t m, std::int32_t x, std::int32_t add) {
  std::int32_t result;
  asm("smmla %0, %1, %2, %3" : "=r"(result) : "r"(m), "r"(x), "r"(add));
  return result;
}

/// (m * x + 2^31) >> 32.
ASSAY_INLINE std::int32_t multiply_high_rounded(std::int32_t m, std::int32_t x) {
  std::int32_t result;
  asm("smmulr %0, %1, %2" : "=r"(result) : "r"(m), "r"(x));
  return result;
}

/// Of an element.
template <class L, Half half>
ASSAY_INLINE std::int32_t rescale(std::uint32_t pair, std::int32_t m) {
  constexpr int shift = L::output_shift - 16;
  if constexpr (shift > 0)
    return limit<L>(shift_and_saturate<shift>(multiply_half<half>(m, pair, half_step<L, 16>)));
  else
    return scale_down_wide<L>(std::int64_t{m} * element_of<half>(pair));
}

/// Of a sum whose magnitude is at most `largest`.
template <class L, std::int64_t largest>
ASSAY_INLINE std::int32_t rescale_sum(std::int32_t sum, std::int32_t m) {
  constexpr int shift = L::output_shift - 32;
  if constexpr (shift > 0)
    return limit<L>(shift_and_saturate<shift>(multiply_high(m, sum, half_step<L, 32>)));
  else if constexpr (largest << -shift < std::int64_t{1} << 31)
    return limit<L>(shift_and_saturate<0>(multiply_high_rounded(m, sum * (1 << -shift))));
  else
    return scale_down_wide<L>(std::int64_t{m} * sum);
}

}  // namespace assay::kernels::int16

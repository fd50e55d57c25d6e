// What every kernel over float32 tensors computes with. ARITHMETIC.md, "Floating point": products
// and sums are rounded one by one, so code that includes this is compiled with -ffp-contract=off
// and without -ffast-math. Freestanding C++17.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels {

ASSAY_INLINE float float_from_bits(std::uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);  // no call, also where std::memcpy is one
  return value;
}

/// A finite IEEE 754 binary16 as the float32 of the same value.
ASSAY_INLINE float widen(std::uint16_t half) {
#if defined(__ARM_FP) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
  // FPv4-SP and FPv5 convert binary16 (Armv7-M architecture reference manual, VCVTB).
  float bits = float_from_bits(half), value;
  asm("vcvtb.f32.f16 %0, %1" : "=t"(value) : "t"(bits));
  return value;
#else
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  const std::uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
  if (exponent != 0) return float_from_bits(sign | (exponent + 112) << 23 | fraction << 13);
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;  // a subnormal, or zero
  return sign ? -magnitude : magnitude;
#endif
}

/// A weight in any of the forms that a layer stores.
ASSAY_INLINE float weight_value(float weight) {
  return weight;
}
ASSAY_INLINE float weight_value(std::uint16_t half) {
  return widen(half);
}
ASSAY_INLINE float weight_value(std::int8_t weight) {
  return static_cast<float>(weight);
}

/// The fused activation.
template <class L>
ASSAY_INLINE float limit(float value) {
  constexpr float infinity = __builtin_inff();
  if (L::clamp_min > -infinity && value < L::clamp_min) return L::clamp_min;
  if (L::clamp_max < infinity && value > L::clamp_max) return L::clamp_max;
  return value;
}

/// From the sum of an output channel to the output.
template <class L>
ASSAY_INLINE float finish(float sum, int channel) {
  if constexpr (sizeof(L::weights[0]) == 1) sum *= L::scale[channel];
  return limit<L>(sum + L::bias[channel]);
}

}  // namespace assay::kernels

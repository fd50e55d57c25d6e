// Single DSP instructions by name (Armv7-M Architecture Reference Manual, A7.7), and the
// requantization of ARITHMETIC.md with them.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"

namespace assay::kernels::dsp {

/// Bytes 0 and 2 of a word, sign-extended to halfwords.
ASSAY_INLINE std::uint32_t sxtb16(std::uint32_t word) {
  std::uint32_t result;
  asm("sxtb16 %0, %1" : "=r"(result) : "r"(word));
  return result;
}

/// Bytes 1 and 3.
ASSAY_INLINE std::uint32_t sxtb16_odd(std::uint32_t word) {
  std::uint32_t result;
  asm("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(word));
  return result;
}

/// acc + both halfword products.
ASSAY_INLINE std::int32_t smlad(std::uint32_t a, std::uint32_t b, std::int32_t acc) {
  std::int32_t result;
  asm("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
  return result;
}

/// acc + the product of the bottom halves.
ASSAY_INLINE std::int32_t smlabb(std::uint32_t a, std::uint32_t b, std::int32_t acc) {
  std::int32_t result;
  asm("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
  return result;
}

/// acc + the product of the bottom half of `a` and the top half of `b`.
ASSAY_INLINE std::int32_t smlabt(std::uint32_t a, std::uint32_t b, std::int32_t acc) {
  std::int32_t result;
  asm("smlabt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
  return result;
}

/// acc + the product of the top half of `a` and the bottom half of `b`.
ASSAY_INLINE std::int32_t smlatb(std::uint32_t a, std::uint32_t b, std::int32_t acc) {
  std::int32_t result;
  asm("smlatb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
  return result;
}

/// acc + the product of the top halves.
ASSAY_INLINE std::int32_t smlatt(std::uint32_t a, std::uint32_t b, std::int32_t acc) {
  std::int32_t result;
  asm("smlatt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
  return result;
}

/// The larger of each of four signed bytes.
ASSAY_INLINE std::uint32_t largest_bytes(std::uint32_t a, std::uint32_t b) {
  std::uint32_t result;
  asm("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b));
  return result;
}

/// Adds bytes 0 and 2 of a word to the halfwords of `sums`.
ASSAY_INLINE std::uint32_t sxtab16(std::uint32_t sums, std::uint32_t word) {
  std::uint32_t result;
  asm("sxtab16 %0, %1, %2" : "=r"(result) : "r"(sums), "r"(word));
  return result;
}

/// Adds bytes 1 and 3.
ASSAY_INLINE std::uint32_t sxtab16_odd(std::uint32_t sums, std::uint32_t word) {
  std::uint32_t result;
  asm("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(sums), "r"(word));
  return result;
}

/// (bottom half of `low`, bottom half of `high`).
ASSAY_INLINE std::uint32_t join_bottoms(std::uint32_t low, std::uint32_t high) {
  std::uint32_t result;
  asm("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(low), "r"(high));
  return result;
}

/// (top half of `low`, top half of `high`).
ASSAY_INLINE std::uint32_t join_tops(std::uint32_t low, std::uint32_t high) {
  std::uint32_t result;
  asm("pkhtb %0, %1, %2, asr #16" : "=r"(result) : "r"(high), "r"(low));
  return result;
}

/// Sums of halves.
ASSAY_INLINE std::uint32_t sadd16(std::uint32_t a, std::uint32_t b) {
  std::uint32_t result;
  asm("sadd16 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
  return result;
}

/// Differences of halves.
ASSAY_INLINE std::uint32_t ssub16(std::uint32_t a, std::uint32_t b) {
  std::uint32_t result;
  asm("ssub16 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
  return result;
}

/// Four bytes at any address: these cores load unaligned words.
ASSAY_INLINE std::uint32_t load_word(const std::int8_t* bytes) {
  std::uint32_t word;
  __builtin_memcpy(&word, bytes, sizeof word);
  return word;
}

/// clamp8(value >> shift).
template <int shift>
ASSAY_INLINE std::int32_t shift_and_saturate(std::int32_t value) {
  std::int32_t result;
  if constexpr (shift == 0)
    asm("ssat %0, #8, %1" : "=r"(result) : "r"(value));
  else
    asm("ssat %0, #8, %1, asr %2" : "=r"(result) : "r"(value), "i"(shift));
  return result;
}

/// y = clamp((((acc + b') >> P) * m) >> R) for an accumulator that holds b' already and has
/// `extra_shift` fraction bits.
template <class L, int extra_shift = 0>
ASSAY_INLINE std::int8_t requantize(std::int32_t accumulator, std::int32_t multiplier) {
  constexpr int shift = L::accumulator_shift + extra_shift;
  static_assert(shift < 32 && L::output_shift < 32);
  std::int32_t y = shift_and_saturate<L::output_shift>((accumulator >> shift) * multiplier);
  if constexpr (L::clamp_min > -128) y = y < L::clamp_min ? L::clamp_min : y;
  if constexpr (L::clamp_max < 127) y = y > L::clamp_max ? L::clamp_max : y;
  return static_cast<std::int8_t>(y);
}

/// What a pair of channels needs besides weights, as packed in L::channels.
struct ChannelPair {
  std::int32_t bias[2];
  std::int32_t multiplier[2];
};

}  // namespace assay::kernels::dsp

// Sums of products of widened inputs and int8 weights in Arm state (Armv6 Architecture Reference
// Manual, A4: SXTB16, SMLAD), and their requantization.
#pragma once

#include "targets/runtime/armv6/layout.hpp"
#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels::armv6 {

/// Four bytes to two words of halfwords.
ASSAY_INLINE void widen(const std::int8_t* from, std::uint32_t& even, std::uint32_t& odd) {
  const std::uint32_t word = dsp::load_word(from);
  even = dsp::sxtb16(word);
  odd = dsp::sxtb16_odd(word);
}

/// Steps that an iteration of a loop over so many takes.
constexpr int unroll_of(int steps) {
  return steps % 4 == 0 ? 4 : steps % 3 == 0 ? 3 : steps % 2 == 0 ? 2 : 1;
}

/// A step of two channels and two pixels: fourteen instructions for sixteen multiply-accumulates.
/// LDM is one of them, so the registers are named.
#define ASSAY_STEP                         \
  "ldmia %[inputs]!, {r4, r5, r6, r7}\n\t" \
  "ldmia %[filters]!, {r8, r9}\n\t"        \
  "sxtb16 r10, r8\n\t"                     \
  "sxtb16 r8, r8, ror #8\n\t"              \
  "sxtb16 r11, r9\n\t"                     \
  "sxtb16 r9, r9, ror #8\n\t"              \
  "smlad %[a], r10, r4, %[a]\n\t"          \
  "smlad %[b], r10, r6, %[b]\n\t"          \
  "smlad %[c], r11, r4, %[c]\n\t"          \
  "smlad %[d], r11, r6, %[d]\n\t"          \
  "smlad %[a], r8, r5, %[a]\n\t"           \
  "smlad %[b], r8, r7, %[b]\n\t"           \
  "smlad %[c], r9, r5, %[c]\n\t"           \
  "smlad %[d], r9, r7, %[d]\n\t"

/// Adds all steps to `sums`: channel 0 at both pixels, then channel 1.
template <int steps>
ASSAY_INLINE void add_steps(const std::uint32_t* inputs, const std::uint32_t* filters,
                            std::int32_t (&sums)[4]) {
  constexpr int unroll = unroll_of(steps);
  const std::uint32_t* const end = inputs + steps * pixel_pair_words;
  std::int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  do {
    asm volatile(".rept %c[unroll]\n\t" ASSAY_STEP ".endr" ASSAY_LINES_48
                 : [inputs] "+r"(inputs), [filters] "+r"(filters), [a] "+r"(a), [b] "+r"(b),
                   [c] "+r"(c), [d] "+r"(d)
                 : [unroll] "i"(unroll)
                 : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "memory");
  } while (inputs != end);
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}

#undef ASSAY_STEP

}  // namespace assay::kernels::armv6

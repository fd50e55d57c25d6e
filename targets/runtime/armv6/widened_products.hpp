// Sums of products of widened inputs and widened weights, in Arm state.
#pragma once

#include "targets/runtime/armv6/packed_layout.hpp"
#include "targets/runtime/armv6/products.hpp"

namespace assay::kernels::armv6 {

/// Adds `steps` steps of two channels at two pixels, channel 0 at both, then channel 1: ten
/// instructions for sixteen multiply-accumulates.
template <int steps>
ASSAY_INLINE void add_widened_steps(const std::uint32_t* inputs, const std::uint32_t* filters,
                                    std::int32_t (&sums)[4]) {
  const std::uint32_t* const end = inputs + steps * pixel_pair_words;
  std::int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  do {
    asm volatile(
        ".rept %c[unroll]\n\t"
        "ldmia %[inputs]!, {r4, r5, r6, r7}\n\t"
        "ldmia %[filters]!, {r8, r9, r10, r11}\n\t"
        "smlad %[a], r8, r4, %[a]\n\t"
        "smlad %[b], r8, r6, %[b]\n\t"
        "smlad %[c], r9, r4, %[c]\n\t"
        "smlad %[d], r9, r6, %[d]\n\t"
        "smlad %[a], r10, r5, %[a]\n\t"
        "smlad %[b], r10, r7, %[b]\n\t"
        "smlad %[c], r11, r5, %[c]\n\t"
        "smlad %[d], r11, r7, %[d]\n\t"
        ".endr" ASSAY_LINES_48
        : [inputs] "+r"(inputs), [filters] "+r"(filters), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c),
          [d] "+r"(d)
        : [unroll] "i"(unroll_of(steps))
        : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "memory");
  } while (inputs != end);
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}

/// Adds `steps` steps of four channels at one pixel: eleven instructions for sixteen
/// multiply-accumulates.
template <int steps>
ASSAY_INLINE void add_widened_dense(const std::uint32_t* inputs, const std::uint32_t* filters,
                                    std::int32_t (&sums)[dense_channels]) {
  const std::uint32_t* const end = inputs + 2 * steps;
  std::int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  do {
    asm volatile(
        ".rept %c[unroll]\n\t"
        "ldmia %[inputs]!, {r4, r5}\n\t"
        "ldmia %[filters]!, {r6, r7, r8, r9}\n\t"
        "smlad %[a], r6, r4, %[a]\n\t"
        "smlad %[b], r7, r4, %[b]\n\t"
        "smlad %[a], r8, r5, %[a]\n\t"
        "smlad %[b], r9, r5, %[b]\n\t"
        "ldmia %[filters]!, {r6, r7, r8, r9}\n\t"
        "smlad %[c], r6, r4, %[c]\n\t"
        "smlad %[d], r7, r4, %[d]\n\t"
        "smlad %[c], r8, r5, %[c]\n\t"
        "smlad %[d], r9, r5, %[d]\n\t"
        ".endr" ASSAY_LINES_48
        : [inputs] "+r"(inputs), [filters] "+r"(filters), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c),
          [d] "+r"(d)
        : [unroll] "i"(unroll_of(steps))
        : "r4", "r5", "r6", "r7", "r8", "r9", "memory");
  } while (inputs != end);
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}

/// Decodes so many steps of a pair of channels; returns what follows them.
template <class Decoder, int steps>
ASSAY_INLINE const std::uint8_t* decode_pairs(const std::uint8_t* packed,
                                              const std::uint32_t* table, std::uint32_t* to) {
  constexpr int block_steps = Decoder::form.block_steps() / 2;
  static_assert(steps % block_steps == 0);
#pragma GCC unroll 4
  for (int block = 0; block < steps / block_steps; ++block)
    Decoder::block(packed, to, table);
  return packed;
}

}  // namespace assay::kernels::armv6

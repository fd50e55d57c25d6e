// Dense layer with weights of two or four bits for Armv6 cores: a mask takes a pair of weights out
// of a word, and SMLAD multiplies it as it is. L has packed (packed_layout.hpp), bias and
// multiplier filled up to blocks of four channels.
#pragma once

#include "targets/runtime/armv6/dense.hpp"
#include "targets/runtime/armv6/packed_layout.hpp"

namespace assay::kernels {

namespace armv6 {

/// The sum of all inputs.
template <int steps>
ASSAY_INLINE std::int32_t sum_of(const std::uint32_t* inputs) {
  constexpr std::uint32_t ones = 0x00010001;
  std::int32_t sum = 0;
  for (int i = 0; i < 2 * steps; ++i)
    sum = dsp::smlad(inputs[i], ones, sum);
  return sum;
}

// Two weights of a channel, by its even inputs or its odd ones.
#define ASSAY_PAIR(sum, input, fields) \
  "and r8, %[mask], " fields           \
  "\n\t"                               \
  "smlad " sum ", r8, " input ", " sum "\n\t"

#define ASSAY_ARGUMENTS                                                                  \
  : [inputs] "+r"(inputs), [packed] "+r"(packed), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c),    \
    [d] "+r"(d)                                                                             \
  : [unroll] "i"(unroll_of(steps)), [mask] "r"(mask)                                        \
  : "r4", "r5", "r6", "r7", "r8", "memory"

/// Adds all steps of four channels, eighteen instructions for sixteen multiply-accumulates; returns
/// what follows them in `packed`.
template <int bits, int steps>
ASSAY_INLINE const std::uint32_t* add_fields(const std::uint32_t* inputs,
                                             const std::uint32_t* packed,
                                             std::int32_t (&sums)[dense_channels]) {
  constexpr std::uint32_t mask = ((1u << bits) - 1) * 0x00010001u;
  const std::uint32_t* const end = inputs + 2 * steps;
  std::int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  do {
    if constexpr (bits == 4)
      asm volatile(
          ".rept %c[unroll]\n\t"
          "ldmia %[inputs]!, {r4, r5}\n\t"
          "ldmia %[packed]!, {r6, r7}\n\t"  //
          ASSAY_PAIR("%[a]", "r4", "r6") ASSAY_PAIR("%[a]", "r5", "r6, lsr #4")
              ASSAY_PAIR("%[b]", "r4", "r6, lsr #8") ASSAY_PAIR("%[b]", "r5", "r6, lsr #12")
                  ASSAY_PAIR("%[c]", "r4", "r7") ASSAY_PAIR("%[c]", "r5", "r7, lsr #4")
                      ASSAY_PAIR("%[d]", "r4", "r7, lsr #8") ASSAY_PAIR(
                          "%[d]", "r5",
                          "r7, lsr #12") ".endr" ASSAY_LINES_48 ASSAY_LINES_48 ASSAY_ARGUMENTS);
    else
      asm volatile(
          ".rept %c[unroll]\n\t"
          "ldmia %[inputs]!, {r4, r5}\n\t"
          "ldr r6, [%[packed]], #4\n\t"  //
          ASSAY_PAIR("%[a]", "r4", "r6") ASSAY_PAIR("%[a]", "r5", "r6, lsr #2")
              ASSAY_PAIR("%[b]", "r4", "r6, lsr #4") ASSAY_PAIR("%[b]", "r5", "r6, lsr #6")
                  ASSAY_PAIR("%[c]", "r4", "r6, lsr #8") ASSAY_PAIR("%[c]", "r5", "r6, lsr #10")
                      ASSAY_PAIR("%[d]", "r4", "r6, lsr #12") ASSAY_PAIR(
                          "%[d]", "r5",
                          "r6, lsr #14") ".endr" ASSAY_LINES_48 ASSAY_LINES_48 ASSAY_ARGUMENTS);
  } while (inputs != end);
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
  return packed;
}

#undef ASSAY_ARGUMENTS
#undef ASSAY_PAIR

template <class L, int bits>
ASSAY_INLINE void multiply_fields(const std::int8_t* in, std::int8_t* out, void* memory) {
  constexpr int steps = dense_layout<L>.steps();
  auto& scratch = *static_cast<DenseScratch<L>*>(memory);
  widen_inputs<L>(in, scratch);
  const std::int32_t offset = field_offset(bits) * sum_of<steps>(scratch.words);
  const std::uint32_t* packed = L::packed;
  for (int first = 0; first < L::out_channels; first += dense_channels) {
    std::int32_t sums[dense_channels];
#pragma GCC unroll 4
    for (int c = 0; c < dense_channels; ++c)
      sums[c] = L::bias[first + c] - offset;
    packed = add_fields<bits, steps>(scratch.words, packed, sums);
    put_block<L>(sums, first, out);
  }
}

}  // namespace armv6

template <class L>
void dense_int4_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::multiply_fields<L, 4>(in, out, scratch);
}

template <class L>
void dense_ternary_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::multiply_fields<L, 2>(in, out, scratch);
}

}  // namespace assay::kernels

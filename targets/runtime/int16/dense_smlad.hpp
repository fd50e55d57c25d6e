// Dense layer over int16 tensors for cores with SMLAD: four channels at a time, so that a pair of
// inputs is loaded once for them. See layout.hpp for the weights. L has, besides the members of
// layer.hpp: std::uint32_t packed[], bias[] and multiplier[].
#pragma once

#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/smlad.hpp"

namespace assay::kernels {

namespace int16 {

/// Four inputs and four channels: eighteen instructions for sixteen multiply-accumulates.
#define ASSAY_INT16_STEP            \
  "ldmia %[in]!, {r8, r9}\n\t"      \
  "ldmia %[packed]!, {r4-r7}\n\t"   \
  "sxtb16 r10, r4\n\t"              \
  "sxtb16 r4, r4, ror #8\n\t"       \
  "smlad %[s0], r10, r8, %[s0]\n\t" \
  "sxtb16 r10, r5\n\t"              \
  "smlad %[s0], r4, r9, %[s0]\n\t"  \
  "sxtb16 r5, r5, ror #8\n\t"       \
  "smlad %[s1], r10, r8, %[s1]\n\t" \
  "sxtb16 r10, r6\n\t"              \
  "smlad %[s1], r5, r9, %[s1]\n\t"  \
  "sxtb16 r6, r6, ror #8\n\t"       \
  "smlad %[s2], r10, r8, %[s2]\n\t" \
  "sxtb16 r10, r7\n\t"              \
  "smlad %[s2], r6, r9, %[s2]\n\t"  \
  "sxtb16 r7, r7, ror #8\n\t"       \
  "smlad %[s3], r10, r8, %[s3]\n\t" \
  "smlad %[s3], r7, r9, %[s3]\n\t"

/// Adds the products of a number of steps of four inputs at four channels, `unroll` of them in an
/// iteration, and moves on behind them. A function of its own: it takes all registers.
template <int unroll>
__attribute__((noinline)) void add_steps(const std::int16_t*& from, const std::uint32_t*& weights,
                                         int steps, std::int32_t (&sums)[4]) {
  const std::int16_t* in = from;
  const std::uint32_t* packed = weights;
  std::int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
  for (const std::uint32_t* const end = packed + 4 * steps; packed != end;)
    asm volatile(".rept %c[unroll]\n\t" ASSAY_INT16_STEP ".endr" ASSAY_LINES_48 ASSAY_LINES_48
                 : [in] "+r"(in), [packed] "+r"(packed), [s0] "+r"(s0), [s1] "+r"(s1),
                   [s2] "+r"(s2), [s3] "+r"(s3)
                 : [unroll] "i"(unroll)
                 : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "memory");
  sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
  from = in, weights = packed;
}

#undef ASSAY_INT16_STEP

/// The products of `inputs` inputs, at most part_inputs, at four channels; moves on behind them.
ASSAY_INLINE void add_inputs(const std::int16_t*& in, const std::uint32_t*& packed, int inputs,
                             std::int32_t (&sums)[4]) {
  constexpr int unroll = 4;
  const int steps = inputs / 4, unrolled = steps / unroll * unroll;
  if (unrolled > 0) add_steps<unroll>(in, packed, unrolled, sums);
  if (steps > unrolled) add_steps<1>(in, packed, steps - unrolled, sums);
  if (inputs % 4 == 0) return;
  alignas(4) std::int16_t last[4] = {};
  for (int i = 0; i < inputs % 4; ++i)
    last[i] = in[i];
  const std::int16_t* rest = last;
  add_steps<1>(rest, packed, 1, sums);
}

}  // namespace int16

template <class L>
void dense_int16_smlad(const std::int16_t* in, std::int16_t* out, void*) {
  constexpr int inputs = L::in_height * L::in_width * L::in_channels;
  const std::uint32_t* packed = L::packed;
  for (int block = 0; 4 * block < L::out_channels; ++block) {
    const int channel = first_of_block<4>(block, L::out_channels);
    const std::int16_t* from = in;
    const auto finish = [&](const auto& totals) ASSAY_INLINE_LAMBDA {
      for (int c = 0; c < 4; ++c)
        out[channel + c] = int16::requantize<L>(totals[c], L::multiplier[channel + c]);
    };
    if constexpr (int16::long_sums<L>) {
      std::int64_t totals[4];
      for (int c = 0; c < 4; ++c)
        totals[c] = L::bias[channel + c];
      for (int left = inputs; left > 0; left -= int16::part_inputs) {
        std::int32_t sums[4] = {};
        int16::add_inputs(from, packed, left < int16::part_inputs ? left : int16::part_inputs,
                          sums);
        for (int c = 0; c < 4; ++c)
          totals[c] += sums[c];
      }
      finish(totals);
    } else {
      std::int32_t sums[4];
      for (int c = 0; c < 4; ++c)
        sums[c] = L::bias[channel + c];
      int16::add_inputs(from, packed, inputs, sums);
      finish(sums);
    }
  }
}

}  // namespace assay::kernels

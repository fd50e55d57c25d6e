// Dense layer over int16 tensors for cores with SMLAD: four channels at a time, so that a pair of
// inputs is loaded once for them. See layout.hpp for the weights. L has, besides the members of
// layer.hpp: std::uint32_t packed[], bias[] and multiplier[].
#pragma once

#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/smlad.hpp"

namespace assay::kernels {

namespace int16 {

/// Adds the products of `steps` steps of four inputs at four channels.
ASSAY_INLINE void add_steps(const std::int16_t* in, const std::uint32_t* packed, int steps,
                            std::int32_t (&sums)[4]) {
  std::int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
  const auto add = [](std::uint32_t weights, std::uint32_t first, std::uint32_t second,
                      std::int32_t sum) ASSAY_INLINE_LAMBDA {
    sum = dsp::smlad(dsp::sxtb16(weights), first, sum);
    return dsp::smlad(dsp::sxtb16_odd(weights), second, sum);
  };
  for (const std::uint32_t* const end = packed + 4 * steps; packed != end; packed += 4, in += 4) {
    const std::uint32_t first = load_pair(in), second = load_pair(in + 2);
    s0 = add(packed[0], first, second, s0);
    s1 = add(packed[1], first, second, s1);
    s2 = add(packed[2], first, second, s2);
    s3 = add(packed[3], first, second, s3);
  }
  sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}

/// The inputs that are left over, in a step of their own.
template <int rest>
ASSAY_INLINE void add_rest(const std::int16_t* in, const std::uint32_t* packed,
                           std::int32_t (&sums)[4]) {
  std::int16_t last[4] = {};
  for (int i = 0; i < rest; ++i)
    last[i] = in[i];
  if constexpr (rest > 0) add_steps(last, packed, 1, sums);
}

}  // namespace int16

template <class L>
void dense_int16_smlad(const std::int16_t* in, std::int16_t* out, void*) {
  constexpr int inputs = L::in_height * L::in_width * L::in_channels;
  constexpr int whole = inputs / 4, part = int16::part_inputs / 4 - 1;
  const std::uint32_t* packed = L::packed;
  for (int block = 0; 4 * block < L::out_channels; ++block) {
    const int channel = int16::first_of_block(block, L::out_channels);
    if constexpr (int16::long_sums<L>) {
      std::int64_t totals[4];
      for (int c = 0; c < 4; ++c)
        totals[c] = L::bias[channel + c];
      for (int from = 0; from <= whole; from += part) {
        const int steps = whole - from < part ? whole - from : part;
        std::int32_t sums[4] = {};
        int16::add_steps(in + 4 * from, packed + 4 * from, steps, sums);
        if (steps < part)
          int16::add_rest<inputs % 4>(in + 4 * whole, packed + 4 * whole, sums);
        for (int c = 0; c < 4; ++c)
          totals[c] += sums[c];
      }
      for (int c = 0; c < 4; ++c)
        out[channel + c] = int16::requantize<L>(totals[c], L::multiplier[channel + c]);
    } else {
      std::int32_t sums[4];
      for (int c = 0; c < 4; ++c)
        sums[c] = L::bias[channel + c];
      int16::add_steps(in, packed, whole, sums);
      int16::add_rest<inputs % 4>(in + 4 * whole, packed + 4 * whole, sums);
      for (int c = 0; c < 4; ++c)
        out[channel + c] = int16::requantize<L>(sums[c], L::multiplier[channel + c]);
    }
    packed += 4 * int16::dense_steps(inputs);
  }
}

}  // namespace assay::kernels

// Dense layer with weights of fewer bits than a byte for Armv6 cores: those of four channels are
// decoded a few steps at a time. L has the members conv_packed.hpp names, bias and multiplier
// filled up to blocks of four channels.
#pragma once

#include "targets/runtime/armv6/dense.hpp"
#include "targets/runtime/armv6/widened_products.hpp"
#include "targets/runtime/dsp/unpack.hpp"

namespace assay::kernels {

namespace armv6 {

template <class L, class Decoder>
struct PackedDense {
  static constexpr int steps = dense_layout<L>.steps();
  static constexpr int pairs = dense_channels / 2;

  struct Scratch {
    DenseScratch<L> inputs;
    std::uint32_t table[Decoder::form.table_bytes() / 4 + 1];
    std::uint32_t filters[decoded_steps * pairs * pair_words];
  };

  /// Some steps of four channels.
  template <int some>
  static ASSAY_INLINE void add(const std::uint8_t*& packed, const std::uint32_t* inputs,
                               Scratch& scratch, std::int32_t (&sums)[dense_channels]) {
    packed = decode_pairs<Decoder, pairs * some>(packed, scratch.table, scratch.filters);
    add_widened_dense<some>(inputs, scratch.filters, sums);
  }

  static ASSAY_INLINE void add_all(const std::uint8_t*& packed, Scratch& scratch,
                                   std::int32_t (&sums)[dense_channels]) {
    constexpr int rest = steps % decoded_steps;
    const std::uint32_t* inputs = scratch.inputs.words;
    for (int i = 0; i < steps / decoded_steps; ++i, inputs += 2 * decoded_steps)
      add<decoded_steps>(packed, inputs, scratch, sums);
    if constexpr (rest > 0) add<rest>(packed, inputs, scratch, sums);
  }
};

template <class L, class Decoder>
ASSAY_INLINE void multiply_packed(const std::int8_t* in, std::int8_t* out, void* memory) {
  using Dense = PackedDense<L, Decoder>;
  auto& scratch = *static_cast<typename Dense::Scratch*>(memory);
  widen_inputs<L>(in, scratch.inputs);
  Decoder::prepare(scratch.table);
  const auto* packed = reinterpret_cast<const std::uint8_t*>(L::packed);
  for (int first = 0; first < L::out_channels; first += dense_channels) {
    std::int32_t sums[dense_channels] = {0, 0, 0, 0};
    Dense::add_all(packed, scratch, sums);
    for (int c = 0; c < dense_channels && first + c < L::out_channels; ++c)
      out[first + c] = dsp::requantize<L>(
          (sums[c] >> Decoder::form.scale_bits()) + L::bias[first + c], L::multiplier[first + c]);
  }
}

}  // namespace armv6

template <class L>
void dense_int4_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::multiply_packed<L, dsp::Lanes<4>>(in, out, scratch);
}

template <class L>
void dense_ternary_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::multiply_packed<L, dsp::Lanes<2>>(in, out, scratch);
}

template <class L>
void dense_codebook16_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::multiply_packed<L, dsp::PairCodebook<L>>(in, out, scratch);
}

template <class L>
void dense_codebook_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::multiply_packed<L, dsp::Codebook<L>>(in, out, scratch);
}

}  // namespace assay::kernels

// Dense layer with weights of fewer bits than a byte, decoded four channels at a time. L has the
// members conv_packed.hpp names.
#pragma once

#include "targets/runtime/neon/products.hpp"
#include "targets/runtime/neon/unpack.hpp"

namespace assay::kernels {

namespace neon {

template <class L>
inline constexpr WindowLayout dense_layout{1, L::in_height* L::in_width* L::in_channels};

template <class L>
struct PackedDenseScratch {
  std::int8_t filters[units_of(dense_layout<L>.steps()) * unit_weights];
  std::int8_t inputs[dense_layout<L>.steps() * step_inputs];
};

template <class L, class Weights>
ASSAY_INLINE void multiply_packed(const std::int8_t* in, std::int8_t* out, void* memory) {
  constexpr WindowLayout layout = dense_layout<L>;
  auto& scratch = *static_cast<PackedDenseScratch<L>*>(memory);
  if constexpr (layout.gathered()) {
    __builtin_memcpy(scratch.inputs, in, layout.row);
    for (int i = layout.row; i < layout.column_bytes(); ++i)
      scratch.inputs[i] = 0;
    in = scratch.inputs;
  }
  const std::int8_t* const window[] = {in};
  const Weights weights;
  const std::uint8_t* packed = L::packed;
  for (int channel = 0; channel < L::out_channels; channel += block_channels) {
    packed = unpack_units<units_of(layout.steps())>(weights, packed, scratch.filters);
    const int left = L::out_channels - channel;
    multiply_block<L, layout.steps(), 1>(window, scratch.filters, L::bias + channel,
                                         L::multiplier + channel, out + channel,
                                         left < block_channels ? left : block_channels);
  }
}

}  // namespace neon

template <class L>
void dense_int4_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  neon::multiply_packed<L, neon::SmallWeights<4>>(in, out, scratch);
}

template <class L>
void dense_ternary_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  neon::multiply_packed<L, neon::SmallWeights<2>>(in, out, scratch);
}

template <class L>
void dense_codebook_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  neon::multiply_packed<L, neon::Codebook<L>>(in, out, scratch);
}

}  // namespace assay::kernels

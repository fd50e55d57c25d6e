// Depthwise convolution with weights of fewer bits than a byte, all decoded before the first row to
// scratch memory, in front of PaddedRows.
// L has, besides the members of layer.hpp, packed: the filters of layout.hpp in units of
// packed_layout.hpp, filled up to whole ones; codebook, where fields are numbers; bias and
// multiplier as in layout.hpp.
#pragma once

#include "targets/runtime/neon/depthwise.hpp"
#include "targets/runtime/neon/unpack.hpp"

namespace assay::kernels {

namespace neon {

template <class L, class Weights>
ASSAY_INLINE void filter_packed(const std::int8_t* in, std::int8_t* out, void* scratch) {
  constexpr int units = depthwise_units(L::kernel_height * L::kernel_width *
                                        round_up(L::out_channels, depthwise_channels));
  auto* const filters = static_cast<std::int8_t*>(scratch);
  unpack_units<units>(Weights{}, L::packed, filters);
  filter_rows<L>(in, filters, out, filters + units * unit_weights);
}

}  // namespace neon

template <class L>
void depthwise_int4_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  neon::filter_packed<L, neon::SmallWeights<4>>(in, out, scratch);
}

template <class L>
void depthwise_ternary_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  neon::filter_packed<L, neon::SmallWeights<2>>(in, out, scratch);
}

template <class L>
void depthwise_codebook_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  neon::filter_packed<L, neon::Codebook<L>>(in, out, scratch);
}

}  // namespace assay::kernels

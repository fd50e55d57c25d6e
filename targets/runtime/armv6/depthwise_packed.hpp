// Depthwise convolution with weights of fewer bits than a byte for Armv6 cores: those of four
// channels are decoded before their outputs. L has the members of ../depthwise_fields.hpp, and bias
// and multiplier as in depthwise.hpp. Scratch: the band of depthwise.hpp, then the weights.
#pragma once

#include "targets/runtime/armv6/depthwise.hpp"
#include "targets/runtime/dsp/unpack_taps.hpp"

namespace assay::kernels {

namespace armv6 {

template <class L, class Taps>
ASSAY_INLINE void filter_packed(const std::int8_t* in, std::int8_t* out, void* scratch) {
  auto* const words = static_cast<std::uint32_t*>(scratch);
  std::uint32_t* const filters = words + depthwise_band<L>.words();
  for (int block = 0; 4 * block < L::out_channels; ++block) {
    dsp::unpack_taps<L, Taps>(first_of_block<4>(block, L::out_channels), filters);
    filter_block<L>(in, filters, block, out, words);
  }
}

}  // namespace armv6

template <class L>
void depthwise_int4_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::filter_packed<L, SmallTaps<L, 4>>(in, out, scratch);
}

template <class L>
void depthwise_ternary_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::filter_packed<L, SmallTaps<L, 2>>(in, out, scratch);
}

template <class L>
void depthwise_codebook_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::filter_packed<L, NumberedTaps<L>>(in, out, scratch);
}

}  // namespace assay::kernels

// Depthwise convolution with weights of fewer bits than a byte for cores with SMLAxy: those of four
// channels are decoded before their outputs in a strip of a band. L has the members of
// ../depthwise_fields.hpp and `channels` as in depthwise.hpp. Scratch: the plane of depthwise.hpp,
// then the taps.
#pragma once

#include "targets/runtime/dsp/depthwise.hpp"
#include "targets/runtime/dsp/unpack_taps.hpp"

namespace assay::kernels {

namespace dsp {

template <class L, class Taps>
ASSAY_INLINE void filter_packed(const std::int8_t* in, std::int8_t* out, void* scratch) {
  auto& plane = *static_cast<Plane<L>*>(scratch);
  auto* const taps = reinterpret_cast<std::uint32_t*>(&plane + 1);
  filter_strips<L>(in, out, plane, [taps](int block) ASSAY_INLINE_LAMBDA {
    unpack_taps<L, Taps>(first_of_block<4>(block, L::out_channels), taps);
    return reinterpret_cast<const FourInputs*>(taps);
  });
}

}  // namespace dsp

template <class L>
void depthwise_int4_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::filter_packed<L, SmallTaps<L, 4>>(in, out, scratch);
}

template <class L>
void depthwise_ternary_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::filter_packed<L, SmallTaps<L, 2>>(in, out, scratch);
}

template <class L>
void depthwise_codebook_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::filter_packed<L, NumberedTaps<L>>(in, out, scratch);
}

}  // namespace assay::kernels

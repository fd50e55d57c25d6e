// Depthwise convolution with weights of fewer bits than a byte for Armv6-M: those of a channel are
// decoded before its outputs in a strip of a band. L has the members of ../depthwise_fields.hpp and
//   std::int32_t channels[]    b' and m of each channel
// Scratch: the plane of depthwise.hpp, then a byte for each tap.
#pragma once

#include "targets/runtime/depthwise_fields.hpp"
#include "targets/runtime/m0/depthwise.hpp"

namespace assay::kernels {

namespace m0 {

template <class L, class Taps>
__attribute__((noinline)) void unpack_channel(int channel, std::int8_t* filter) {
  for (int tap = 0; tap < L::kernel_height * L::kernel_width; ++tap)
    filter[tap] = static_cast<std::int8_t>(Taps::weight(tap, channel));
}

template <class L, class Taps>
ASSAY_INLINE void filter_packed(const std::int8_t* in, std::int8_t* out, void* scratch) {
  constexpr DepthwiseLayout layout = depthwise_layout<L>;
  auto* const plane = static_cast<std::int32_t*>(scratch);
  auto* const filter = reinterpret_cast<std::int8_t*>(plane + layout.rows * layout.columns);
  filter_strips<L>(in, out, plane, [filter](int channel) ASSAY_INLINE_LAMBDA {
    unpack_channel<L, Taps>(channel, filter);
    return filter;
  });
}

}  // namespace m0

template <class L>
void depthwise_int4_m0(const std::int8_t* in, std::int8_t* out, void* scratch) {
  m0::filter_packed<L, SmallTaps<L, 4>>(in, out, scratch);
}

template <class L>
void depthwise_ternary_m0(const std::int8_t* in, std::int8_t* out, void* scratch) {
  m0::filter_packed<L, SmallTaps<L, 2>>(in, out, scratch);
}

template <class L>
void depthwise_codebook_m0(const std::int8_t* in, std::int8_t* out, void* scratch) {
  m0::filter_packed<L, NumberedTaps<L>>(in, out, scratch);
}

}  // namespace assay::kernels

// Depthwise weights from fields (../depthwise_fields.hpp) to int16, for cores with SMLAxy.
#pragma once

#include "targets/runtime/depthwise_fields.hpp"
#include "targets/runtime/dsp/simd.hpp"

namespace assay::kernels::dsp {

/// Those of the four channels from `channel` on: [tap]{(c0, c2), (c1, c3)}.
template <class L, class Taps>
__attribute__((noinline)) void unpack_taps(int channel, std::uint32_t* to) {
  for (int tap = 0; tap < L::kernel_height * L::kernel_width; ++tap)
    for (int c = channel; c < channel + 2; ++c)
      *to++ = join_bottoms(static_cast<std::uint32_t>(Taps::weight(tap, c)),
                           static_cast<std::uint32_t>(Taps::weight(tap, c + 2)));
}

}  // namespace assay::kernels::dsp

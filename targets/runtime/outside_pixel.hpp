// A pixel of the padding in scratch memory, for kernels that read it like one of the input. Where
// no window reaches outside it takes no memory: scratch structures inherit it. Portable; its size
// is shared with the packer on the host.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels {

constexpr int outside_pixel_bytes(int channels, bool exists) {
  return exists ? round_up(channels, 4) : 0;
}

template <int channels, bool exists>
struct OutsidePixel {
  std::int8_t inputs[outside_pixel_bytes(channels, true)];

  /// Every channel `zero`; returns the pixel.
  ASSAY_INLINE const std::int8_t* fill_outside(std::int8_t zero) {
    // Not written out: at -O3 GCC 12 warns of a write behind the pixel that there is not.
    __builtin_memset(inputs, zero, channels);
    return inputs;
  }
};

template <int channels>
struct OutsidePixel<channels, false> {
  ASSAY_INLINE const std::int8_t* fill_outside(std::int8_t) { return nullptr; }
};

}  // namespace assay::kernels

// Dense layer in Advanced SIMD registers: four channels at a time over the whole input. L has,
// besides the members of layer.hpp, filters, bias and multiplier as in layout.hpp.
#pragma once

#include "targets/runtime/neon/products.hpp"

namespace assay::kernels {

template <class L>
void dense_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  constexpr int inputs = L::in_height * L::in_width * L::in_channels;
  constexpr neon::WindowLayout layout{1, inputs};
  if constexpr (layout.gathered()) {
    __builtin_memcpy(scratch, in, inputs);
    in = static_cast<const std::int8_t*>(scratch);
  }
  const std::int8_t* const window[] = {in};
  neon::multiply_windows<L, layout.steps(), 1>(window, out);
}

}  // namespace assay::kernels

// Reference joining of tensors along their channels. L has, besides the members of layer.hpp:
// bias[], multiplier[] and channels[], an element for each input.
#pragma once

#include "targets/runtime/reference/requantize.hpp"

namespace assay::kernels {

/// clamp((m_i * a + b'_i) >> R) for the channels of input i, inputs in their order.
template <class L, int inputs, class T>
void concat_reference(const T* const (&in)[inputs], T* out, void*) {
  for (int position = 0; position < L::out_height * L::out_width; ++position)
    for (int i = 0; i < inputs; ++i)
      for (int c = 0; c < L::channels[i]; ++c)
        *out++ = rescale<L, T>(in[i][position * L::channels[i] + c], i);
}

}  // namespace assay::kernels

// Reference joining of tensors along their channels. L has, besides the members of layer.hpp:
// std::int32_t bias[], multiplier[] and channels[], an element for each input.
#pragma once

#include "targets/runtime/reference/requantize.hpp"

namespace assay::kernels {

/// clamp((m_i * a + b'_i) >> R) for the channels of input i, inputs in their order.
template <class L, int inputs>
void concat_reference(const std::int8_t* const (&in)[inputs], std::int8_t* out, void*) {
  for (int position = 0; position < L::out_height * L::out_width; ++position)
    for (int i = 0; i < inputs; ++i)
      for (int c = 0; c < L::channels[i]; ++c)
        *out++ = clamp<L>((L::multiplier[i] * in[i][position * L::channels[i] + c] + L::bias[i]) >>
                          L::output_shift);
}

}  // namespace assay::kernels

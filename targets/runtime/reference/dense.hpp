// Reference dense layer.
#pragma once

#include "targets/runtime/reference/requantize.hpp"

namespace assay::kernels {

/// Weights [out][in] with the inputs in the order of the NHWC tensor.
template <class L, class T>
void dense_reference(const T* in, T* out, void*) {
  constexpr int inputs = L::in_height * L::in_width * L::in_channels;
  for (int o = 0; o < L::out_channels; ++o) {
    Accumulator<L, T> sum = 0;
    for (int i = 0; i < inputs; ++i)
      sum += L::weights[o * inputs + i] * in[i];
    out[o] = requantize<L, T>(sum, o);
  }
}

}  // namespace assay::kernels

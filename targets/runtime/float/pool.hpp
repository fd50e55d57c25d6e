// Pools over float32 tensors. Outputs are written in ascending order and no later output reads an
// element at or before the one written, so without leading padding both may run in place.
#pragma once

#include "targets/runtime/float/convolution.hpp"

namespace assay::kernels {

/// Largest input of the window; positions outside the input do not count.
template <class L>
void max_pool_float(const float* in, float* out, void*) {
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x)
      for (int c = 0; c < L::out_channels; ++c) {
        float largest = -__builtin_inff();
        for_positions<L>(y, x, [&](int offset, int) {
          if (in[offset + c] > largest) largest = in[offset + c];
        });
        *out++ = limit<L>(largest);
      }
}

/// The sum over the window times L::scale[0], one over its positions; padding counts as 0.
template <class L>
void average_pool_float(const float* in, float* out, void*) {
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x)
      for (int c = 0; c < L::out_channels; ++c) {
        float sum = 0;
        for_positions<L>(y, x, [&](int offset, int) { sum += in[offset + c]; });
        *out++ = limit<L>(sum * L::scale[0]);
      }
}

}  // namespace assay::kernels

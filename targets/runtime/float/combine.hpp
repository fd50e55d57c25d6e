// Addition, product and concatenation of float32 tensors.
#pragma once

#include "targets/runtime/float/arithmetic.hpp"

namespace assay::kernels {

/// Element by element; may run in place.
template <class L>
void add_float(const float* first, const float* second, float* out, void*) {
  constexpr int elements = L::out_height * L::out_width * L::out_channels;
  for (int i = 0; i < elements; ++i)
    out[i] = limit<L>(first[i] + second[i]);
}

/// Two tensors of one shape or, with L::per_channel[0], a second one of 1x1xC; may run in place of
/// the first.
template <class L>
void multiply_float(const float* first, const float* second, float* out, void*) {
  constexpr int positions = L::out_height * L::out_width;
  for (int position = 0; position < positions; ++position)
    for (int c = 0; c < L::out_channels; ++c) {
      const int i = position * L::out_channels + c;
      out[i] = limit<L>(first[i] * second[L::per_channel[0] ? c : i]);
    }
}

/// The L::channels[i] channels of input i, inputs in their order.
template <class L, int inputs>
void concat_float(const float* const (&in)[inputs], float* out, void*) {
  for (int position = 0; position < L::out_height * L::out_width; ++position)
    for (int i = 0; i < inputs; ++i)
      for (int c = 0; c < L::channels[i]; ++c)
        *out++ = limit<L>(in[i][position * L::channels[i] + c]);
}

}  // namespace assay::kernels

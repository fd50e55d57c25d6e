// Reference product of two tensors of one shape, or of a tensor and a factor for each channel.
// L has, besides the members of layer.hpp: bias[], multiplier[] (one element each),
// second_zero[] (the second input's zero point) and per_channel[] (1: the second input is 1x1xC).
#pragma once

#include "targets/runtime/reference/requantize.hpp"

namespace assay::kernels {

/// clamp(((a - z_a) * (b - z_b) * m + b') >> R); may run in place of the first input.
template <class L, class T>
void multiply_reference(const T* first, const T* second, T* out, void*) {
  constexpr int positions = L::out_height * L::out_width;
  for (int position = 0; position < positions; ++position)
    for (int c = 0; c < L::out_channels; ++c) {
      const int i = position * L::out_channels + c;
      const std::int32_t product =
          (first[i] - L::input_zero) * (second[L::per_channel[0] ? c : i] - L::second_zero[0]);
      out[i] = rescale<L, T>(product, 0);
    }
}

}  // namespace assay::kernels

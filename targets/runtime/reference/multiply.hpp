// Reference product of two tensors of one shape, or of a tensor and a factor for each channel.
// L has, besides the members of layer.hpp: std::int32_t bias[], multiplier[] (one element each),
// second_zero[] (the second input's zero point) and per_channel[] (1: the second input is 1x1xC).
#pragma once

#include "targets/runtime/reference/requantize.hpp"

namespace assay::kernels {

/// clamp(((a - z_a) * (b - z_b) * m + b') >> R); may run in place of the first input.
template <class L>
void multiply_reference(const std::int8_t* first, const std::int8_t* second, std::int8_t* out,
                        void*) {
  constexpr int positions = L::out_height * L::out_width;
  for (int position = 0; position < positions; ++position)
    for (int c = 0; c < L::out_channels; ++c) {
      const int i = position * L::out_channels + c;
      const std::int32_t product =
          (first[i] - L::input_zero) * (second[L::per_channel[0] ? c : i] - L::second_zero[0]);
      out[i] = clamp<L>((product * L::multiplier[0] + L::bias[0]) >> L::output_shift);
    }
}

}  // namespace assay::kernels

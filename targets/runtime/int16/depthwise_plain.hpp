// Depthwise convolution over int16 tensors for cores without SMLAD: the part of a window that lies
// in the input, channel by channel. L has the constants of the reference kernels.
#pragma once

#include "targets/runtime/inline.hpp"
#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/reference/requantize.hpp"

namespace assay::kernels {

template <class L>
void depthwise_int16_plain(const std::int16_t* in, std::int16_t* out, void*) {
  static_assert(L::kernel_height * L::kernel_width <= int16::part_inputs);
  constexpr int row = L::in_width * L::in_channels, filter_row = L::kernel_width * L::in_channels;
  for (int y = 0; y < L::out_height; ++y) {
    const int top = y * L::stride_height - L::pad_top;
    const int first_y = top < 0 ? -top : 0;
    const int last_y =
        top + L::kernel_height > L::in_height ? L::in_height - top : L::kernel_height;
    for (int x = 0; x < L::out_width; ++x) {
      const int left = x * L::stride_width - L::pad_left;
      const int first_x = left < 0 ? -left : 0;
      const int last_x =
          left + L::kernel_width > L::in_width ? L::in_width - left : L::kernel_width;
      for (int c = 0; c < L::out_channels; ++c) {
        std::int32_t sum = 0;
        for (int ky = first_y; ky < last_y; ++ky) {
          const std::int16_t* input = in + (top + ky) * row + (left + first_x) * L::in_channels + c;
          const std::int8_t* weight = L::weights + ky * filter_row + first_x * L::in_channels + c;
          for (int kx = first_x; kx < last_x; ++kx) {
            sum += *weight * *input;
            input += L::in_channels;
            weight += L::in_channels;
          }
        }
        *out++ = requantize<L, std::int16_t>(sum, c);
      }
    }
  }
}

}  // namespace assay::kernels

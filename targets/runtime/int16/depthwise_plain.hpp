// Depthwise convolution over int16 tensors for cores without SMLAD: the part of a window that lies
// in the input, channel by channel. L has the constants of the reference kernels.
#pragma once

#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/requantize_plain.hpp"

namespace assay::kernels {

namespace int16 {

/// Rows and columns of a window.
struct WindowPart {
  int first_row;
  int last_row;
  int first_column;
  int last_column;
};

/// All channels of a pixel; `window` and `weights` point to the first position of the part.
template <class L>
ASSAY_INLINE void filter_pixel(const std::int16_t* window, const std::int8_t* weights,
                               const WindowPart& part, std::int16_t* out) {
  constexpr int row = L::in_width * L::in_channels, filter_row = L::kernel_width * L::in_channels;
  for (int c = 0; c < L::out_channels; ++c) {
    std::int32_t sum = 0;
#pragma GCC unroll 3
    for (int y = part.first_row; y < part.last_row; ++y) {
      const std::int16_t* input = window + (y - part.first_row) * row + c;
      const std::int8_t* weight = weights + (y - part.first_row) * filter_row + c;
#pragma GCC unroll 3
      for (int x = part.first_column; x < part.last_column; ++x) {
        sum += *weight * *input;
        input += L::in_channels;
        weight += L::in_channels;
      }
    }
    out[c] = requantize_plain<L>(sum, c);
  }
}

}  // namespace int16

template <class L>
void depthwise_int16_plain(const std::int16_t* in, std::int16_t* out, void*) {
  static_assert(L::kernel_height * L::kernel_width <= int16::part_inputs);
  const auto clip = [](int start, int kernel, int size) ASSAY_INLINE_LAMBDA {
    return start + kernel > size ? size - start : kernel;
  };
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += L::out_channels) {
      const int top = y * L::stride_height - L::pad_top, left = x * L::stride_width - L::pad_left;
      const int16::WindowPart part{top < 0 ? -top : 0, clip(top, L::kernel_height, L::in_height),
                                   left < 0 ? -left : 0, clip(left, L::kernel_width, L::in_width)};
      const int first = part.first_row * L::kernel_width + part.first_column;
      const std::int16_t* window =
          in + ((top + part.first_row) * L::in_width + left + part.first_column) * L::in_channels;
      const bool whole = part.last_row - part.first_row == L::kernel_height &&
                         part.last_column - part.first_column == L::kernel_width;
      if (whole)
        int16::filter_pixel<L>(window, L::weights, {0, L::kernel_height, 0, L::kernel_width}, out);
      else
        int16::filter_pixel<L>(window, L::weights + first * L::in_channels, part, out);
    }
}

}  // namespace assay::kernels

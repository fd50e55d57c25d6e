// Reference pools. Outputs are written in ascending order and no later output reads an element at
// or before the one written, so without leading padding both may run in place.
#pragma once

#include "targets/runtime/reference/requantize.hpp"

namespace assay::kernels {

/// Largest input of the window; positions outside the input do not count.
template <class L, class T>
void max_pool_reference(const T* in, T* out, void*) {
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x)
      for (int c = 0; c < L::out_channels; ++c) {
        T largest = sizeof(T) == 1 ? -128 : -32768;
        for (int ky = 0; ky < L::kernel_height; ++ky)
          for (int kx = 0; kx < L::kernel_width; ++kx) {
            const int row = y * L::stride_height - L::pad_top + ky;
            const int column = x * L::stride_width - L::pad_left + kx;
            if (row < 0 || row >= L::in_height || column < 0 || column >= L::in_width) continue;
            const T value = in[(row * L::in_width + column) * L::in_channels + c];
            if (value > largest) largest = value;
          }
        *out++ = largest;
      }
}

/// clamp((m * sum + b') >> R); padding counts as the input's zero point.
template <class L, class T>
void average_pool_reference(const T* in, T* out, void*) {
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x)
      for (int c = 0; c < L::out_channels; ++c) {
        std::int32_t sum = 0;
        for (int ky = 0; ky < L::kernel_height; ++ky)
          for (int kx = 0; kx < L::kernel_width; ++kx) {
            const int row = y * L::stride_height - L::pad_top + ky;
            const int column = x * L::stride_width - L::pad_left + kx;
            const bool inside =
                row >= 0 && row < L::in_height && column >= 0 && column < L::in_width;
            sum += inside ? in[(row * L::in_width + column) * L::in_channels + c] : L::input_zero;
          }
        *out++ = rescale<L, T>(sum, 0);
      }
}

}  // namespace assay::kernels

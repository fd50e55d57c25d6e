// Reference convolution and depthwise convolution: the oracle of every faster kernel.
#pragma once

#include "targets/runtime/reference/requantize.hpp"

namespace assay::kernels {

/// The input at a position that may lie in the padding.
template <class L, class T>
inline std::int32_t padded(const T* in, int y, int x, int channel) {
  if (y < 0 || y >= L::in_height || x < 0 || x >= L::in_width) return L::input_zero;
  return in[(y * L::in_width + x) * L::in_channels + channel];
}

/// Weights [out][kernel_height][kernel_width][in].
template <class L, class T>
void conv_reference(const T* in, T* out, void*) {
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x)
      for (int o = 0; o < L::out_channels; ++o) {
        const std::int8_t* w = L::weights + o * L::kernel_height * L::kernel_width * L::in_channels;
        Accumulator<L, T> sum = 0;
        for (int ky = 0; ky < L::kernel_height; ++ky)
          for (int kx = 0; kx < L::kernel_width; ++kx)
            for (int i = 0; i < L::in_channels; ++i)
              sum += *w++ * padded<L>(in, y * L::stride_height - L::pad_top + ky,
                                      x * L::stride_width - L::pad_left + kx, i);
        *out++ = requantize<L, T>(sum, o);
      }
}

/// Weights [kernel_height][kernel_width][channel]; one filter per channel.
template <class L, class T>
void depthwise_reference(const T* in, T* out, void*) {
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x)
      for (int c = 0; c < L::out_channels; ++c) {
        Accumulator<L, T> sum = 0;
        for (int ky = 0; ky < L::kernel_height; ++ky)
          for (int kx = 0; kx < L::kernel_width; ++kx)
            sum += L::weights[(ky * L::kernel_width + kx) * L::out_channels + c] *
                   padded<L>(in, y * L::stride_height - L::pad_top + ky,
                             x * L::stride_width - L::pad_left + kx, c);
        *out++ = requantize<L, T>(sum, c);
      }
}

}  // namespace assay::kernels

// Reference convolution, depthwise convolution and dense layer over float32 tensors. L::weights are
// float, std::uint16_t (float16) or std::int8_t with a scale per output channel. Positions in the
// padding are left out: a product with 0 changes no sum that began at +0.
#pragma once

#include "targets/runtime/float/arithmetic.hpp"

namespace assay::kernels {

/// Calls visit(offset of channel 0 in the input, window position) for every position of the window
/// of output (y, x) that lies in the input, row by row.
template <class L, class Visit>
ASSAY_INLINE void for_positions(int y, int x, Visit visit) {
  for (int ky = 0; ky < L::kernel_height; ++ky)
    for (int kx = 0; kx < L::kernel_width; ++kx) {
      const int row = y * L::stride_height - L::pad_top + ky;
      const int column = x * L::stride_width - L::pad_left + kx;
      if (row < 0 || row >= L::in_height || column < 0 || column >= L::in_width) continue;
      visit((row * L::in_width + column) * L::in_channels, ky * L::kernel_width + kx);
    }
}

/// Weights [out][kernel_height][kernel_width][in].
template <class L>
void conv_float_reference(const float* in, float* out, void*) {
  constexpr int positions = L::kernel_height * L::kernel_width;
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x)
      for (int o = 0; o < L::out_channels; ++o) {
        float sum = 0;
        for_positions<L>(y, x, [&](int offset, int position) {
          const auto* w = L::weights + (o * positions + position) * L::in_channels;
          for (int i = 0; i < L::in_channels; ++i)
            sum += weight_value(w[i]) * in[offset + i];
        });
        *out++ = finish<L>(sum, o);
      }
}

/// Weights [kernel_height][kernel_width][channel]; one filter per channel.
template <class L>
void depthwise_float_reference(const float* in, float* out, void*) {
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x)
      for (int c = 0; c < L::out_channels; ++c) {
        float sum = 0;
        for_positions<L>(y, x, [&](int offset, int position) {
          sum += weight_value(L::weights[position * L::out_channels + c]) * in[offset + c];
        });
        *out++ = finish<L>(sum, c);
      }
}

/// Weights [out][in] with the inputs in the order of the NHWC tensor.
template <class L>
void dense_float_reference(const float* in, float* out, void*) {
  constexpr int inputs = L::in_height * L::in_width * L::in_channels;
  for (int o = 0; o < L::out_channels; ++o) {
    float sum = 0;
    for (int i = 0; i < inputs; ++i)
      sum += weight_value(L::weights[o * inputs + i]) * in[i];
    out[o] = finish<L>(sum, o);
  }
}

}  // namespace assay::kernels

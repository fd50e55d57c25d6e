// Convolution, depthwise convolution and dense layer over float32 tensors, four output channels at
// a time: an input is loaded once for four products. Each channel's sum keeps the order of the
// reference kernels, and so its bits. Portable. Loops over channels are unrolled at every level of
// optimization, so that the sums stay in registers.
#pragma once

#include "targets/runtime/float/arithmetic.hpp"

namespace assay::kernels {

/// Adds the products of `count` inputs with weights [input][width] to the sums of `width` channels.
template <int width, class Weight>
ASSAY_INLINE void add_products(const float* in, const Weight* weights, int count,
                               float (&sums)[width]) {
  for (int i = 0; i < count; ++i, weights += width)
#pragma GCC unroll 4
    for (int channel = 0; channel < width; ++channel)
      sums[channel] += weight_value(weights[channel]) * in[i];
}

/// The positions of an output's window that lie in the input: rows [top, bottom), columns
/// [left, right) of the kernel.
template <class L>
struct InsideWindow {
  int row, column;  ///< of the input where the window begins, which may be outside
  int top, bottom, left, right;

  ASSAY_INLINE InsideWindow(int y, int x)
      : row(y * L::stride_height - L::pad_top),
        column(x * L::stride_width - L::pad_left),
        top(row < 0 ? -row : 0),
        bottom(L::in_height - row < L::kernel_height ? L::in_height - row : L::kernel_height),
        left(column < 0 ? -column : 0),
        right(L::in_width - column < L::kernel_width ? L::in_width - column : L::kernel_width) {}

  /// Channel 0 of the input at a kernel position.
  ASSAY_INLINE const float* at(const float* in, int kernel_row, int kernel_column) const {
    return in + ((row + kernel_row) * L::in_width + column + kernel_column) * L::in_channels;
  }
};

/// `width` channels from `first` on; weights [kernel_height][kernel_width][in][width].
template <class L, int width>
ASSAY_INLINE void conv_channels(const float* in, const InsideWindow<L>& window, int first,
                                float* out) {
  constexpr int row = L::kernel_width * L::in_channels;
  const auto* weights = L::weights + first * L::kernel_height * row;
  const int left = window.left * L::in_channels;
  const int count = (window.right - window.left) * L::in_channels;
  float sums[width] = {};
  for (int ky = window.top; ky < window.bottom; ++ky)
    add_products<width>(window.at(in, ky, window.left), weights + (ky * row + left) * width, count,
                        sums);
#pragma GCC unroll 4
  for (int channel = 0; channel < width; ++channel)
    out[channel] = finish<L>(sums[channel], first + channel);
}

/// Weights in groups of four channels and one of the rest, each [kernel_height][kernel_width][in]
/// [channel of the group].
template <class L>
void conv_float(const float* in, float* out, void*) {
  constexpr int rest = L::out_channels % 4, whole = L::out_channels - rest;
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += L::out_channels) {
      const InsideWindow<L> window(y, x);
      if constexpr (whole > 0)
        for (int first = 0; first < whole; first += 4)
          conv_channels<L, 4>(in, window, first, out + first);
      if constexpr (rest > 0) conv_channels<L, rest>(in, window, whole, out + whole);
    }
}

/// `width` channels of a dense layer from `first` on; weights [in][width].
template <class L, int width>
ASSAY_INLINE void dense_channels(const float* in, int first, float* out) {
  constexpr int inputs = L::in_height * L::in_width * L::in_channels;
  float sums[width] = {};
  add_products<width>(in, L::weights + first * inputs, inputs, sums);
#pragma GCC unroll 4
  for (int channel = 0; channel < width; ++channel)
    out[first + channel] = finish<L>(sums[channel], first + channel);
}

/// Weights in groups as those of conv_float, each [in][channel of the group].
template <class L>
void dense_float(const float* in, float* out, void*) {
  constexpr int rest = L::out_channels % 4, whole = L::out_channels - rest;
  if constexpr (whole > 0)
    for (int first = 0; first < whole; first += 4)
      dense_channels<L, 4>(in, first, out);
  if constexpr (rest > 0) dense_channels<L, rest>(in, whole, out);
}

/// `width` channels of a depthwise convolution from `first` on.
template <class L, int width>
ASSAY_INLINE void depthwise_channels(const float* in, const InsideWindow<L>& window, int first,
                                     float* out) {
  float sums[width] = {};
  for (int ky = window.top; ky < window.bottom; ++ky)
    for (int kx = window.left; kx < window.right; ++kx) {
      const float* from = window.at(in, ky, kx) + first;
      const auto* weights = L::weights + (ky * L::kernel_width + kx) * L::out_channels + first;
#pragma GCC unroll 4
      for (int channel = 0; channel < width; ++channel)
        sums[channel] += weight_value(weights[channel]) * from[channel];
    }
#pragma GCC unroll 4
  for (int channel = 0; channel < width; ++channel)
    out[first + channel] = finish<L>(sums[channel], first + channel);
}

/// Weights [kernel_height][kernel_width][channel].
template <class L>
void depthwise_float(const float* in, float* out, void*) {
  constexpr int rest = L::out_channels % 4, whole = L::out_channels - rest;
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += L::out_channels) {
      const InsideWindow<L> window(y, x);
      if constexpr (whole > 0)
        for (int first = 0; first < whole; first += 4)
          depthwise_channels<L, 4>(in, window, first, out);
      if constexpr (rest > 0) depthwise_channels<L, rest>(in, window, whole, out);
    }
}

}  // namespace assay::kernels

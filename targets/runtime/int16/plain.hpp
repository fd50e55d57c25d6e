// Convolution, depthwise convolution and dense layer over int16 tensors for cores without SMLAD:
// the window of a pixel is expanded once, then some channels at a time share its inputs.
// L has the constants of the reference kernels: std::int8_t weights[], bias[] and multiplier[].
#pragma once

#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/requantize_plain.hpp"

namespace assay::kernels {

namespace int16 {

/// What eight low registers hold.
inline constexpr int shared_channels = 2;

/// Adds the products of `count` inputs. A function of its own, so that the loop has all registers.
template <int channels>
__attribute__((noinline)) void add_products(const std::int16_t* in, const std::int8_t* weights,
                                            int stride, int count, std::int32_t (&sums)[channels]) {
  std::int32_t totals[channels] = {};
  const std::int8_t* filters[channels];
  for (int c = 0; c < channels; ++c)
    filters[c] = weights + c * stride;
  for (int i = 0; i < count; ++i) {
    const std::int32_t input = in[i];
    for (int c = 0; c < channels; ++c)
      totals[c] += filters[c][i] * input;
  }
  for (int c = 0; c < channels; ++c)
    sums[c] += totals[c];
}

/// Outputs of some channels over `inputs` inputs that lie together.
template <class L, int inputs, int channels>
ASSAY_INLINE void multiply_channels(const std::int16_t* in, int first, std::int16_t* out) {
  using Sum = Accumulator<L, std::int16_t>;
  constexpr int part = sizeof(Sum) > 4 && inputs > part_inputs ? part_inputs : inputs;
  const std::int8_t* weights = L::weights + first * inputs;
  Sum totals[channels] = {};
  for (int from = 0; from < inputs; from += part) {
    std::int32_t sums[channels] = {};
    add_products(in + from, weights + from, inputs, from + part < inputs ? part : inputs - from,
                 sums);
    for (int c = 0; c < channels; ++c)
      totals[c] += sums[c];
  }
  for (int c = 0; c < channels; ++c)
    out[first + c] = requantize_plain<L>(totals[c], first + c);
}

template <class L, int inputs>
ASSAY_INLINE void multiply_column(const std::int16_t* in, std::int16_t* out) {
  constexpr int whole = L::out_channels / shared_channels * shared_channels;
  if constexpr (whole > 0)
    for (int c = 0; c < whole; c += shared_channels)
      multiply_channels<L, inputs, shared_channels>(in, c, out);
  for (int c = whole; c < L::out_channels; ++c)
    multiply_channels<L, inputs, 1>(in, c, out);
}

/// The window at (top, left) as one column; padding is 0.
template <class L>
ASSAY_INLINE void gather_column(const std::int16_t* in, int top, int left, std::int16_t* column) {
  for (int y = top; y < top + L::kernel_height; ++y)
    for (int x = left; x < left + L::kernel_width; ++x) {
      const bool inside = y >= 0 && y < L::in_height && x >= 0 && x < L::in_width;
      const std::int16_t* pixel = inside ? in + (y * L::in_width + x) * L::in_channels : nullptr;
      for (int c = 0; c < L::in_channels; ++c)
        *column++ = pixel ? pixel[c] : 0;
    }
}

}  // namespace int16

template <class L>
void conv_int16_plain(const std::int16_t* in, std::int16_t* out, void* scratch) {
  constexpr int inputs = L::kernel_height * L::kernel_width * L::in_channels;
  auto* column = static_cast<std::int16_t*>(scratch);
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += L::out_channels) {
      int16::gather_column<L>(in, y * L::stride_height - L::pad_top,
                              x * L::stride_width - L::pad_left, column);
      int16::multiply_column<L, inputs>(column, out);
    }
}

template <class L>
void dense_int16_plain(const std::int16_t* in, std::int16_t* out, void*) {
  int16::multiply_column<L, L::in_height * L::in_width * L::in_channels>(in, out);
}

}  // namespace assay::kernels

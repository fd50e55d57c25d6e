// Depthwise convolution for cores with SMLAD, one channel at a time: its inputs lie side by side in
// scratch memory as halfwords (ChannelPlane), so that one SMLAD does two taps of a row, and with a
// stride of 1 two outputs share the words of their windows. Horizontal strides of 1 or even. L has
// the constants of the reference kernels. Tensor is what differs between elements:
//   Element                            of the tensors, int8 or int16
//   Element zero                       what the padding holds
//   start(bias)                        what a sum begins with
//   finish(sum, bias, multiplier)      the output that it becomes
#pragma once

#include <type_traits>

#include "targets/runtime/channel_plane.hpp"
#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels {

namespace dsp {

template <class L, class Tensor>
struct DepthwisePlane {
  using Element = typename Tensor::Element;
  static constexpr ChannelPlane plane{L::out_height,   L::out_width,     L::kernel_height,
                                      L::kernel_width, L::stride_height, L::stride_width};
  static constexpr int taps = L::kernel_width, columns = plane.columns();
  static constexpr int first_inside = L::pad_left < columns ? L::pad_left : columns;
  static constexpr int inside =
      L::in_width < columns - first_inside ? L::in_width : columns - first_inside;
  static constexpr bool pads =
      inside < columns ||
      reaches_outside(L::in_height, L::out_height, L::kernel_height, L::stride_height, L::pad_top);
  static_assert(taps >= 2);
  static_assert(L::stride_width == 1 || L::stride_width % 2 == 0);

  /// A row of weights as pairs (w0, w1), (w2, w3) ... and (w1, w2), (w3, w4) ...
  struct FilterRow {
    std::uint32_t even[taps / 2];
    std::uint32_t odd[taps > 2 ? (taps - 1) / 2 : 1];
  };

  static ASSAY_INLINE void widen(const std::int8_t* weights, FilterRow& row) {
    const auto pair = [weights](int first) ASSAY_INLINE_LAMBDA {
      return join_bottoms(static_cast<std::uint32_t>(weights[first * L::out_channels]),
                          static_cast<std::uint32_t>(weights[(first + 1) * L::out_channels]));
    };
    for (int i = 0; i < taps / 2; ++i)
      row.even[i] = pair(2 * i);
    for (int i = 0; i < (taps - 1) / 2; ++i)
      row.odd[i] = pair(2 * i + 1);
  }

  /// Two elements of the plane, at an even place.
  static ASSAY_INLINE std::uint32_t load_word(const std::int16_t* at) {
    std::uint32_t word;
    __builtin_memcpy(&word, __builtin_assume_aligned(at, 4), sizeof word);
    return word;
  }

  /// Adds a row of one window, or of two that begin one position apart. What a row of taps has
  /// beyond pairs is half of the last pair that holds it.
  template <int outputs>
  static ASSAY_INLINE void add_row(const std::int16_t* window, const FilterRow& row,
                                   std::int32_t (&sums)[2]) {
#pragma GCC unroll 8
    for (int i = 0; i <= taps / 2; ++i) {
      if (taps % 2 == 0 && outputs == 1 && i == taps / 2) break;
      const std::uint32_t word = load_word(window + 2 * i);
      if (i < taps / 2)
        sums[0] = smlad(word, row.even[i], sums[0]);
      else if (taps % 2 != 0)
        sums[0] = smlabt(word, row.odd[i - 1], sums[0]);
      if (outputs == 1) continue;
      if (i == 0)
        sums[1] = smlatb(word, row.even[0], sums[1]);
      else if (i <= (taps - 1) / 2)
        sums[1] = smlad(word, row.odd[i - 1], sums[1]);
      else
        sums[1] = smlabt(word, row.even[i - 1], sums[1]);
    }
  }

  using Bias = std::remove_const_t<std::remove_reference_t<decltype(L::bias[0])>>;

  template <int outputs>
  static ASSAY_INLINE void filter(const std::int16_t* window, const FilterRow* rows, Bias bias,
                                  std::int32_t multiplier, Element* out) {
    const std::int32_t start = Tensor::start(bias);
    std::int32_t sums[2] = {start, start};
#pragma GCC unroll 8
    for (int y = 0; y < L::kernel_height; ++y)
      add_row<outputs>(window + y * columns, rows[y], sums);
    for (int i = 0; i < outputs; ++i)
      out[i * L::out_channels] = Tensor::finish(sums[i], bias, multiplier);
  }

  /// Rows of outputs of a channel over its plane.
  static __attribute__((noinline)) void sweep(const std::int16_t* plane_row, int channel,
                                              int height, Element* out) {
    constexpr int together = L::stride_width == 1 ? 2 : 1;
    FilterRow rows[L::kernel_height];
#pragma GCC unroll 8
    for (int y = 0; y < L::kernel_height; ++y)
      widen(L::weights + y * taps * L::out_channels + channel, rows[y]);
    const Bias bias = L::bias[channel];
    const std::int32_t multiplier = L::multiplier[channel];
    for (int y = 0; y < height; ++y, plane_row += L::stride_height * columns) {
      const std::int16_t* window = plane_row;
      for (int x = 0; x + together <= L::out_width; x += together) {
        filter<together>(window, rows, bias, multiplier, out);
        window += together * L::stride_width;
        out += together * L::out_channels;
      }
      if constexpr (L::out_width % together != 0) {
        filter<1>(window, rows, bias, multiplier, out);
        out += L::out_channels;
      }
    }
  }

  /// Padding in so many rows, where there is any.
  static ASSAY_INLINE void clear(int rows, std::int16_t* plane_rows) {
    if constexpr (pads && Tensor::zero == 0)
      __builtin_memset(plane_rows, 0, 2 * rows * columns);
    else if constexpr (pads)
      for (int i = 0; i < rows * columns; ++i)
        plane_rows[i] = Tensor::zero;
  }

  /// Copies what of a channel's rows from `top` on lies inside the input.
  static ASSAY_INLINE void gather(const Element* in, int top, int rows, std::int16_t* to) {
    to += first_inside;
    for (int y = top; y < top + rows; ++y, to += columns) {
      if (y < 0 || y >= L::in_height) continue;
      const Element* from = in + y * L::in_width * L::in_channels;
#pragma GCC unroll 8
      for (int x = 0; x < inside; ++x)
        to[x] = from[x * L::in_channels];
    }
  }
};

}  // namespace dsp

template <class L, class Tensor, class Element = typename Tensor::Element>
ASSAY_INLINE void depthwise_plane(const Element* in, Element* out, void* scratch) {
  using Depthwise = dsp::DepthwisePlane<L, Tensor>;
  constexpr int band = Depthwise::plane.band(), row = L::out_width * L::out_channels;
  auto* const inputs = static_cast<std::int16_t*>(scratch);
  for (int y = 0; y < L::out_height; y += band, out += band * row) {
    const int height = y + band <= L::out_height ? band : L::out_height - y;
    const int rows = Depthwise::plane.rows(height), top = y * L::stride_height - L::pad_top;
    Depthwise::clear(rows, inputs);
    for (int c = 0; c < L::out_channels; ++c) {
      Depthwise::gather(in + c, top, rows, inputs);
      Depthwise::sweep(inputs, c, height, out + c);
    }
  }
}

}  // namespace assay::kernels

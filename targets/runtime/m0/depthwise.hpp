// Depthwise convolution for Armv6-M: one channel at a time, two output rows to a MULS; see
// layout.hpp. L has, besides the members of layer.hpp:
//   std::int8_t filters[]      weights, [channel][tap]
//   std::int32_t channels[]    b' and m of each channel
#pragma once

#include "targets/runtime/m0/layout.hpp"
#include "targets/runtime/m0/requantize.hpp"

namespace assay::kernels {

namespace m0 {

template <class L>
inline constexpr DepthwiseLayout depthwise_layout{L::out_height,    L::out_width,
                                                  L::kernel_height, L::kernel_width,
                                                  L::stride_height, L::stride_width};

template <class L>
using Plane = std::int32_t[depthwise_layout<L>.rows][depthwise_layout<L>.columns];

/// Puts one channel of an input row, which may lie in the padding, into the low (`first`) or high
/// halves of a row of the plane.
template <class L, bool first>
ASSAY_INLINE void pack_row(const std::int8_t* in, int y, std::int32_t* to) {
  constexpr int columns = depthwise_layout<L>.columns;
  constexpr int left = L::pad_left < columns ? L::pad_left : columns;
  constexpr int inside = L::in_width < columns - left ? L::in_width : columns - left;
  const auto put = [](std::int32_t& word, std::int32_t value) {
    word = first ? value : word + value * 65536;
  };
  const bool outside = y < 0 || y >= L::in_height;
  std::int32_t* const end = to + columns;
  for (std::int32_t* stop = outside ? end : to + left; to != stop; ++to)
    put(*to, L::input_zero);
  if (outside) return;
  const std::int8_t* from = in + y * L::in_width * L::out_channels;
  for (std::int32_t* stop = to + inside; to != stop; ++to, from += L::out_channels)
    put(*to, *from);
  for (; to != end; ++to)
    put(*to, L::input_zero);
}

/// Sums of one output column in the two rows of a pair.
struct RowPair {
  std::int32_t low;
  std::int32_t high;
};

/// bias + the products of one window of the plane. Adding 2^15 makes the shift round the high sum
/// to nearest, which takes out what the low sum borrowed from it.
template <class L>
ASSAY_INLINE RowPair filter_window(const std::int32_t* window, const std::int32_t* taps,
                                   std::int32_t bias) {
  std::uint32_t both = static_cast<std::uint32_t>(bias) * 65537u;
  std::int32_t high = bias;
  const auto add = [&](std::int32_t products) {
    both += static_cast<std::uint32_t>(products);
    high += (products + 32768) >> 16;
  };
#pragma GCC unroll 3
  for (int ky = 0; ky < L::kernel_height; ++ky, window += depthwise_layout<L>.columns) {
    int kx = 0;
#pragma GCC unroll 4
    for (; kx + 1 < L::kernel_width; kx += 2, taps += 2)
      add(window[kx] * taps[0] + window[kx + 1] * taps[1]);
    if (kx < L::kernel_width) add(window[kx] * *taps++);
  }
  return {static_cast<std::int32_t>(both - (static_cast<std::uint32_t>(high) << 16)), high};
}

}  // namespace m0

template <class L>
void depthwise_m0(const std::int8_t* in, std::int8_t* out, void* scratch) {
  constexpr m0::DepthwiseLayout layout = m0::depthwise_layout<L>;
  constexpr int taps = L::kernel_height * L::kernel_width;
  constexpr int out_row = L::out_width * L::out_channels;
  auto& plane = *static_cast<m0::Plane<L>*>(scratch);
  const std::int8_t* filter = L::filters;
  const std::int32_t* parameters = L::channels;
  for (int channel = 0; channel < L::out_channels; ++channel, ++in, ++out, parameters += 2) {
    std::int32_t weights[taps];
    for (std::int32_t& weight : weights)
      weight = *filter++;
    for (int band = 0; band < L::out_height; band += layout.band) {
      // The last band, too, is a whole one.
      if (band > L::out_height - layout.band) band = L::out_height - layout.band;
      const int first_row = band * L::stride_height - L::pad_top;
      for (int r = 0; r < layout.rows; ++r) {
        m0::pack_row<L, true>(in, first_row + r, plane[r]);
        m0::pack_row<L, false>(in, first_row + layout.distance * L::stride_height + r, plane[r]);
      }
      std::int8_t* to = out + band * out_row;
      for (int y = 0; y < layout.half; ++y) {
        const std::int32_t* window = plane[y * L::stride_height];
        for (int x = 0; x < L::out_width; ++x, window += L::stride_width, to += L::out_channels) {
          const m0::RowPair sums = m0::filter_window<L>(window, weights, parameters[0]);
          to[0] = m0::requantize<L>(sums.low, parameters[1]);
          to[layout.distance * out_row] = m0::requantize<L>(sums.high, parameters[1]);
        }
      }
    }
  }
}

}  // namespace assay::kernels

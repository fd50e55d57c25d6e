// Depthwise convolution for Armv6-M: one channel at a time, two output rows to a MULS; see
// layout.hpp. L has, besides the members of layer.hpp:
//   std::int8_t filters[]      weights, [channel][tap]
//   std::int32_t channels[]    b' and m of each channel
#pragma once

#include "targets/runtime/m0/layout.hpp"
#include "targets/runtime/m0/nine_taps.hpp"
#include "targets/runtime/m0/plane.hpp"
#include "targets/runtime/m0/requantize.hpp"

namespace assay::kernels {

namespace m0 {

/// Sums of one output column in the two rows of a pair.
struct RowPair {
  std::int32_t low;
  std::int32_t high;
};

/// bias + the products of one window of the plane. Adding 2^15 makes the shift round the high sum
/// to nearest, which takes out what the low sum borrowed from it.
template <class L>
ASSAY_INLINE RowPair filter_window(const std::int32_t* window, const std::int8_t* taps,
                                   std::int32_t bias) {
  constexpr DepthwiseLayout layout = depthwise_layout<L>;
  std::uint32_t both = static_cast<std::uint32_t>(bias) * 65537u;
  std::int32_t high = bias;
  const auto add = [&](std::int32_t products) {
    both += static_cast<std::uint32_t>(products);
    high += (products + 32768) >> 16;
  };
  for (int ky = 0; ky < L::kernel_height; ++ky) {
    const std::int32_t* row = window + layout.word(ky, 0);
    int kx = 0;
    for (; kx + 1 < L::kernel_width; kx += 2, taps += 2)
      add(row[layout.word(0, kx)] * taps[0] + row[layout.word(0, kx + 1)] * taps[1]);
    if (kx < L::kernel_width) add(row[layout.word(0, kx)] * *taps++);
  }
  return {static_cast<std::int32_t>(both - (static_cast<std::uint32_t>(high) << 16)), high};
}

/// One channel of a band, with any window.
template <class L>
ASSAY_INLINE void filter_plane(const std::int32_t* plane, const std::int8_t* taps,
                               const std::int32_t* parameters, std::int8_t* out) {
  constexpr DepthwiseLayout layout = depthwise_layout<L>;
  constexpr int out_row = L::out_width * L::out_channels;
  for (int y = 0; y < layout.half; ++y, out += out_row - layout.strip * L::out_channels)
    for (int x = 0; x < layout.strip; ++x, out += L::out_channels) {
      const RowPair sums = filter_window<L>(
          plane + layout.word(y * L::stride_height, x * L::stride_width), taps, parameters[0]);
      out[0] = requantize<L>(sums.low, parameters[1]);
      out[layout.distance * out_row] = requantize<L>(sums.high, parameters[1]);
    }
}

/// All channels of a strip of a band, the outputs from (y, x) on; `filter_of(channel)` gives its
/// weights by tap.
template <class L, class Strip, class FilterOf>
ASSAY_INLINE void filter_strip(const Strip& strip, const std::int8_t* in, std::int8_t* out, int y,
                               int x, std::int32_t* plane, FilterOf filter_of) {
  pad_plane<L>(plane);
  out += (y * L::out_width + x) * L::out_channels;
  for (int c = 0; c < L::out_channels; ++c) {
    const std::int8_t* filter = filter_of(c);
    const std::int32_t* parameters = L::channels + 2 * c;
    pack_plane<L>(strip, in + c, y * L::stride_height - L::pad_top, plane);
    if constexpr (depthwise_layout<L>.nine_taps)
      filter_nine_taps<L>(plane, filter, parameters, out + c);
    else
      filter_plane<L>(plane, filter, parameters, out + c);
  }
}

/// All bands and strips.
template <class L, class FilterOf>
ASSAY_INLINE void filter_strips(const std::int8_t* in, std::int8_t* out, std::int32_t* plane,
                                FilterOf filter_of) {
  constexpr DepthwiseLayout layout = depthwise_layout<L>;
  for (int band = 0; band < L::out_height; band += layout.band) {
    // The last band, too, is a whole one.
    if (band > L::out_height - layout.band) band = L::out_height - layout.band;
    if constexpr (layout.strip == L::out_width)
      filter_strip<L>(WholeStrip<L>(), in, out, band, 0, plane, filter_of);
    else
      for (int strip = 0; strip < L::out_width; strip += layout.strip) {
        const int x = strip_begin(strip, L::out_width, layout.strip);
        const OneStrip inputs(x * L::stride_width - L::pad_left, L::in_width, layout.columns);
        filter_strip<L>(inputs, in, out, band, x, plane, filter_of);
      }
  }
}

}  // namespace m0

template <class L>
void depthwise_m0(const std::int8_t* in, std::int8_t* out, void* scratch) {
  constexpr int taps = L::kernel_height * L::kernel_width;
  m0::filter_strips<L>(in, out, static_cast<std::int32_t*>(scratch),
                       [](int channel) ASSAY_INLINE_LAMBDA { return L::filters + channel * taps; });
}

}  // namespace assay::kernels

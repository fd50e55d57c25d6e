// Depthwise convolution for cores with SMLAxy: four channels at two output pixels at a time, over
// inputs expanded to int16 once for all windows; see layout.hpp. Needs four channels or more. L
// has, besides the members of layer.hpp:
//   std::uint32_t taps[]       weights as int16, [block of 4 channels][tap]{(c0, c2), (c1, c3)}
//   std::int32_t channels[]    [block]{b' of four channels, m of four channels}
#pragma once

#include "targets/runtime/dsp/layout.hpp"
#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels {

namespace dsp {

template <class L>
inline constexpr DepthwiseLayout depthwise_layout{L::out_height,    L::out_width,
                                                  L::kernel_height, L::kernel_width,
                                                  L::stride_height, L::stride_width};

/// Four channels of one position.
struct FourInputs {
  std::uint32_t even;  ///< (c0, c2)
  std::uint32_t odd;   ///< (c1, c3)
};

template <class L>
using Plane = FourInputs[depthwise_layout<L>.rows][depthwise_layout<L>.columns];

/// Expands four channels of the input rows from `first_row` on, which may lie in the padding.
template <class L>
ASSAY_INLINE void expand_plane(const std::int8_t* in, int first_row, Plane<L>& plane) {
  constexpr DepthwiseLayout layout = depthwise_layout<L>;
  constexpr int left = L::pad_left < layout.columns ? L::pad_left : layout.columns;
  constexpr int inside = L::in_width < layout.columns - left ? L::in_width : layout.columns - left;
  constexpr std::uint32_t zero = (L::input_zero & 0xffff) * 0x10001u;
  for (int r = 0; r < layout.rows; ++r) {
    const int y = first_row + r;
    const bool outside = y < 0 || y >= L::in_height;
    FourInputs* to = plane[r];
    FourInputs* const end = to + layout.columns;
    for (FourInputs* stop = outside ? end : to + left; to != stop; ++to)
      *to = {zero, zero};
    if (outside) continue;
    const std::int8_t* from = in + y * L::in_width * L::out_channels;
#pragma GCC unroll 4
    for (int i = 0; i < inside; ++i, ++to, from += L::out_channels) {
      const std::uint32_t word = load_word(from);
      *to = {sxtb16(word), sxtb16_odd(word)};
    }
    for (; to != end; ++to)
      *to = {zero, zero};
  }
}

/// Four channels of `pixels` neighbouring output pixels whose windows begin at `window`.
template <class L, int pixels>
ASSAY_INLINE void filter_pixels(const FourInputs* window, const FourInputs* taps,
                                const std::int32_t* channels, std::int8_t* out) {
  constexpr int columns = depthwise_layout<L>.columns;
  std::int32_t sums[pixels][4];
  for (int p = 0; p < pixels; ++p)
    for (int c = 0; c < 4; ++c)
      sums[p][c] = channels[c];
  for (int ky = 0; ky < L::kernel_height; ++ky, window += columns, taps += L::kernel_width) {
#pragma GCC unroll 16
    for (int x = 0; x < L::kernel_width + (pixels - 1) * L::stride_width; ++x) {
      const FourInputs inputs = window[x];
#pragma GCC unroll 2
      for (int p = 0; p < pixels; ++p) {
        const int kx = x - p * L::stride_width;
        if (kx < 0 || kx >= L::kernel_width) continue;
        const FourInputs weights = taps[kx];
        sums[p][0] = smlabb(inputs.even, weights.even, sums[p][0]);
        sums[p][1] = smlabb(inputs.odd, weights.odd, sums[p][1]);
        sums[p][2] = smlatt(inputs.even, weights.even, sums[p][2]);
        sums[p][3] = smlatt(inputs.odd, weights.odd, sums[p][3]);
      }
    }
  }
  for (int c = 0; c < 4; ++c) {
    const std::int32_t multiplier = channels[4 + c];
    for (int p = 0; p < pixels; ++p)
      out[p * L::out_channels + c] = requantize<L>(sums[p][c], multiplier);
  }
}

/// One output row of four channels.
template <class L>
ASSAY_INLINE void filter_row(const FourInputs* row, const FourInputs* taps,
                             const std::int32_t* channels, std::int8_t* out) {
  if constexpr (L::out_width == 1) {
    filter_pixels<L, 1>(row, taps, channels, out);
  } else {
    // With an odd number of pixels the last two overlap the ones before them.
    for (int x = 0; x < L::out_width; x += 2) {
      if (x > L::out_width - 2) x = L::out_width - 2;
      filter_pixels<L, 2>(row + x * L::stride_width, taps, channels, out + x * L::out_channels);
    }
  }
}

}  // namespace dsp

template <class L>
void depthwise_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  constexpr dsp::DepthwiseLayout layout = dsp::depthwise_layout<L>;
  auto& plane = *static_cast<dsp::Plane<L>*>(scratch);
  for (int band = 0; band < L::out_height; band += layout.band) {
    // The last band, too, is a whole one.
    if (band > L::out_height - layout.band) band = L::out_height - layout.band;
    const auto* taps = reinterpret_cast<const dsp::FourInputs*>(L::taps);
    const std::int32_t* channels = L::channels;
    for (int block = 0; 4 * block < L::out_channels; ++block) {
      const int channel = dsp::depthwise_channel(block, L::out_channels);
      dsp::expand_plane<L>(in + channel, band * L::stride_height - L::pad_top, plane);
      std::int8_t* to = out + band * L::out_width * L::out_channels + channel;
      for (int y = 0; y < layout.band; ++y, to += L::out_width * L::out_channels)
        dsp::filter_row<L>(plane[y * L::stride_height], taps, channels, to);
      taps += L::kernel_height * L::kernel_width;
      channels += 8;
    }
  }
}

}  // namespace assay::kernels

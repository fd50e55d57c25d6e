// Convolution for Armv6 cores: the windows of eight pixels are widened to halfwords, then two
// channels of two pixels are summed at a time. L has, besides the members of layer.hpp,
//   std::uint32_t filters[]           as in layout.hpp
//   std::int32_t bias[], multiplier[] filled up to pairs of channels
#pragma once

#include "targets/runtime/armv6/products.hpp"
#include "targets/runtime/window_rows.hpp"

namespace assay::kernels {

namespace armv6 {

template <class L>
inline constexpr WindowLayout conv_layout{L::kernel_height, L::kernel_width* L::in_channels};

/// Gathers windows, one at a time.
template <class L>
struct WindowScratch {
  std::int8_t window[conv_layout<L>.window_bytes()];
  WindowRows<L, 1> rows;
};

template <class L>
struct ConvScratch {
  std::uint32_t tile[conv_layout<L>.tile_words(tile_pixels)];
  WindowScratch<L> windows;
};

/// The window of an output pixel (counted row by row) as one run of bytes, valid until the next
/// call.
template <class L>
ASSAY_INLINE const std::int8_t* gather_window(const std::int8_t* in, int pixel,
                                              WindowScratch<L>& scratch) {
  constexpr WindowLayout layout = conv_layout<L>;
  const int y = pixel / L::out_width, x = pixel - y * L::out_width;
  std::int8_t* window = scratch.window;
  for (int ky = 0; ky < layout.rows; ++ky, window += layout.row)
    __builtin_memcpy(window, scratch.rows.find(in, y, x, ky, 0), layout.row);
  return scratch.window;
}

/// Widens a window to two words a step, `step_words` from one step to the next.
template <class L, int step_words>
ASSAY_INLINE void widen_window(const std::int8_t* window, std::uint32_t* to) {
  for (int i = 0; i < conv_layout<L>.window_bytes(); i += step_inputs, to += step_words)
    widen(window + i, to[0], to[1]);
}

/// Widens the windows of `count` pixels from `first` on, as add_steps reads them; `steps` of a pair
/// of pixels.
template <class L>
ASSAY_INLINE void fill_tile(const std::int8_t* in, int first, int count, int steps,
                            std::uint32_t* tile, WindowScratch<L>& scratch) {
  for (int p = 0; p < count; ++p)
    widen_window<L, pixel_pair_words>(gather_window(in, first + p, scratch),
                                      tile + p / 2 * steps * pixel_pair_words + p % 2 * 2);
}

/// Outputs of two channels of two pixels, of which `pixels` and perhaps a single channel exist.
/// Sums are those of channel 0 at both pixels, then of channel 1, with b' in them.
template <class L>
ASSAY_INLINE void put_pair(const std::int32_t (&sums)[4], int channel, int pixels,
                           std::int8_t* out) {
  const bool both = L::out_channels % 2 == 0 || channel + 1 < L::out_channels;
  // Sums stay in registers where every index is a constant.
#pragma GCC unroll 2
  for (int p = 0; p < 2; ++p, out += L::out_channels) {
    if (p == pixels) return;
    out[0] = dsp::requantize<L>(sums[p], L::multiplier[channel]);
    if (both) out[1] = dsp::requantize<L>(sums[2 + p], L::multiplier[channel + 1]);
  }
}

/// Two channels of two pixels.
template <class L>
ASSAY_INLINE void convolve_pair(const std::uint32_t* inputs, const std::uint32_t* filters,
                                int channel, int pixels, std::int8_t* out) {
  std::int32_t sums[4] = {L::bias[channel], L::bias[channel], L::bias[channel + 1],
                          L::bias[channel + 1]};
  add_steps<conv_layout<L>.steps()>(inputs, filters, sums);
  put_pair<L>(sums, channel, pixels, out);
}

}  // namespace armv6

template <class L>
void conv_armv6(const std::int8_t* in, std::int8_t* out, void* memory) {
  using namespace armv6;
  constexpr int pixels = L::out_height * L::out_width, steps = conv_layout<L>.steps();
  auto& scratch = *static_cast<ConvScratch<L>*>(memory);
  scratch.windows.rows.initialize();
  for (int first = 0; first < pixels; first += tile_pixels) {
    const int count = pixels - first < tile_pixels ? pixels - first : tile_pixels;
    fill_tile<L>(in, first, count, steps, scratch.tile, scratch.windows);
    const std::uint32_t* filters = L::filters;
    for (int channel = 0; channel < L::out_channels; channel += 2, filters += 2 * steps)
      for (int p = 0; p < count; p += 2)
        convolve_pair<L>(scratch.tile + p / 2 * steps * pixel_pair_words, filters, channel,
                         count - p < 2 ? 1 : 2, out + (first + p) * L::out_channels + channel);
  }
}

}  // namespace assay::kernels

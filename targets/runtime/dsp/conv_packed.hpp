// Convolution with packed weights whose windows are too long for the tiles of conv_tile.hpp: one
// output pixel after the other, each as a dense layer over its window. L has the members that
// dense_packed.hpp describes; a window's inputs are filled up to groups of four pixel by pixel.
// Scratch: an outside pixel, what the decoder prepares, the expanded window.
#pragma once

#include "targets/runtime/dsp/dense_packed.hpp"

namespace assay::kernels {

namespace dsp {

/// Calls `pixel(window, out)` for every output pixel.
template <class L, class Pixel>
ASSAY_INLINE void for_each_pixel(const std::int8_t* in, std::int8_t* out, void* scratch,
                                 Pixel pixel) {
  PixelWindow<L> window(in, scratch);
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += L::out_channels) {
      window.move_to(y, x);
      pixel(window, out);
    }
}

/// Scratch after the outside pixel.
template <class L>
ASSAY_INLINE std::uint32_t* after_outside(void* scratch) {
  return static_cast<std::uint32_t*>(scratch) + PixelWindow<L>::scratch_bytes / 4;
}

template <class L, int bits>
ASSAY_INLINE void conv_digits(const std::int8_t* in, std::int8_t* out, void* scratch) {
  for_each_pixel<L>(in, out, scratch, [&](const PixelWindow<L>& window, std::int8_t* pixel) {
    dense_digits<L, bits>(window, pixel, after_outside<L>(scratch));
  });
}

template <class L, class Decoder>
ASSAY_INLINE void conv_codebook(const std::int8_t* in, std::int8_t* out, void* scratch) {
  std::uint32_t* const table = after_outside<L>(scratch);
  Decoder::prepare(table);
  for_each_pixel<L>(in, out, scratch, [&](const PixelWindow<L>& window, std::int8_t* pixel) {
    dense_codebook<L, Decoder>(window, pixel, table);
  });
}

}  // namespace dsp

template <class L>
void conv_packed_int4_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::conv_digits<L, 4>(in, out, scratch);
}

template <class L>
void conv_packed_ternary_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::conv_digits<L, 2>(in, out, scratch);
}

template <class L>
void conv_packed_codebook16_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::conv_codebook<L, dsp::PairCodebook<L>>(in, out, scratch);
}

template <class L>
void conv_packed_codebook_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::conv_codebook<L, dsp::Codebook<L>>(in, out, scratch);
}

}  // namespace assay::kernels

// Convolution in Advanced SIMD registers: four channels of four pixels at a time, sixteen sums, so
// that a vector of activations serves four channels and a vector of weights four pixels. L has,
// besides the members of layer.hpp, filters, bias and multiplier as in layout.hpp.
#pragma once

#include "targets/runtime/neon/products.hpp"
#include "targets/runtime/window_rows.hpp"

namespace assay::kernels {

namespace neon {

template <class L>
inline constexpr WindowLayout conv_layout{L::kernel_height, L::kernel_width* L::in_channels};

/// Windows of `pixels` outputs at a time.
template <class L, int pixels>
struct ConvScratch {
  static constexpr int column_bytes = conv_layout<L>.column_bytes();
  std::int8_t columns[pixels][column_bytes > 0 ? column_bytes : step_inputs];
  WindowRows<L, pixels> rows;
};

/// Zeros behind the windows, for weights whose filling is not zero. Once, before find_window.
template <class L, int pixels>
ASSAY_INLINE void clear_filling(ConvScratch<L, pixels>& scratch) {
  constexpr WindowLayout layout = conv_layout<L>;
  constexpr int used = layout.rows * layout.row;
  for (int p = 0; layout.gathered() && p < pixels; ++p)
    for (int i = used; i < layout.column_bytes(); ++i)
      scratch.columns[p][i] = 0;
}

/// The window of an output pixel (counted row by row) as one run of bytes, valid until the next
/// call for that slot.
template <class L, int pixels>
ASSAY_INLINE const std::int8_t* find_window(const std::int8_t* in, int pixel, int slot,
                                            ConvScratch<L, pixels>& scratch) {
  constexpr WindowLayout layout = conv_layout<L>;
  const int y = pixel / L::out_width;
  const int x = pixel - y * L::out_width;
  if constexpr (!layout.gathered()) {
    return scratch.rows.find(in, y, x, 0, slot);
  } else {
    std::int8_t* to = scratch.columns[slot];
    for (int ky = 0; ky < layout.rows; ++ky, to += layout.row)
      __builtin_memcpy(to, scratch.rows.find(in, y, x, ky, slot), layout.row);
    return scratch.columns[slot];
  }
}

template <class L, int pixels>
ASSAY_INLINE void convolve_tile(const std::int8_t* in, int first, std::int8_t* out,
                                ConvScratch<L, tile_pixels>& scratch) {
  const std::int8_t* columns[pixels];
  for (int p = 0; p < pixels; ++p)
    columns[p] = find_window(in, first + p, p, scratch);
  multiply_windows<L, conv_layout<L>.steps(), pixels>(columns, out + first * L::out_channels);
}

}  // namespace neon

template <class L>
void conv_neon(const std::int8_t* in, std::int8_t* out, void* memory) {
  constexpr int pixels = L::out_height * L::out_width;
  auto& scratch = *static_cast<neon::ConvScratch<L, neon::tile_pixels>*>(memory);
  scratch.rows.initialize();
  constexpr int whole = pixels / neon::tile_pixels * neon::tile_pixels;
  for (int first = 0; first < whole; first += neon::tile_pixels)
    neon::convolve_tile<L, neon::tile_pixels>(in, first, out, scratch);
  if constexpr (whole < pixels) neon::convolve_tile<L, pixels - whole>(in, whole, out, scratch);
}

}  // namespace assay::kernels

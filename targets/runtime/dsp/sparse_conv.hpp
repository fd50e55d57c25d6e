// Convolutions with zeros among their weights, for cores with SMLAD: an output channel at a time at
// eight (or four) output pixels side by side, only through its weights that are not zero; see
// sparse_layout.hpp for tile and weights. L has, besides the members of layer.hpp:
//   std::int8_t stream[]       the non-zero weights of all channels
//   std::int32_t channels[]    [channel]{b', m}
#pragma once

#include "targets/runtime/dsp/sparse_products.hpp"
#include "targets/runtime/dsp/sparse_window.hpp"

namespace assay::kernels {

namespace dsp {

/// The runs of a bitmap, tap by tap of the window.
template <class L>
ASSAY_INLINE const std::int8_t* add_bitmap(
    const std::int8_t* stream, const std::uint32_t* tile,
    std::int32_t (&sums)[sparse_tile<L, SparseForm::bitmap>.pixels]) {
  constexpr SparseTile t = sparse_tile<L, SparseForm::bitmap>;
  constexpr int runs = (L::in_channels + bitmap_run - 1) / bitmap_run;
  constexpr int last_run = L::in_channels - (runs - 1) * bitmap_run;
  for (int ky = 0; ky < L::kernel_height; ++ky)
    for (int kx = 0; kx < L::kernel_width; ++kx) {
      const std::uint32_t* cell = tile + t.cell(ky, kx, 0);
      for (int run = 0; run < runs; ++run, cell += bitmap_run * t.slots) {
        const bool last = run == runs - 1;
        const auto bits = last ? load_bits<last_run>(stream) : load_bits<bitmap_run>(stream);
        stream += bitmap_bytes(last ? last_run : bitmap_run);
        stream = add_marked_weights<4 * t.slots>(stream, bits, cell, sums);
      }
    }
  return stream;
}

/// All channels of the pixels of a tile, of which the first `pixels` are written.
/// `add(stream, tile, sums)` adds the products of a channel and returns what follows its weights.
template <class L, SparseForm form, int pixels, class Add>
ASSAY_INLINE void convolve_tile(const std::uint32_t* tile, std::int8_t* out, Add add) {
  constexpr SparseTile t = sparse_tile<L, form>;
  const std::int8_t* stream = L::stream;
  const std::int32_t* channel = L::channels;
  for (std::int8_t* const end = out + L::out_channels; out != end; ++out, channel += 2) {
    std::int32_t sums[t.pixels];
#pragma GCC unroll 8
    for (int j = 0; j < t.pixels; ++j)
      sums[j] = channel[0];
    stream = add(stream, tile, sums);
    const std::int32_t multiplier = channel[1];
#pragma GCC unroll 8
    for (int j = 0; j < pixels; ++j)
      out[j * L::out_channels] = requantize<L>(sums[j], multiplier);
  }
}

template <class L, SparseForm form, class Add>
ASSAY_INLINE void convolve_sparse(const std::int8_t* in, std::int8_t* out, void* memory, Add add) {
  constexpr ConvGeometry g = sparse_geometry<L>;
  constexpr int pixels =
      sparse_tile<L, form>.pixels < g.out_width ? sparse_tile<L, form>.pixels : g.out_width;
  auto& scratch = *static_cast<SparseScratch<L, form>*>(memory);
  const std::int8_t* outside = scratch.fill_outside(L::input_zero);
  for (int x = 0; x < g.out_width; x += pixels) {
    // The last pixels of a row may have been written in part: the same values again.
    if (x > g.out_width - pixels) x = g.out_width - pixels;
    std::int8_t* to = out + x * L::out_channels;
    for (int y = 0; y < g.out_height; ++y, to += g.out_width * L::out_channels) {
      gather_tile<L, form>(in, y, x, outside, scratch.tile);
      convolve_tile<L, form, pixels>(scratch.tile, to, add);
    }
  }
}

}  // namespace dsp

template <class L>
void conv_blocks_dsp(const std::int8_t* in, std::int8_t* out, void* memory) {
  constexpr auto form = dsp::SparseForm::blocks;
  dsp::convolve_sparse<L, form>(
      in, out, memory, [](auto* stream, auto* tile, auto& sums) ASSAY_INLINE_LAMBDA {
        return dsp::add_blocks<dsp::unit_bytes<L, form>>(stream, tile, sums);
      });
}

template <class L>
void conv_unstructured_dsp(const std::int8_t* in, std::int8_t* out, void* memory) {
  constexpr auto form = dsp::SparseForm::single;
  dsp::convolve_sparse<L, form>(
      in, out, memory, [](auto* stream, auto* tile, auto& sums) ASSAY_INLINE_LAMBDA {
        return dsp::add_single_weights<dsp::unit_bytes<L, form>>(stream, tile, sums);
      });
}

template <class L>
void conv_bitmap_dsp(const std::int8_t* in, std::int8_t* out, void* memory) {
  dsp::convolve_sparse<L, dsp::SparseForm::bitmap>(
      in, out, memory, [](auto* stream, auto* tile, auto& sums) ASSAY_INLINE_LAMBDA {
        return dsp::add_bitmap<L>(stream, tile, sums);
      });
}

}  // namespace assay::kernels

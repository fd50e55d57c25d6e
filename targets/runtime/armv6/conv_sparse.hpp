// Convolution that meets only the weights that are not zero, for Armv6 cores: a tile of pixels at a
// time (sparse_tile.hpp). L has, besides the members of layer.hpp, bias and multiplier of every
// channel and the members sparse_streams.hpp names.
#pragma once

#include "targets/runtime/armv6/sparse_tile.hpp"
#include "targets/runtime/sparse_streams.hpp"

namespace assay::kernels {

namespace armv6 {

/// `Stream` gives the weights of every channel, `Tile` adds what it visits.
template <class L, class Stream, class Tile>
ASSAY_INLINE void convolve_sparse(const std::int8_t* in, std::int8_t* out, void* memory) {
  constexpr int pixels = L::out_height * L::out_width;
  auto& tile = *static_cast<Tile*>(memory);
  tile.prepare();
  for (int first = 0; first < pixels; first += Tile::pixels) {
    const int count = pixels - first < Tile::pixels ? pixels - first : Tile::pixels;
    tile.fill(in, first, count);
    std::int8_t* to = out + first * L::out_channels;
    Stream stream;
    for (int channel = 0; channel < L::out_channels; ++channel) {
      // Sums stay in registers where every index is a constant.
      std::int32_t sums[Tile::pixels];
#pragma GCC unroll 8
      for (int p = 0; p < Tile::pixels; ++p)
        sums[p] = L::bias[channel];
      stream.next_channel(channel, [&](int position, auto weights)
                                       ASSAY_INLINE_LAMBDA { tile.add(position, weights, sums); });
#pragma GCC unroll 8
      for (int p = 0; p < Tile::pixels; ++p)
        if (p < count)
          to[p * L::out_channels + channel] = dsp::requantize<L>(sums[p], L::multiplier[channel]);
    }
  }
}

}  // namespace armv6

template <class L>
void conv_unstructured_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::convolve_sparse<L, SingleStream<L>, armv6::SingleTile<L>>(in, out, scratch);
}

template <class L>
void conv_bitmap_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  constexpr int inputs = L::kernel_height * L::kernel_width * L::in_channels;
  armv6::convolve_sparse<L, BitmapStream<L, inputs>, armv6::SingleTile<L>>(in, out, scratch);
}

template <class L>
void conv_blocks_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::convolve_sparse<L, BlockStream<L>, armv6::BlockTile<L>>(in, out, scratch);
}

template <class L>
void conv_blocks_codebook16_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::convolve_sparse<L, NumberedStream<L>, armv6::NumberedTile<L>>(in, out, scratch);
}

}  // namespace assay::kernels

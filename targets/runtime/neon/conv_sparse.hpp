// Convolution that meets only the weights that are not zero, sixteen pixels at a time
// (sparse_tile.hpp). L has, besides the members of layer.hpp, bias and multiplier as in layout.hpp
// and the members sparse_streams.hpp names.
#pragma once

#include "targets/runtime/neon/numbered_values.hpp"
#include "targets/runtime/neon/sparse_tile.hpp"
#include "targets/runtime/sparse_streams.hpp"

namespace assay::kernels {

namespace neon {

/// `Stream` gives the weights of every channel; `add(sums, tile, ...)` takes what it visits.
template <class L, class Stream, class Add>
ASSAY_INLINE void convolve_sparse(const std::int8_t* in, std::int8_t* out, void* memory,
                                  const Add& add) {
  using Scratch = SparseScratch<L>;
  constexpr int pixels = L::out_height * L::out_width;
  auto& scratch = *static_cast<Scratch*>(memory);
  scratch.windows.rows.initialize();
  for (int first = 0; first < pixels; first += Scratch::pixels) {
    const int count = pixels - first < Scratch::pixels ? pixels - first : Scratch::pixels;
    fill_tile<L>(in, first, count, scratch);
    Stream stream;
    for (int channel = 0; channel < L::out_channels; ++channel) {
      PixelSums sums;
      stream.next_channel(channel, [&](int position, auto weights) ASSAY_INLINE_LAMBDA {
        add(sums, scratch.tile, position, weights);
      });
      put_pixels<L>(sums, channel, count, out + first * L::out_channels + channel);
    }
  }
}

using TileRow = std::int16_t[shared_pixels];

struct AddSingle {
  ASSAY_INLINE void operator()(PixelSums& sums, const TileRow* tile, int position,
                               std::int8_t weight) const {
    sums.add<0>(tile[position], vdup_n_s16(weight));
  }
};

/// Four weights in the low half of a register, times four rows.
ASSAY_INLINE void add_four(PixelSums& sums, const TileRow* rows, int8x8_t weights) {
  const int16x4_t four = vget_low_s16(vmovl_s8(weights));
  sums.add<0>(rows[0], four);
  sums.add<1>(rows[1], four);
  sums.add<2>(rows[2], four);
  sums.add<3>(rows[3], four);
}

struct AddBlock {
  ASSAY_INLINE void operator()(PixelSums& sums, const TileRow* tile, int block,
                               const std::uint32_t* weights) const {
    add_four(sums, tile + 4 * block, vreinterpret_s8_u32(vld1_dup_u32(weights)));
  }
};

template <class L>
struct AddNumberedBlock {
  NumberedValues<L> values;

  ASSAY_INLINE void operator()(PixelSums& sums, const TileRow* tile, int block,
                               const std::uint8_t* numbers) const {
    add_four(sums, tile + 4 * block, values.decode(numbers));
  }
};

}  // namespace neon

template <class L>
void conv_unstructured_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  neon::convolve_sparse<L, SingleStream<L>>(in, out, scratch, neon::AddSingle{});
}

template <class L>
void conv_bitmap_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  constexpr int inputs = L::kernel_height * L::kernel_width * L::in_channels;
  neon::convolve_sparse<L, BitmapStream<L, inputs>>(in, out, scratch, neon::AddSingle{});
}

template <class L>
void conv_blocks_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  neon::convolve_sparse<L, BlockStream<L>>(in, out, scratch, neon::AddBlock{});
}

template <class L>
void conv_blocks_codebook16_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  neon::convolve_sparse<L, NumberedStream<L>>(in, out, scratch, neon::AddNumberedBlock<L>());
}

}  // namespace assay::kernels

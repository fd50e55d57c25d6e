// Convolution with weights of fewer bits than a byte: the filters of four channels are decoded once
// for sixteen pixels, then multiplied as int8. L has, besides the members of layer.hpp, packed as
// in packed_layout.hpp, codebook (where fields are numbers: filled up to a power of two), bias and
// multiplier as in layout.hpp.
#pragma once

#include "targets/runtime/neon/conv.hpp"
#include "targets/runtime/neon/unpack.hpp"

namespace assay::kernels {

namespace neon {

template <class L>
inline constexpr int conv_pixels = L::out_height* L::out_width;

template <class L>
struct PackedConvScratch {
  static constexpr int pixels = shared_pixels_of(conv_pixels<L>);
  std::int8_t filters[units_of(conv_layout<L>.steps()) * unit_weights];
  ConvScratch<L, pixels> windows;
};

/// `count` pixels whose windows are in `columns`, from `out` on. The last group of a count that is
/// no whole number of groups overlaps the one before: the same values again.
template <class L, int steps, int group>
ASSAY_INLINE void multiply_groups(const std::int8_t* const* columns, int count,
                                  const std::int8_t* filters, int channel, std::int8_t* out) {
  const int left = L::out_channels - channel;
  for (int first = 0; first < count; first += group) {
    if (first > count - group) first = count - group;
    const std::int8_t* some[group];
#pragma GCC unroll 4
    for (int p = 0; p < group; ++p)
      some[p] = columns[first + p];
    multiply_block<L, steps, group>(some, filters, L::bias + channel, L::multiplier + channel,
                                    out + first * L::out_channels + channel,
                                    left < block_channels ? left : block_channels);
  }
}

template <class L, class Weights>
ASSAY_INLINE void convolve_packed(const std::int8_t* in, std::int8_t* out, void* memory) {
  using Scratch = PackedConvScratch<L>;
  constexpr int pixels = conv_pixels<L>, steps = conv_layout<L>.steps();
  constexpr int group = pixels < tile_pixels ? pixels : tile_pixels;
  auto& scratch = *static_cast<Scratch*>(memory);
  scratch.windows.rows.initialize();
  clear_filling(scratch.windows);
  const Weights weights;
  for (int first = 0; first < pixels; first += Scratch::pixels) {
    if (first > pixels - group) first = pixels - group;
    const int count = pixels - first < Scratch::pixels ? pixels - first : Scratch::pixels;
    const std::int8_t* columns[Scratch::pixels];
    for (int p = 0; p < count; ++p)
      columns[p] = find_window(in, first + p, p, scratch.windows);
    const std::uint8_t* packed = L::packed;
    for (int channel = 0; channel < L::out_channels; channel += block_channels) {
      packed = unpack_units<units_of(steps)>(weights, packed, scratch.filters);
      multiply_groups<L, steps, group>(columns, count, scratch.filters, channel,
                                       out + first * L::out_channels);
    }
  }
}

}  // namespace neon

template <class L>
void conv_int4_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  neon::convolve_packed<L, neon::SmallWeights<4>>(in, out, scratch);
}

template <class L>
void conv_ternary_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  neon::convolve_packed<L, neon::SmallWeights<2>>(in, out, scratch);
}

template <class L>
void conv_codebook_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  neon::convolve_packed<L, neon::Codebook<L>>(in, out, scratch);
}

}  // namespace assay::kernels

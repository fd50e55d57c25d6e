// How weights of fewer bits than a byte lie for the kernels for Armv6 cores. Shared by the packer
// on the host and the kernels on the device.
//
// The members `packed` and `values` are those of dsp/unpack.hpp, whose decoders make four words of
// the eight weights that two channels have for a step: (w0, w2) of one and of the other, then
// (w1, w3). Pairs of channels come in the order of layout.hpp, [block of channels][step][pair]; a
// convolution's block is a pair, that of a dense layer two. Steps are filled up to what a decoder
// takes at a time. What fills up a codebook's filters is any value, so that its inputs are zero.
//
// A dense layer's weights in two or four bits are fields that hold weight + field_offset, so that a
// mask alone makes them halfwords that SMLAD takes: a word holds, from bit 0 and from bit 16 up,
// the pairs (w0, w2) and (w1, w3) of the first channel of a block, then of the next. The offset's
// share of every sum is the sum of the inputs times it.
#pragma once

#include "targets/runtime/armv6/layout.hpp"
#include "targets/runtime/dsp/tile_layout.hpp"

namespace assay::kernels::armv6 {

/// Words of a decoded step of two channels.
inline constexpr int pair_words = 4;
/// Steps of a dense layer that are decoded at a time.
inline constexpr int decoded_steps = 32;
/// Longest windows: decoded weights are up to 64 times the real ones, and their sums 32 bits.
inline constexpr int most_packed_inputs = 1 << 17;

/// What is added to a weight of so many bits.
constexpr int field_offset(int bits) {
  return 1 << (bits - 1);
}

/// Steps of two channels' filters.
constexpr int packed_steps(const WindowLayout& window, dsp::PackedForm form) {
  return round_up(window.steps(), form.block_steps() / 2);
}

/// Output pixels for which filters are decoded once: as many as leave half of the first-level cache
/// of 16 KB to other things.
constexpr int shared_pixels(int steps) {
  return steps <= 64 ? 16 : 8;
}

}  // namespace assay::kernels::armv6

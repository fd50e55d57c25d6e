// How the kernels for cores without DSP instructions (Armv6-M: Cortex-M0) lay out weights and
// activations. Shared by the packer on the host and the kernels on the device.
//
// Convolution: two output pixels share a word, a + a' * 2^16, so that one MULS does two
// multiply-accumulates. The products of two inputs are added before they are split up: with weights
// in [-127, 127] their sums stay below 2^15, so that each half of the word holds one.
#pragma once

#include <cstdint>

#include "targets/runtime/column_strips.hpp"
#include "targets/runtime/scratch.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels::m0 {

/// The largest number up to `most` that divides `count`.
constexpr int largest_divisor(int count, int most) {
  while (count % most != 0)
    --most;
  return most;
}

/// Inputs of a convolution's window, in memory order, filled up to whole iterations.
struct ConvLayout {
  int filter;     ///< inputs of a window
  Unrolled loop;  ///< a step is two inputs at four pixels; eight of them are within reach of a BNE
  constexpr ConvLayout(int kernel_height, int kernel_width, int channels)
      : filter(kernel_height * kernel_width * channels),
        loop(plan_unroll((filter + 1) / 2, 8, 15)) {}
  /// Weights stored for an output channel: whole words.
  constexpr int inputs() const { return round_up(2 * loop.steps, 4); }
  constexpr int column_bytes() const { return 16 * loop.steps; }
};

/// Scratch for tiles where the network's RAM has room, in place of scratch_limit.
inline constexpr int large_scratch_limit = 20480;

/// A tile of output pixels, in groups of four. The columns of a whole tile are gathered before the
/// filters of all channels pass over it, so that a filter is unpacked once for all its pixels.
struct ConvTile {
  int groups;
  /// `unpacked_bytes` of the scratch, `limit` bytes, hold a filter.
  constexpr ConvTile(int pixels, const ConvLayout& layout, int channels, int unpacked_bytes,
                     int limit = scratch_limit)
      : groups(1) {
    const int all = (pixels + 3) / 4;
    const int room = limit - unpacked_bytes - round_up(channels, 8);
    const int most = room / layout.column_bytes();
    if (most <= 1) return;
    const int tiles = (all + most - 1) / most;
    groups = (all + tiles - 1) / tiles;  // tiles of one size
  }
};

/// Bytes of ConvScratch (m0/conv.hpp).
constexpr int conv_scratch_bytes(int pixels, const ConvLayout& layout, int channels,
                                 int unpacked_bytes, int limit = scratch_limit) {
  const ConvTile tile(pixels, layout, channels, unpacked_bytes, limit);
  const int filter = unpacked_bytes > 0 ? unpacked_bytes : 8;  // C++ has no empty arrays
  return tile.groups * layout.column_bytes() + filter + round_up(channels, 8);
}

/// Blocks of a sparse filter are four inputs; a record is the offset of their columns and their
/// weights.
constexpr int block_record = 5;
/// Scratch for records of up to `most` blocks, and of one where there are none.
constexpr int blocks_unpacked_bytes(int most) {
  return round_up(4 * block_record * (most > 0 ? most : 1), 8);
}
/// Scratch for {weight, offset of its columns} of up to `most` single weights, whole pairs.
constexpr int singles_unpacked_bytes(int most) {
  return 8 * round_up(most, 2);
}

/// Scratch for an unpacked filter with a byte for each weight; none when a tile is a single group,
/// whose filters are multiplied as they lie in flash.
constexpr int int8_unpacked_bytes(int pixels, const ConvLayout& layout, int channels,
                                  int limit = scratch_limit) {
  const int bytes = round_up(4 * layout.inputs(), 8);
  return ConvTile(pixels, layout, channels, bytes, limit).groups > 1 ? bytes : 0;
}

/// Convolution whose window's columns are too long for scratch memory: the window is taken in parts
/// of one size, at four pixels and for a block of output channels whose sums wait in scratch
/// memory. A part is some positions of the window with all channels, or some channels of one.
struct PartsLayout {
  int positions = 0;       ///< of a part; 0 where even the smallest part does not fit
  int channels = 0;        ///< of a position in a part; an even number unless it is all of them
  int parts = 0;           ///< of a window
  int block = 0;           ///< output channels at a time
  Unrolled loop{0, 1};     ///< of a part, as in ConvLayout
  std::int64_t cost = -1;  ///< instructions for four pixels, about

  constexpr PartsLayout(int kernel_positions, int in_channels, int out_channels) {
    for (int count = kernel_positions; count > 0; --count)
      if (kernel_positions % count == 0)
        consider(count, in_channels, kernel_positions / count, in_channels, out_channels);
    for (int pieces = 2; pieces <= (in_channels + 1) / 2; pieces = pieces * 5 / 4 + 1) {
      const int piece = round_up((in_channels + pieces - 1) / pieces, 2);
      const int used = (in_channels + piece - 1) / piece;
      consider(1, piece, kernel_positions * used, in_channels, out_channels);
    }
  }
  /// Weights stored for a part of an output channel: whole words.
  constexpr int inputs() const { return round_up(2 * loop.steps, 4); }
  constexpr int column_bytes() const { return 16 * loop.steps; }
  static constexpr int sum_bytes = 16;
  static constexpr int outside_bytes(int in_channels) { return round_up(in_channels, 8); }
  constexpr int scratch_bytes(int in_channels) const {
    return column_bytes() + block * sum_bytes + outside_bytes(in_channels);
  }

 private:
  constexpr void consider(int part_positions, int part_channels, int part_count, int in_channels,
                          int out_channels) {
    // A step of multiply_bytes is 18 instructions, an iteration four; those around a loop are 55.
    const Unrolled steps = plan_unroll((part_positions * part_channels + 1) / 2, 16, 18);
    const int room = scratch_limit - outside_bytes(in_channels) - 16 * steps.steps;
    if (room < sum_bytes) return;
    const int most = room / sum_bytes;
    const int blocks = (out_channels + most - 1) / most;
    const std::int64_t gathered = std::int64_t{22} * steps.steps + 80 * part_positions;
    const std::int64_t multiplied =
        std::int64_t{out_channels} * (18 * steps.steps + 4 * (steps.steps / steps.unroll) + 55);
    const std::int64_t whole = part_count * (blocks * gathered + multiplied);
    if (cost >= 0 && whole >= cost) return;
    cost = whole;
    positions = part_positions;
    channels = part_channels;
    parts = part_count;
    block = (out_channels + blocks - 1) / blocks;
    loop = steps;
  }
};

/// A dense layer takes eight output channels at a time; the ones left over, when they are few, one
/// by one.
struct DenseLayout {
  int blocks;   ///< of eight channels, the last one filled up
  int singles;  ///< channels after the blocks
  constexpr explicit DenseLayout(int channels)
      : blocks((channels + 4) / 8), singles(channels > blocks * 8 ? channels - blocks * 8 : 0) {}
};

/// Inputs that lie as words in scratch memory: those that come in fours, where half of it holds
/// them and several blocks read them.
constexpr int dense_input_words(int inputs, int channels) {
  const int fours = inputs / 4 * 4;
  return 8 * fours <= scratch_limit && DenseLayout(channels).blocks > 1 ? fours : 0;
}

/// Dense layers of packed weights take inputs in pairs, which are filled up to whole iterations.
constexpr int dense_pairs_step = 16;
constexpr int dense_pair_words(int inputs) {
  return round_up(inputs, dense_pairs_step) / 2;
}
/// Added to inputs where products must not be negative.
constexpr int input_offset = 128;

/// Blocks store weights + 128, so that LDRB needs no sign extension.
constexpr int weight_offset = 128;

/// Depthwise convolution: one channel at a time over a band of output rows. Output rows y and
/// y + distance share words, as pixels of a convolution do; their inputs are packed once into a
/// padded plane. With an odd number of rows the middle one is computed twice. Where the rows of a
/// single window's height exceed scratch memory, they are taken in strips.
struct DepthwiseLayout {
  int strip;        ///< output columns at a time
  int columns;      ///< of the plane
  int band;         ///< output rows at a time: as many as keep the plane near 2 KB, at least a pair
  int half;         ///< rows that are the lower one of a pair
  int distance;     ///< from the lower to the higher row of a pair
  int rows;         ///< of the plane
  bool by_columns;  ///< words of a column lie side by side, not those of a row
  bool nine_taps;   ///< a 3x3 window within reach of the offsets of LDR
  constexpr DepthwiseLayout(int out_height, int out_width, int kernel_height, int kernel_width,
                            int stride_height, int stride_width)
      : strip(widest_strip(out_width, kernel_width, stride_width,
                           scratch_limit / (4 * kernel_height))),
        columns((strip - 1) * stride_width + kernel_width),
        band(out_height),
        half(0),
        distance(0),
        rows(0),
        by_columns(columns > longest_line),
        nine_taps(kernel_height == 3 && kernel_width == 3 && stride_height <= 3 &&
                  stride_width <= 3) {
    while (band > 2 && too_large(plane_rows(kernel_height, stride_height)))
      --band;
    rows = plane_rows(kernel_height, stride_height);
    half = (band + 1) / 2;
    distance = band - half;
  }
  /// Words from the one at (0, 0) to the one at (row, column).
  constexpr int word(int row, int column) const {
    return by_columns ? column * rows + row : row * columns + column;
  }

 private:
  /// Two lines and two words, 4 bytes each, are less than the 128 that LDR reaches.
  static constexpr int longest_line = 14;
  constexpr bool too_large(int plane) const {
    return plane * columns * 4 > 2048 || (by_columns && plane > longest_line);
  }
  constexpr int plane_rows(int kernel_height, int stride_height) const {
    return ((band + 1) / 2 - 1) * stride_height + kernel_height;
  }
};

}  // namespace assay::kernels::m0

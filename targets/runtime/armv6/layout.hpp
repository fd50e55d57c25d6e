// How the kernels for Armv6 cores lay out weights and windows. Shared by the packer on the host and
// the kernels on the device.
//
// A step is four inputs. Windows and filters are filled up to whole steps; the weights of the
// filling are zero, so its inputs may be anything. Channels are taken in blocks, of two by
// convolutions and of four by dense layers: weights are packed [block][step][channel][4], a word
// for four weights; the last block is filled up with channels of zeros. Inputs are widened before
// they are multiplied: the words (x0, x2) and (x1, x3) of every step, halfwords, as SXTB16 makes
// them of weights. Depthwise weights are widened already, [block of four channels][kernel
// position][2]; a last block of fewer channels begins earlier and repeats some.
#pragma once

#include "targets/runtime/first_of_block.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels::armv6 {

inline constexpr int step_inputs = 4;
inline constexpr int conv_channels = 2;
inline constexpr int dense_channels = 4;
/// Output pixels whose windows are widened at a time.
inline constexpr int tile_pixels = 8;
/// Output pixels that share a single weight, and a block of four.
inline constexpr int single_pixels = 8;
inline constexpr int block_pixels = 4;
/// Words of the table of all pairs of 16 values.
inline constexpr int pair_table_words = 256;
/// Words of a step of two pixels' windows.
inline constexpr int pixel_pair_words = 4;

/// The inputs of one output: `rows` runs of `row` bytes that lie together in memory.
struct WindowLayout {
  int rows;
  int row;

  constexpr int steps() const { return round_up(rows * row, step_inputs) / step_inputs; }
  constexpr int window_bytes() const { return steps() * step_inputs; }
  /// Words of the widened windows of a tile of so many pixels, an even number.
  constexpr int tile_words(int pixels) const { return pixels / 2 * steps() * pixel_pair_words; }
};

/// The inputs of a band of output rows of a depthwise layer, padding and all: a word of four
/// channels for each.
struct DepthwiseBand {
  int out_rows;
  int rows;
  int columns;

  constexpr DepthwiseBand(int out_height, int out_width, int kernel_height, int kernel_width,
                          int stride_height, int stride_width)
      : out_rows(out_height < 8 ? out_height : 8),
        rows((out_rows - 1) * stride_height + kernel_height),
        columns((out_width - 1) * stride_width + kernel_width) {}
  constexpr int words() const { return rows * columns; }
};

}  // namespace assay::kernels::armv6

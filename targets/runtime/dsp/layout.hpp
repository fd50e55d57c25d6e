// How the DSP kernels (cores with SMLAD) lay out weights and activations. Shared by the packer on
// the host and the kernels on the device, so that both compute the same numbers from one shape.
//
// A window is the inputs that one output is made of. Its inputs are taken in groups of four; a
// group is two words of two int16 each, (a0, a2) and (a1, a3), because SXTB16 expands bytes 0 and 2
// of a word, or 1 and 3. A word of activations meets a word of weights in one SMLAD: a step.
//
// "Pair" weights: one halfword holds the weights of two output channels, h = 256 * w1 + w0. SMLAD
// of the raw word adds 256 * A1 + A0 to an accumulator, SMLAD of its SXTB16 adds A0 to another, so
// that a byte of flash is loaded and expanded once for two channels. Their difference is 256 * A1
// modulo 2^32: exact while |A1| < 2^23. Needs weights in [-127, 127].
#pragma once

#include "targets/runtime/column_strips.hpp"
#include "targets/runtime/first_of_block.hpp"
#include "targets/runtime/scratch.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels::dsp {

/// The window of a convolution. By rows, each kernel row (kernel_width * in_channels inputs that
/// lie together in memory) starts a new group and is expanded four bytes at a time; flat, for small
/// windows whose rows would be mostly filling, inputs follow each other without gaps.
struct ConvLayout {
  int kernel_height;
  int row;  ///< inputs in a kernel row
  bool flat;
  int row_stride;  ///< inputs from one kernel row to the next
  Unrolled loop;   ///< two steps a group

  constexpr ConvLayout(int height, int width, int channels)
      : kernel_height(height),
        row(width * channels),
        flat(row % 4 != 0 && height > 1 && height * row <= 64),
        row_stride(flat ? row : round_up(row, 4)),
        loop(plan_unroll(round_up(height * row_stride, 4) / 2, 16, 12)) {}

  constexpr int inputs() const { return 2 * loop.steps; }
};

/// Inputs of full-range weights that may be summed before |A1| reaches 2^23: 2^23 / (127 * 128).
constexpr int safe_inputs = 516;

/// Channel c of pair p of a convolution, or -1. With an odd number of channels the second pair
/// repeats channel 1, so that every pair but that of a single channel is whole.
constexpr int conv_channel(int pair, int c, int channels) {
  const int channel = 2 * pair + c - (channels % 2 != 0 && pair > 0 ? 1 : 0);
  return channel < channels ? channel : -1;
}

/// The window of a dense layer is its whole input. Channels go in blocks of eight, and the loop
/// over the steps of a block need not be whole: its first iteration begins in the middle.
struct DenseLayout {
  int steps;   ///< of four inputs
  int unroll;  ///< steps an iteration
  int blocks;  ///< of eight channels; seven left over make a block with the channel before them
  int rest;    ///< channels after them

  constexpr DenseLayout(int inputs, int channels)
      : steps(round_up(inputs, 4) / 4),
        unroll(steps < 8 ? steps : 8),
        blocks(channels < 8 ? 0 : (channels + 1) / 8),
        rest(channels % 8 == 7 && channels > 8 ? 0 : channels % 8) {}

  /// Step of the first iteration to begin with.
  constexpr int entry() const { return round_up(steps, unroll) - steps; }
  /// Steps of every part but the first, which has what is left.
  constexpr int part_steps() const { return safe_inputs / 4 / unroll * unroll; }
  /// The least number of parts that hold for any weights.
  constexpr int safe_parts() const { return (steps + part_steps() - 1) / part_steps(); }
  constexpr int first_part_steps() const { return steps - (safe_parts() - 1) * part_steps(); }
  /// Words from one block to the next.
  constexpr int block_words() const { return 8 + 8 * steps + 8 + 1; }
  /// First channel of a block: with seven left over, the second block repeats channel 7.
  constexpr int first_channel(int block, int channels) const {
    return 8 * block - (channels % 8 == 7 && block > 0 ? 1 : 0);
  }
};

/// Which input of a group (0..3) is in half `half` of its word `word`.
constexpr int input_in_group(int word, int half) {
  return word + 2 * half;
}

/// Depthwise convolution: four channels at a time over a band of output rows, whose inputs are
/// expanded once into a padded plane of two words a position, (c0, c2) and (c1, c3). Where the rows
/// of a single window's height exceed scratch memory, they are taken in strips.
struct DepthwiseLayout {
  int strip;    ///< output columns at a time
  int columns;  ///< of the plane
  int band;     ///< output rows at a time: as many as keep the plane near 2 KB
  int rows;     ///< of the plane
  constexpr DepthwiseLayout(int out_height, int out_width, int kernel_height, int kernel_width,
                            int stride_height, int stride_width)
      : strip(widest_strip(out_width, kernel_width, stride_width, most_columns(kernel_height))),
        columns((strip - 1) * stride_width + kernel_width),
        band(out_height),
        rows(0) {
    while (band > 1 && plane_rows(kernel_height, stride_height) * columns * 8 > 2048)
      --band;
    rows = plane_rows(kernel_height, stride_height);
  }
  constexpr int plane_rows(int kernel_height, int stride_height) const {
    return (band - 1) * stride_height + kernel_height;
  }
  /// A row of the plane is less than the 4096 bytes that an immediate of ADD reaches.
  static constexpr int most_columns(int kernel_height) {
    const int most = scratch_limit / (8 * kernel_height);
    return most < 511 ? most : 511;
  }
};

/// Depthwise 3x3 convolution with strides of 1 or 2: `depth` channels at a time over a plane of
/// words that hold one channel of two input rows, (upper, lower). A sweep over two rows of words
/// makes two output rows, or one with a vertical stride of 2. A convolution of a single channel is
/// the same with a depth of 1, and all output channels sweep over one plane.
struct RowPairLayout {
  int depth;           ///< of the plane
  int columns;         ///< of the plane
  int rows_per_sweep;  ///< output rows
  int sweeps;          ///< of the layer
  int band;            ///< sweeps at a time: as many as keep the plane near 2.5 KB
  int iterations;      ///< of the loop over the outputs of a row; 1: no loop
  int unroll;          ///< outputs an iteration, at most eight; the first one may enter later
  int out_width;

  constexpr RowPairLayout(int out_height, int width, int stride_height, int stride_width,
                          int out_channels, int plane_depth = 4)
      : depth(plane_depth),
        columns((width - 1) * stride_width + 3),
        rows_per_sweep(stride_height == 1 && out_height > 1 ? 2 : 1),
        sweeps((out_height + rows_per_sweep - 1) / rows_per_sweep),
        band(sweeps),
        iterations(1),
        unroll(width),
        out_width(width) {
    while (band > 1 && plane_words() > 640)
      --band;
    // Offsets from one output to the next are immediates of 12 bits.
    int most = 4095 / out_channels + 1;
    most = most > 8 ? 8 : most / 2 * 2;
    if (width <= most) return;
    iterations = (width + most - 1) / most;
    unroll = round_up((width + iterations - 1) / iterations, 2);
  }
  constexpr int row_words() const { return depth * columns; }
  constexpr int plane_words() const { return (band + 1) * row_words(); }
  /// Output of the first iteration to begin with.
  constexpr int entry() const { return iterations * unroll - out_width; }
};

/// Words of a filter of row_sweep.hpp.
inline constexpr int row_pair_filter = 5;

}  // namespace assay::kernels::dsp

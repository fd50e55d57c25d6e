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

/// The window of a dense layer is its whole input.
struct DenseLayout {
  Unrolled loop;  ///< a step is a group of four inputs, for eight channels
  constexpr explicit DenseLayout(int inputs) : loop(plan_unroll(round_up(inputs, 4) / 4, 6, 29)) {}
  constexpr int inputs() const { return 4 * loop.steps; }
};

/// Which input of a group (0..3) is in half `half` of its word `word`.
constexpr int input_in_group(int word, int half) {
  return word + 2 * half;
}

/// Depthwise convolution: four channels at a time over a band of output rows, whose inputs are
/// expanded once into a padded plane of two words a position, (c0, c2) and (c1, c3).
struct DepthwiseLayout {
  int columns;  ///< of the plane
  int band;     ///< output rows at a time: as many as keep the plane near 2 KB
  int rows;     ///< of the plane
  constexpr DepthwiseLayout(int out_height, int out_width, int kernel_height, int kernel_width,
                            int stride_height, int stride_width)
      : columns((out_width - 1) * stride_width + kernel_width), band(out_height), rows(0) {
    while (band > 1 && plane_rows(kernel_height, stride_height) * columns * 8 > 2048)
      --band;
    rows = plane_rows(kernel_height, stride_height);
  }
  constexpr int plane_rows(int kernel_height, int stride_height) const {
    return (band - 1) * stride_height + kernel_height;
  }
};

/// First channel of a block of four: the last block overlaps the one before it.
constexpr int depthwise_channel(int block, int channels) {
  return 4 * block + 4 <= channels ? 4 * block : channels - 4;
}

}  // namespace assay::kernels::dsp

// How the kernels over int16 tensors pack int8 weights and use scratch memory. Shared by the packer
// on the host and the kernels on the device. Freestanding.
//
// Weights take a byte and become two words of int16 pairs with SXTB16, which widens bytes 0 and 2,
// and the same rotated by 8, which widens 1 and 3:
// - convolution: for every two output channels and every two inputs in turn a word, whose bytes 0
//   and 2 are the first channel's weights of both inputs, 1 and 3 the second's;
// - dense: for every four output channels and every four inputs in turn a word for each channel,
//   whose bytes 0, 2, 1 and 3 are its weights;
// - on Armv6-M, for every four output channels and every input in turn, which are filled up to a
//   multiple of inputs_together, the bytes w + 128;
// - on AArch64 bytes as they are, each filter filled up with zeros to padded_inputs;
// - depthwise: for every four channels and every position of the window a word, whose bytes 0, 2, 1
//   and 3 are the channels'.
// Where channels are left over, the last block of them overlaps the one before.
// A row of a window that has an odd number of inputs, and what is left of four inputs, is filled up
// with weights of 0.
#pragma once

#include "targets/runtime/scratch.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels::int16 {

/// Inputs whose products 32 bits hold for any weights: 512 * 127 * 32768 < 2^31.
inline constexpr int part_inputs = 512;

/// Byte of a word for each of four weights, in the order SXTB16 widens them.
inline constexpr int byte_of[4] = {0, 2, 1, 3};

/// A convolution's windows, four pixels at a time, as columns of input pairs in scratch memory.
struct ConvLayout {
  int kernel_height;
  int row;  ///< inputs of a row of the window

  constexpr int row_pairs() const { return (row + 1) / 2; }
  /// Steps of two inputs; the multiplication of a step takes thirteen instructions.
  constexpr Unrolled loop() const { return plan_unroll(kernel_height * row_pairs(), 8, 13); }
  constexpr int scratch_bytes() const { return loop().steps * 16; }
};

/// One channel of a depthwise convolution's input under a band of output rows, in scratch memory:
/// positions of a row side by side, padding included, so that a word holds two of them.
struct PlaneLayout {
  int out_height, out_width;
  int kernel_height, kernel_width;
  int stride_height, stride_width;

  /// Elements of a row, an even number.
  constexpr int columns() const {
    return round_up((out_width - 1) * stride_width + kernel_width, 2);
  }
  /// Rows under some rows of outputs.
  constexpr int rows(int outputs) const { return (outputs - 1) * stride_height + kernel_height; }
  /// Rows of outputs at a time: all of them in as few bands of one height as scratch memory allows;
  /// 0 where it has no room for the rows under one.
  constexpr int band() const {
    const int most_rows = scratch_limit / (2 * columns());
    if (most_rows < kernel_height) return 0;
    const int most = (most_rows - kernel_height) / stride_height + 1;
    const int bands = (out_height + most - 1) / most;
    return (out_height + bands - 1) / bands;
  }
  constexpr int scratch_bytes() const { return 2 * columns() * rows(band()); }
};

/// Inputs of an iteration on Armv6-M: four bytes each are what offsets of byte loads reach.
inline constexpr int inputs_together = 8;

/// Inputs that the vectors of AArch64 take of a window.
constexpr int padded_inputs(int inputs) {
  return round_up(inputs, 16);
}

/// Steps of four inputs of a dense layer.
constexpr int dense_steps(int inputs) {
  return (inputs + 3) / 4;
}

/// The first channel of a block of `size`; the last block overlaps the one before.
constexpr int first_of_block(int block, int size, int channels) {
  return size * block + size > channels && channels > size ? channels - size : size * block;
}

}  // namespace assay::kernels::int16

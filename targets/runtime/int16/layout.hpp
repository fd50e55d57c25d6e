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

#include "targets/runtime/first_of_block.hpp"
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

}  // namespace assay::kernels::int16

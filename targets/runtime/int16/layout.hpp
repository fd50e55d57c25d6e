// How the kernels over int16 tensors pack int8 weights and divide scratch memory. Shared by the
// packer on the host and the kernels on the device. Freestanding.
//
// Weights take a byte and become two words of int16 pairs with SXTB16, which widens bytes 0 and 2,
// and the same rotated by 8, which widens 1 and 3:
// - convolution: for every two output channels and every two inputs in turn a word, whose bytes 0
//   and 2 are the first channel's weights of both inputs, 1 and 3 the second's;
// - dense: for every four output channels, the last of them together with those before, and every
//   four inputs in turn a word for each channel, whose bytes 0, 2, 1 and 3 are its weights;
// - depthwise: for every four channels, the last four overlapping those before, and every position
//   of the window a word, whose bytes 0, 2, 1 and 3 are the channels'.
// A row of a window that has an odd number of inputs, and what is left of four inputs, is filled up
// with weights of 0.
#pragma once

#include <cstddef>

#include "targets/runtime/scratch.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels::int16 {

/// Inputs whose products 32 bits hold for any weights: 512 * 127 * 32768 < 2^31.
inline constexpr int part_inputs = 512;

/// Byte of a word for each of four weights, in the order SXTB16 widens them.
inline constexpr int byte_of[4] = {0, 2, 1, 3};

/// A convolution's scratch memory: the inputs of some groups of four pixels as columns, then the
/// widened weights of two channels.
struct ConvLayout {
  int kernel_height;
  int row;     ///< inputs of a row of the window
  int pixels;  ///< of the output

  constexpr int row_pairs() const { return (row + 1) / 2; }
  /// Steps of two inputs; the multiplication of a step takes eleven instructions.
  constexpr Unrolled loop() const { return plan_unroll(kernel_height * row_pairs(), 8, 11); }
  constexpr int weight_bytes() const { return loop().steps * 8; }
  constexpr int group_bytes() const { return loop().steps * 16; }
  /// As many as keep to the usual scratch, one at least: every group shares the widening.
  constexpr int groups() const {
    const int all = (pixels + 3) / 4;
    const int most = (scratch_limit - weight_bytes()) / group_bytes();
    return most < 1 ? 1 : most < all ? most : all;
  }
  constexpr int scratch_bytes() const { return groups() * group_bytes() + weight_bytes(); }
};

/// Steps of four inputs of a dense layer.
constexpr int dense_steps(int inputs) {
  return (inputs + 3) / 4;
}

/// The first channel of a block of four; the last block overlaps the one before.
constexpr int first_of_block(int block, int channels) {
  return 4 * block + 4 > channels ? channels - 4 : 4 * block;
}

}  // namespace assay::kernels::int16

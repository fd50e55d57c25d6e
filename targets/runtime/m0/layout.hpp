// How the kernels for cores without DSP instructions (Armv6-M: Cortex-M0) lay out weights and
// activations. Shared by the packer on the host and the kernels on the device.
//
// Convolution: two output pixels share a word, a + a' * 2^16, so that one MULS does two
// multiply-accumulates. The products of two inputs are added before they are split up: with weights
// in [-127, 127] their sums stay below 2^15, so that each half of the word holds one.
#pragma once

#include "targets/runtime/unroll.hpp"

namespace assay::kernels::m0 {

/// Inputs of a convolution's window, in memory order, filled up to whole iterations.
struct ConvLayout {
  int kernel_height;
  int row;        ///< inputs in a kernel row
  Unrolled loop;  ///< a step is two inputs at four pixels
  constexpr ConvLayout(int height, int width, int channels)
      : kernel_height(height),
        row(width * channels),
        loop(plan_unroll((height * row + 1) / 2, 10, 18)) {}
  constexpr int inputs() const { return 2 * loop.steps; }
};

/// A dense layer takes eight output channels at a time; the ones left over, when they are few, one
/// by one.
struct DenseLayout {
  int blocks;   ///< of eight channels, the last one filled up
  int singles;  ///< channels after the blocks
  constexpr explicit DenseLayout(int channels)
      : blocks((channels + 4) / 8), singles(channels > blocks * 8 ? channels - blocks * 8 : 0) {}
};

/// Blocks store weights + 128, so that LDRB needs no sign extension.
constexpr int weight_offset = 128;

}  // namespace assay::kernels::m0

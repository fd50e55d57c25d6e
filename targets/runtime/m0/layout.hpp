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

/// Depthwise convolution: one channel at a time over a band of output rows. Output rows y and
/// y + distance share words, as pixels of a convolution do; their inputs are packed once into a
/// padded plane. With an odd number of rows the middle one is computed twice.
struct DepthwiseLayout {
  int columns;   ///< of the plane
  int band;      ///< output rows at a time: as many as keep the plane near 1 KB
  int half;      ///< rows that are the lower one of a pair
  int distance;  ///< from the lower to the higher row of a pair
  int rows;      ///< of the plane
  constexpr DepthwiseLayout(int out_height, int out_width, int kernel_height, int kernel_width,
                            int stride_height, int stride_width)
      : columns((out_width - 1) * stride_width + kernel_width),
        band(out_height),
        half(0),
        distance(0),
        rows(0) {
    while (band > 1 && plane_rows(kernel_height, stride_height) * columns * 4 > 1024)
      --band;
    rows = plane_rows(kernel_height, stride_height);
    half = (band + 1) / 2;
    distance = band - half;
  }
  constexpr int plane_rows(int kernel_height, int stride_height) const {
    return ((band + 1) / 2 - 1) * stride_height + kernel_height;
  }
};

}  // namespace assay::kernels::m0

// Sizes of conv3x3_winograd.dsp, shared by the packer on the host and the kernel on the device.
//
// F(2x2, 3x3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015): a tile
// of 2x2 outputs is Y = A'[(G g G') * (B' d B)]A of its 4x4 inputs d and the filter g, so that
// 16 products a channel stand for 36. G holds halves; with 2G in its place all numbers are whole,
// and 4Y comes out:
//
//        2  0  0          1  0 -1  0
//   2G = 1  1  1     B' = 0  1  1  0     A' = 1  1  1  0
//        1 -1  1          0 -1  1  0          0  1 -1 -1
//        0  0  2          0  1  0 -1
//
// Ranges. Activations: two sums of two int8, |B'dB| <= 4 * 128 = 512. Weights in [-127, 127]: rows
// of 2G add at most three of them, |2G g (2G)'| <= 9 * 127 = 1143. Both fit int16. Products, their
// sums over channels and A'[]A are computed modulo 2^32, and 4Y is exact while it lies in 32 bits:
// for K = 9 C weights an output |4Y| <= 4 * 128 * 127 * 9 C < 2^31, C <= 3669. 4Y >> 2 is then the
// very accumulator of ARITHMETIC.md, whose b', P, m and R follow unchanged.
#pragma once

#include "targets/runtime/dsp/patch_layout.hpp"

namespace assay::kernels::dsp {

struct WinogradLayout {
  static constexpr int positions = 16;  ///< of a transformed tile
  static constexpr int tiles = 4;       ///< side by side: eight outputs of two rows

  PatchLayout patch;
  int pairs;  ///< of output channels
  int block;  ///< pairs whose weights are transformed at a time
  constexpr explicit WinogradLayout(const ConvShape& shape)
      : patch(shape, 2 * tiles, 2, 1024), pairs(shape.out_channels / 2), block(pairs) {
    while (block > 1 && block * pair_words() > 2048)
      --block;
  }

  /// Words of one channel pair's transformed weights, of all transformed activations of four tiles,
  /// and of the sums of a channel pair for them.
  constexpr int pair_words() const { return positions * patch.words * 2; }
  constexpr int activation_words() const { return positions * patch.words * tiles; }
  static constexpr int sum_words = positions * tiles * 2;

  constexpr int bytes() const {
    return 4 * (block * pair_words() + activation_words() + sum_words + patch.size()) +
           patch.shape.channels;
  }
  /// Offsets from one position to the next are immediates of 12 bits.
  constexpr bool possible() const {
    const ConvShape& s = patch.shape;
    return s.kernel_height == 3 && s.kernel_width == 3 && s.stride_height == 1 &&
           s.stride_width == 1 && s.channels % 4 == 0 && s.channels <= 32 &&
           s.out_channels % 2 == 0 && s.out_height >= 2 && s.out_width >= 2 * tiles &&
           patch.stride() < 250;
  }
};

}  // namespace assay::kernels::dsp

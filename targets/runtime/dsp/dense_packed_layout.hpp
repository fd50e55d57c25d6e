// How dense_packed.hpp and conv_packed.hpp lay out weights. Shared by the packer on the host and
// the kernel on the device. Inputs are taken in the words of layout.hpp: two words for a group of
// four.
//
// Digits, for int4 and ternary weights: a halfword is a number whose digits are the weights of
// 16 / bits channels for one input, the first channel's the lowest. The highest digit is signed,
// the others have 2^(bits - 1) added. SMLAD of a word and of its lowest digits gives sums of which
// each is 2^bits times the next channel's above the one before:
//   4096 * A3 + 256 * U2 + 16 * U1 + U0,   256 * U2 + 16 * U1 + U0,   16 * U1 + U0,   U0
// with U = A + 2^(bits - 1) * (sum of all inputs). So one word of flash is loaded once, and a mask
// is all that a channel costs beside its SMLAD. The differences are exact modulo 2^32 while the
// highest, 2^(16 - bits) * A, stays in 32 bits; see digit_groups.
//   words: [block of 8 channels][word of 2 inputs][digit_words]
//
// Codebooks: indices by groups of four inputs of two channels, as in tile_layout.hpp.
//   bytes: [block of 4 channels][group of 4 inputs][pair of channels]
#pragma once

#include "targets/runtime/scratch.hpp"

namespace assay::kernels::dsp {

/// Channels whose sums are computed at a time.
inline constexpr int digit_channels = 8;
inline constexpr int codebook_channels = 4;

/// Words that hold the digits of `channels` channels for two inputs.
constexpr int digit_words(int bits, int channels) {
  return (channels * bits + 15) / 16;
}

/// What is added to all digits but the highest.
constexpr int digit_offset(int bits) {
  return 1 << (bits - 1);
}

/// Groups of inputs that may be summed at a time: with 512 inputs of at most 128, |A| of int4
/// weights is at most 7 * 128 * 512 < 2^19 and 4096 * A fits, |A| of ternary weights at most 2^16
/// and 16384 * A fits, and U of ternary weights, at most 3 * 2^16, fits times 4096.
inline constexpr int digit_groups = 128;

/// How the inputs of a window lie expanded in scratch memory: all of them, once for all channels,
/// or, where that would take too much, a part of up to digit_groups at a time. Of the pieces that a
/// window is taken in (pixel_window.hpp) each is filled up to groups of four and in parts of its
/// own.
struct ExpandedInputs {
  int groups;  ///< of all pieces
  int parts;
  bool at_once;

  /// `other_bytes` of scratch are taken.
  constexpr ExpandedInputs(int pieces, int length, int other_bytes)
      : groups(pieces * groups_of(length)),
        parts((groups + digit_groups - 1) / digit_groups),
        at_once(8 * groups + other_bytes <= scratch_limit) {
    if (!at_once) parts = pieces * ((groups_of(length) + digit_groups - 1) / digit_groups);
  }
  static constexpr int groups_of(int length) { return (length + 3) / 4; }
  constexpr int bytes() const { return 8 * (at_once ? groups : digit_groups); }
};

}  // namespace assay::kernels::dsp

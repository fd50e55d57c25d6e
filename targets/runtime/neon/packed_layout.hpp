// How the NEON kernels' weights lie in fewer bits than a byte. Shared by the packer on the host and
// the kernels on the device.
//
// Weights come in the order of layout.hpp, [block of four channels][step][channel][16], with a step
// of zeros where a block has an odd number of them: units of eight vectors of sixteen fields. A
// field is a weight in two's complement, or the number of a value in a codebook. The bits of a
// field are split into planes of four, two and one, lowest first (5 = 4 + 1, 6 = 4 + 2, 7 = 4 + 2 +
// 1), because these divide a byte. A unit is its planes, one behind the other; byte i of a plane's
// vectors holds field i of the first 8 / width vectors, the first lowest, then of the next ones.
// A codebook need not have a zero: what fills up a filter may be any value, and the inputs it meets
// are zero.
#pragma once

#include "targets/runtime/neon/layout.hpp"

namespace assay::kernels::neon {

inline constexpr int unit_vectors = 8;
inline constexpr int unit_weights = unit_vectors * step_inputs;

constexpr int units_of(int steps) {
  return round_up(steps * block_channels, unit_vectors) / unit_vectors;
}

/// Units of a depthwise layer's filters, which have no blocks: [kernel position][channel].
constexpr int depthwise_units(int weights) {
  return round_up(weights, unit_weights) / unit_weights;
}

/// Bytes of a unit of fields of so many bits.
constexpr int unit_bytes(int bits) {
  return step_inputs * bits;
}

/// Width of the plane that begins at bit `from` of fields of `bits` bits.
constexpr int plane_width(int bits, int from) {
  return bits - from >= 4 ? 4 : bits - from >= 2 ? 2 : 1;
}

/// Bits that choose one of so many values: four at least, whose table is a single register.
constexpr int codebook_bits(int values) {
  int bits = 4;
  while (1 << bits < values)
    ++bits;
  return bits;
}

/// Outputs that share a decoded block of filters, or a tile of inputs.
inline constexpr int shared_pixels = 16;

constexpr int shared_pixels_of(int pixels) {
  return pixels < shared_pixels ? pixels : shared_pixels;
}

}  // namespace assay::kernels::neon

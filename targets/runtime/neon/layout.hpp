// How the NEON kernels lay out weights and windows. Shared by the packer on the host and the
// kernels on the device, so that both compute the same numbers from one shape.
//
// A step is sixteen inputs, one vector register of bytes. Windows and filters are filled up to
// whole steps; the weights of the filling are zero, so its inputs may be anything. Channels are
// taken in blocks of four, whose sums end in one register; weights are packed [block of
// channels][step][channel][16], bias and multiplier filled up to whole blocks with zeros. Depthwise
// weights are [kernel position][channel], channels filled up to whole vectors of eight.
#pragma once

#include "targets/runtime/unroll.hpp"

namespace assay::kernels::neon {

inline constexpr int step_inputs = 16;
inline constexpr int block_channels = 4;
inline constexpr int depthwise_channels = 8;
/// Output pixels that a convolution computes at a time.
inline constexpr int tile_pixels = 4;

/// The inputs of one output: `rows` runs of `row` bytes that lie together in memory.
struct WindowLayout {
  int rows;
  int row;

  constexpr int steps() const { return round_up(rows * row, step_inputs) / step_inputs; }
  /// A single run of whole steps is read where it is; others are gathered in a column.
  constexpr bool gathered() const { return rows > 1 || row % step_inputs != 0; }
  constexpr int column_bytes() const { return gathered() ? steps() * step_inputs : 0; }
};

}  // namespace assay::kernels::neon

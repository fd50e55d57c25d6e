// How depthwise_plane.hpp uses scratch memory. Shared by the packer on the host and the kernels on
// the device. Freestanding.
#pragma once

#include "targets/runtime/scratch.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels {

/// One channel of a depthwise convolution's input under a band of output rows, in scratch memory:
/// positions of a row side by side, padding included, so that a word holds two of them.
struct ChannelPlane {
  int out_height, out_width;
  int kernel_height, kernel_width;
  int stride_height, stride_width;

  /// Halfwords of a row, an even number.
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

}  // namespace assay::kernels

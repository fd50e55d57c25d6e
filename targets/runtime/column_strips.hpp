// Depthwise convolutions of planes too wide for scratch memory, in strips of output columns.
// Portable; shared by the packer on the host and the kernels on the device.
#pragma once

namespace assay::kernels {

/// Output columns of the strips, all of one width, whose inputs take at most `most` columns of a
/// plane; 1 where even those of one output are more.
constexpr int widest_strip(int out_width, int kernel_width, int stride, int most) {
  const int widest = most > kernel_width ? (most - kernel_width) / stride + 1 : 1;
  const int strips = (out_width + widest - 1) / widest;
  return (out_width + strips - 1) / strips;
}

/// The first output of the strip that begins at `x`, or of the last one, which is whole too and may
/// overlap the one before.
constexpr int strip_begin(int x, int out_width, int strip) {
  return x > out_width - strip ? out_width - strip : x;
}

/// What of an input row lies in the plane of a strip: `inputs` of them from column `first` of the
/// input on, at column `left` of the plane.
struct StripInputs {
  int first;
  int left;
  int inputs;

  constexpr StripInputs(int corner, int in_width, int columns)
      : first(corner > 0 ? corner : 0), left(first - corner), inputs(0) {
    if (left > columns) left = columns;
    const int end = corner + columns < in_width ? corner + columns : in_width;
    if (end > first) inputs = end - first;
  }
};

}  // namespace assay::kernels

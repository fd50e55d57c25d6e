// The input rows under one row of a depthwise convolution's outputs: as they lie in the input, or,
// where windows reach over its edges, copied with the padding around them, so that no window has to
// be looked at by itself. Portable; its size is shared with the packer on the host.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels {

/// Elements of scratch memory that PaddedRows takes.
constexpr std::int64_t padded_rows_elements(int out_width, int kernel_height, int kernel_width,
                                            int stride_width, int channels, bool pads) {
  const int columns = (out_width - 1) * stride_width + kernel_width;
  return pads ? std::int64_t{kernel_height} * columns * channels : 0;
}

template <class L, class Element>
class PaddedRows {
 public:
  static constexpr bool pads =
      reaches_outside(L::in_width, L::out_width, L::kernel_width, L::stride_width, L::pad_left) ||
      reaches_outside(L::in_height, L::out_height, L::kernel_height, L::stride_height, L::pad_top);
  static constexpr int columns = (L::out_width - 1) * L::stride_width + L::kernel_width;
  /// Elements from one row to the next.
  static constexpr int pitch = (pads ? columns : L::in_width) * L::in_channels;
  static constexpr int scratch_elements = static_cast<int>(padded_rows_elements(
      L::out_width, L::kernel_height, L::kernel_width, L::stride_width, L::in_channels, pads));

  /// `scratch` has room for scratch_elements; the padding holds `zero`.
  PaddedRows(const Element* in, Element zero, void* scratch)
      : in_(in), zero_(zero), copy_(static_cast<Element*>(scratch)) {
    for (int i = 0; i < scratch_elements; ++i)
      copy_[i] = zero;
  }

  /// The first element under row `out_y` of the outputs; valid until the next call.
  ASSAY_INLINE const Element* under(int out_y) {
    const int top = out_y * L::stride_height - L::pad_top;
    if constexpr (!pads) return in_ + top * pitch;
    for (int i = 0; i < L::kernel_height; ++i)
      copy_row(top + i, copy_ + i * pitch);
    return copy_;
  }

 private:
  static constexpr int left = L::pad_left < columns ? L::pad_left : columns;
  static constexpr int inside = L::in_width < columns - left ? L::in_width : columns - left;

  ASSAY_INLINE void copy_row(int y, Element* to) {
    constexpr int count = inside * L::in_channels;
    to += left * L::in_channels;
    if (y >= 0 && y < L::in_height) {
      __builtin_memcpy(to, in_ + y * L::in_width * L::in_channels, count * sizeof(Element));
      return;
    }
    for (int i = 0; i < count; ++i)
      to[i] = zero_;
  }

  const Element* in_;
  Element zero_;
  Element* copy_;
};

}  // namespace assay::kernels

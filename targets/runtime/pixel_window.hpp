// Windows as pieces that lie together in memory, for kernels that make one output pixel after the
// other: the pixels of a convolution's window, the whole input of a dense layer. Portable.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/layer.hpp"
#include "targets/runtime/outside_pixel.hpp"

namespace assay::kernels {

/// The window of one output pixel after the other; scratch is an outside pixel.
template <class L>
class PixelWindow {
 public:
  static constexpr int pieces = L::kernel_height * L::kernel_width;
  static constexpr int length = L::in_channels;
  static constexpr bool pads =
      reaches_outside(L::in_width, L::out_width, L::kernel_width, L::stride_width, L::pad_left) ||
      reaches_outside(L::in_height, L::out_height, L::kernel_height, L::stride_height, L::pad_top);

  using Scratch = OutsidePixel<length, pads>;
  static constexpr int scratch_bytes = outside_pixel_bytes(length, pads);

  PixelWindow(const std::int8_t* in, void* scratch)
      : in_(in), outside_(static_cast<Scratch*>(scratch)->fill_outside(L::input_zero)) {}
  /// To the window of output (y, x).
  ASSAY_INLINE void move_to(int y, int x) {
    top_ = y * L::stride_height - L::pad_top;
    left_ = x * L::stride_width - L::pad_left;
  }
  ASSAY_INLINE const std::int8_t* piece(int index) const {
    const int y = top_ + index / L::kernel_width, x = left_ + index % L::kernel_width;
    if (pads && (y < 0 || y >= L::in_height || x < 0 || x >= L::in_width)) return outside_;
    return in_ + (y * L::in_width + x) * length;
  }

 private:
  const std::int8_t* in_;
  const std::int8_t* outside_;
  int top_ = 0;
  int left_ = 0;
};

template <class L>
struct WholeInput {
  static constexpr int pieces = 1;
  static constexpr int length = L::in_height * L::in_width * L::in_channels;
  static constexpr int scratch_bytes = 0;
  const std::int8_t* in;
  ASSAY_INLINE const std::int8_t* piece(int) const { return in; }
};

}  // namespace assay::kernels

// Pools for Armv6-M. The limits of a window are found once for all its channels, and
// a window that cannot leave the input is unrolled. Outputs are written in ascending order, each
// after its inputs were read, so that a pool without leading padding may run in place, as the
// reference pools do.
#pragma once

#include "targets/runtime/inline.hpp"
#include "targets/runtime/layer.hpp"
#include "targets/runtime/m0/requantize.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels {

namespace m0 {

/// The part of a window inside the input: its first byte, rows and columns.
struct PoolWindow {
  const std::int8_t* first;
  int rows;
  int columns;
};

/// Along one dimension: the positions [first, last) inside the input.
struct Span {
  int first;
  int last;
  constexpr int length() const { return last - first; }
};

template <int in, int out, int kernel, int stride, int pad>
ASSAY_INLINE Span inside(int position) {
  const int first = position * stride - pad;
  if constexpr (!reaches_outside(in, out, kernel, stride, pad)) return {first, first + kernel};
  return {first < 0 ? 0 : first, first + kernel > in ? in : first + kernel};
}

/// Calls `channels(window)` for every output pixel.
template <class L, class Channels>
ASSAY_INLINE void for_each_window(const std::int8_t* in, Channels channels) {
  for (int y = 0; y < L::out_height; ++y) {
    const Span rows =
        inside<L::in_height, L::out_height, L::kernel_height, L::stride_height, L::pad_top>(y);
    for (int x = 0; x < L::out_width; ++x) {
      const Span columns =
          inside<L::in_width, L::out_width, L::kernel_width, L::stride_width, L::pad_left>(x);
      channels(PoolWindow{in + (rows.first * L::in_width + columns.first) * L::in_channels,
                          rows.length(), columns.length()});
    }
  }
}

/// Calls `visit(value)` for every input of a window in the channel that `at` points to.
template <class L, class Visit>
ASSAY_INLINE void for_each_input(const PoolWindow& window, const std::int8_t* at, Visit visit) {
#pragma GCC unroll 3
  for (int r = 0; r < window.rows; ++r, at += (L::in_width - window.columns) * L::in_channels)
#pragma GCC unroll 3
    for (int c = 0; c < window.columns; ++c, at += L::in_channels)
      visit(*at);
}

}  // namespace m0

template <class L>
void max_pool_m0(const std::int8_t* in, std::int8_t* out, void*) {
  m0::for_each_window<L>(in, [&out](const m0::PoolWindow& window) {
    const std::int8_t* const end = window.first + L::in_channels;
    for (const std::int8_t* at = window.first; at != end; ++at) {
      std::int32_t largest = -128;
      m0::for_each_input<L>(window, at, [&](std::int32_t value) {
        if (value > largest) largest = value;
      });
      *out++ = static_cast<std::int8_t>(largest);
    }
  });
}

template <class L>
void average_pool_m0(const std::int8_t* in, std::int8_t* out, void*) {
  constexpr int positions = L::kernel_height * L::kernel_width;
  m0::for_each_window<L>(in, [&out](const m0::PoolWindow& window) {
    const std::int32_t padding = L::input_zero * (positions - window.rows * window.columns);
    const std::int8_t* const end = window.first + L::in_channels;
    for (const std::int8_t* at = window.first; at != end; ++at) {
      std::int32_t sum = padding;
      m0::for_each_input<L>(window, at, [&](std::int32_t value) { sum += value; });
      *out++ = m0::clamp<L>((L::multiplier[0] * sum + L::bias[0]) >> L::output_shift);
    }
  });
}

}  // namespace assay::kernels

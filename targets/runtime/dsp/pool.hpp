// Pools for cores with byte SIMD: four channels at a time, the channels left over one by one.
// Outputs are written in ascending order, each after its inputs were read, so that a pool without
// leading padding may run in place, as the reference pools do.
#pragma once

#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels {

namespace dsp {

/// The part of a window that lies inside the input: positions [first, last) of a dimension.
struct Range {
  int first;
  int last;
  constexpr int length() const { return last - first; }
};

/// Along one dimension; a constant length when no window reaches over an edge.
template <int in, int out, int kernel, int stride, int pad>
ASSAY_INLINE Range window_range(int position) {
  const int first = position * stride - pad;
  if constexpr (!reaches_outside(in, out, kernel, stride, pad)) return {first, first + kernel};
  return {first < 0 ? 0 : first, first + kernel > in ? in : first + kernel};
}

/// Calls `window(rows, columns)` for every output pixel.
template <class L, class Window>
ASSAY_INLINE void for_each_window(Window window) {
  for (int y = 0; y < L::out_height; ++y) {
    const Range rows =
        window_range<L::in_height, L::out_height, L::kernel_height, L::stride_height, L::pad_top>(
            y);
    for (int x = 0; x < L::out_width; ++x)
      window(rows,
             window_range<L::in_width, L::out_width, L::kernel_width, L::stride_width, L::pad_left>(
                 x));
  }
}

/// Calls `visit(pointer)` for every position of a window, at the channel `in` points to.
template <class L, class Visit>
ASSAY_INLINE void for_each_position(const std::int8_t* in, Range rows, Range columns, Visit visit) {
  const std::int8_t* row = in + (rows.first * L::in_width + columns.first) * L::in_channels;
  for (int y = 0; y < rows.length(); ++y, row += L::in_width * L::in_channels)
    for (int x = 0; x < columns.length(); ++x)
      visit(row + x * L::in_channels);
}

}  // namespace dsp

template <class L>
void max_pool_dsp(const std::int8_t* in, std::int8_t* out, void*) {
  dsp::for_each_window<L>([&](dsp::Range rows, dsp::Range columns) ASSAY_INLINE_LAMBDA {
    int c = 0;
    for (; c + 4 <= L::in_channels; c += 4, out += 4) {
      std::uint32_t largest = 0x80808080u;
      dsp::for_each_position<L>(in + c, rows, columns,
                                [&](const std::int8_t* at) ASSAY_INLINE_LAMBDA {
                                  largest = dsp::largest_bytes(largest, dsp::load_word(at));
                                });
      __builtin_memcpy(out, &largest, sizeof largest);
    }
    for (; c < L::in_channels; ++c) {
      std::int8_t largest = -128;
      dsp::for_each_position<L>(in + c, rows, columns,
                                [&](const std::int8_t* at) ASSAY_INLINE_LAMBDA {
                                  largest = *at > largest ? *at : largest;
                                });
      *out++ = largest;
    }
  });
}

/// Windows of at most 255 positions, so that their sums fit 16 bits.
template <class L>
void average_pool_dsp(const std::int8_t* in, std::int8_t* out, void*) {
  constexpr int positions = L::kernel_height * L::kernel_width;
  static_assert(positions <= 255);
  const auto put = [&out](std::int32_t sum) ASSAY_INLINE_LAMBDA {
    std::int32_t y = dsp::shift_and_saturate<L::output_shift>(L::multiplier[0] * sum + L::bias[0]);
    if constexpr (L::clamp_min > -128) y = y < L::clamp_min ? L::clamp_min : y;
    if constexpr (L::clamp_max < 127) y = y > L::clamp_max ? L::clamp_max : y;
    *out++ = static_cast<std::int8_t>(y);
  };
  dsp::for_each_window<L>([&](dsp::Range rows, dsp::Range columns) ASSAY_INLINE_LAMBDA {
    const std::int32_t padding = L::input_zero * (positions - rows.length() * columns.length());
    int c = 0;
    for (; c + 4 <= L::in_channels; c += 4) {
      std::uint32_t even = 0, odd = 0;
      dsp::for_each_position<L>(in + c, rows, columns,
                                [&](const std::int8_t* at) ASSAY_INLINE_LAMBDA {
                                  const std::uint32_t word = dsp::load_word(at);
                                  even = dsp::sxtab16(even, word);
                                  odd = dsp::sxtab16_odd(odd, word);
                                });
      put(static_cast<std::int16_t>(even) + padding);
      put(static_cast<std::int16_t>(odd) + padding);
      put((static_cast<std::int32_t>(even) >> 16) + padding);
      put((static_cast<std::int32_t>(odd) >> 16) + padding);
    }
    for (; c < L::in_channels; ++c) {
      std::int32_t sum = padding;
      dsp::for_each_position<L>(in + c, rows, columns,
                                [&](const std::int8_t* at) ASSAY_INLINE_LAMBDA { sum += *at; });
      put(sum);
    }
  });
}

}  // namespace assay::kernels

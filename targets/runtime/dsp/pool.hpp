// Pools for cores with byte SIMD: four channels at a time, the channels left over one by one.
// Outputs are written in ascending order, each after its inputs were read, so that a pool without
// leading padding may run in place, as the reference pools do.
#pragma once

#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/pool_windows.hpp"

namespace assay::kernels {

template <class L>
void max_pool_dsp(const std::int8_t* in, std::int8_t* out, void*) {
  for_each_window<L>([&](Range rows, Range columns) ASSAY_INLINE_LAMBDA {
    int c = 0;
    for (; c + 4 <= L::in_channels; c += 4, out += 4) {
      std::uint32_t largest = 0x80808080u;
      for_each_position<L>(in + c, rows, columns, [&](const std::int8_t* at) ASSAY_INLINE_LAMBDA {
        largest = dsp::largest_bytes(largest, dsp::load_word(at));
      });
      __builtin_memcpy(out, &largest, sizeof largest);
    }
    for (; c < L::in_channels; ++c) {
      std::int8_t largest = -128;
      for_each_position<L>(in + c, rows, columns, [&](const std::int8_t* at) ASSAY_INLINE_LAMBDA {
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
  for_each_window<L>([&](Range rows, Range columns) ASSAY_INLINE_LAMBDA {
    const std::int32_t padding = L::input_zero * (positions - rows.length() * columns.length());
    int c = 0;
    for (; c + 4 <= L::in_channels; c += 4) {
      std::uint32_t even = 0, odd = 0;
      for_each_position<L>(in + c, rows, columns, [&](const std::int8_t* at) ASSAY_INLINE_LAMBDA {
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
      for_each_position<L>(in + c, rows, columns,
                           [&](const std::int8_t* at) ASSAY_INLINE_LAMBDA { sum += *at; });
      put(sum);
    }
  });
}

}  // namespace assay::kernels

// Pools for Armv6-M. The limits of a window are found once for all its channels, and
// a window that cannot leave the input is unrolled. Outputs are written in ascending order, each
// after its inputs were read, so that a pool without leading padding may run in place, as the
// reference pools do.
#pragma once

#include "targets/runtime/m0/requantize.hpp"
#include "targets/runtime/pool_windows.hpp"

namespace assay::kernels {

template <class L>
void max_pool_m0(const std::int8_t* in, std::int8_t* out, void*) {
  for_each_pool_window<L>(in, [&out](const PoolWindow<std::int8_t>& window) {
    const std::int8_t* const end = window.first + L::in_channels;
    for (const std::int8_t* at = window.first; at != end; ++at) {
      std::int32_t largest = -128;
      for_each_input<L>(window, at, [&](std::int32_t value) {
        if (value > largest) largest = value;
      });
      *out++ = static_cast<std::int8_t>(largest);
    }
  });
}

template <class L>
void average_pool_m0(const std::int8_t* in, std::int8_t* out, void*) {
  constexpr int positions = L::kernel_height * L::kernel_width;
  for_each_pool_window<L>(in, [&out](const PoolWindow<std::int8_t>& window) {
    const std::int32_t padding = L::input_zero * (positions - window.rows * window.columns);
    const std::int8_t* const end = window.first + L::in_channels;
    for (const std::int8_t* at = window.first; at != end; ++at) {
      std::int32_t sum = padding;
      for_each_input<L>(window, at, [&](std::int32_t value) { sum += value; });
      *out++ = m0::clamp<L>((L::multiplier[0] * sum + L::bias[0]) >> L::output_shift);
    }
  });
}

}  // namespace assay::kernels

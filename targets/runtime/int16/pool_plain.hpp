// Pools over int16 tensors for cores without SMLAD: the limits of a window are found once for all
// its channels. Outputs are written in ascending order, each after its inputs were read, so that a
// pool without leading padding may run in place, as the reference pools do. L has, besides the
// members of layer.hpp, for averages: std::int32_t multiplier[].
#pragma once

#include "targets/runtime/int16/rescale_plain.hpp"
#include "targets/runtime/pool_windows.hpp"

namespace assay::kernels {

template <class L>
void max_pool_int16_plain(const std::int16_t* in, std::int16_t* out, void*) {
  for_each_pool_window<L>(in, [&out](const PoolWindow<std::int16_t>& window) {
    const std::int16_t* const end = window.first + L::in_channels;
    for (const std::int16_t* at = window.first; at != end; ++at) {
      std::int32_t largest = -32768;
      for_each_input<L>(window, at, [&](std::int32_t value) {
        if (value > largest) largest = value;
      });
      *out++ = static_cast<std::int16_t>(largest);
    }
  });
}

/// Positions of the padding add 0.
template <class L>
void average_pool_int16_plain(const std::int16_t* in, std::int16_t* out, void*) {
  constexpr std::int64_t largest = std::int64_t{L::kernel_height} * L::kernel_width * 32768;
  for_each_pool_window<L>(in, [&out](const PoolWindow<std::int16_t>& window) {
    const std::int16_t* const end = window.first + L::in_channels;
    for (const std::int16_t* at = window.first; at != end; ++at) {
      std::int32_t sum = 0;
      for_each_input<L>(window, at, [&](std::int32_t value) { sum += value; });
      *out++ = int16::rescale_sum_plain<L, largest>(sum, L::multiplier[0]);
    }
  });
}

}  // namespace assay::kernels

// Pools over int16 tensors for cores with halfword SIMD: four channels at a time, the channels left
// over one by one. Outputs are written in ascending order, each after its inputs were read, so that
// a pool without leading padding may run in place, as the reference pools do. L has, besides the
// members of layer.hpp, for averages: std::int32_t multiplier[].
#pragma once

#include "targets/runtime/int16/rescale_smlad.hpp"
#include "targets/runtime/pool_windows.hpp"

namespace assay::kernels {

namespace int16 {

/// The larger of each of two elements.
ASSAY_INLINE std::uint32_t largest_halves(std::uint32_t a, std::uint32_t b) {
  std::uint32_t result;
  asm("ssub16 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b));
  return result;
}

}  // namespace int16

template <class L>
void max_pool_int16_smlad(const std::int16_t* in, std::int16_t* out, void*) {
  for_each_window<L>([&](Range rows, Range columns) ASSAY_INLINE_LAMBDA {
    int c = 0;
    for (; c + 4 <= L::in_channels; c += 4, out += 4) {
      std::uint32_t largest[2] = {0x80008000u, 0x80008000u};
      for_each_position<L>(in + c, rows, columns, [&](const std::int16_t* at) ASSAY_INLINE_LAMBDA {
        for (int i = 0; i < 2; ++i)
          largest[i] = int16::largest_halves(largest[i], int16::load_pair(at + 2 * i));
      });
      __builtin_memcpy(out, largest, sizeof largest);
    }
    for (; c < L::in_channels; ++c) {
      std::int32_t largest = -32768;
      for_each_position<L>(in + c, rows, columns, [&](const std::int16_t* at) ASSAY_INLINE_LAMBDA {
        largest = *at > largest ? *at : largest;
      });
      *out++ = static_cast<std::int16_t>(largest);
    }
  });
}

/// Positions of the padding add 0.
template <class L>
void average_pool_int16_smlad(const std::int16_t* in, std::int16_t* out, void*) {
  constexpr std::int64_t largest = std::int64_t{L::kernel_height} * L::kernel_width * 32768;
  const auto put = [&out](std::int32_t sum) ASSAY_INLINE_LAMBDA {
    *out++ = static_cast<std::int16_t>(int16::rescale_sum<L, largest>(sum, L::multiplier[0]));
  };
  for_each_window<L>([&](Range rows, Range columns) ASSAY_INLINE_LAMBDA {
    int c = 0;
    for (; c + 4 <= L::in_channels; c += 4) {
      std::int32_t sums[4] = {};
      for_each_position<L>(in + c, rows, columns, [&](const std::int16_t* at) ASSAY_INLINE_LAMBDA {
        for (int i = 0; i < 2; ++i) {
          const std::uint32_t pair = int16::load_pair(at + 2 * i);
          sums[2 * i] += int16::element_of<int16::Half::bottom>(pair);
          sums[2 * i + 1] += int16::element_of<int16::Half::top>(pair);
        }
      });
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i)
        put(sums[i]);
    }
    for (; c < L::in_channels; ++c) {
      std::int32_t sum = 0;
      for_each_position<L>(in + c, rows, columns,
                           [&](const std::int16_t* at) ASSAY_INLINE_LAMBDA { sum += *at; });
      put(sum);
    }
  });
}

}  // namespace assay::kernels

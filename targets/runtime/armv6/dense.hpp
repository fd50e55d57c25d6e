// Dense layer for Armv6 cores: the input is widened once, then two channels are summed at a time. L
// has the members conv.hpp names.
#pragma once

#include "targets/runtime/armv6/products.hpp"

namespace assay::kernels {

namespace armv6 {

template <class L>
inline constexpr WindowLayout dense_layout{1, L::in_height* L::in_width* L::in_channels};

template <class L>
struct DenseScratch {
  std::uint32_t words[2 * dense_layout<L>.steps()];
  std::int8_t last[step_inputs];
};

/// Adds all steps of two channels.
template <int steps>
ASSAY_INLINE void add_dense_steps(const std::uint32_t* inputs, const std::uint32_t* filters,
                                  std::int32_t& low, std::int32_t& high) {
#pragma GCC unroll 4
  for (int step = 0; step < steps; ++step, inputs += 2, filters += 2) {
    const std::uint32_t even = inputs[0], odd = inputs[1];
    const std::uint32_t first = filters[0], second = filters[1];
    low = dsp::smlad(dsp::sxtb16(first), even, low);
    high = dsp::smlad(dsp::sxtb16(second), even, high);
    low = dsp::smlad(dsp::sxtb16_odd(first), odd, low);
    high = dsp::smlad(dsp::sxtb16_odd(second), odd, high);
  }
}

}  // namespace armv6

template <class L>
void dense_armv6(const std::int8_t* in, std::int8_t* out, void* memory) {
  using namespace armv6;
  constexpr WindowLayout layout = dense_layout<L>;
  constexpr int whole = layout.row / step_inputs;
  auto& scratch = *static_cast<DenseScratch<L>*>(memory);
  for (int step = 0; step < whole; ++step)
    widen(in + step * step_inputs, scratch.words[2 * step], scratch.words[2 * step + 1]);
  if constexpr (whole < layout.steps()) {
    __builtin_memcpy(scratch.last, in + whole * step_inputs, layout.row - whole * step_inputs);
    widen(scratch.last, scratch.words[2 * whole], scratch.words[2 * whole + 1]);
  }
  const std::uint32_t* filters = L::filters;
  for (int channel = 0; channel < L::out_channels; channel += 2, filters += 2 * layout.steps()) {
    std::int32_t low = L::bias[channel], high = L::bias[channel + 1];
    add_dense_steps<layout.steps()>(scratch.words, filters, low, high);
    out[channel] = dsp::requantize<L>(low, L::multiplier[channel]);
    if (L::out_channels % 2 == 0 || channel + 1 < L::out_channels)
      out[channel + 1] = dsp::requantize<L>(high, L::multiplier[channel + 1]);
  }
}

}  // namespace assay::kernels

// Addition for cores with SMLAD: m_1 and m_2 in one word, so that one SMLAD makes both products of
// an element; four elements at a time. L has, besides the members of layer.hpp:
//   std::int32_t bias[], multiplier[]    b' and m_1, m_2 (which fit int16)
#pragma once

#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels {

namespace dsp {

/// clamp((m_1 * low half + m_2 * high half + b') >> R).
template <class L>
ASSAY_INLINE std::int32_t add_halves(std::uint32_t halves) {
  constexpr std::uint32_t multipliers = (static_cast<std::uint32_t>(L::multiplier[0]) & 0xffff) |
                                        static_cast<std::uint32_t>(L::multiplier[1]) << 16;
  std::int32_t y = shift_and_saturate<L::output_shift>(smlad(halves, multipliers, L::bias[0]));
  if constexpr (L::clamp_min > -128) y = y < L::clamp_min ? L::clamp_min : y;
  if constexpr (L::clamp_max < 127) y = y > L::clamp_max ? L::clamp_max : y;
  return y;
}

}  // namespace dsp

/// May run in place: four elements are read before they are written.
template <class L>
void add_dsp(const std::int8_t* first, const std::int8_t* second, std::int8_t* out, void*) {
  constexpr int elements = L::out_height * L::out_width * L::out_channels;
#pragma GCC unroll 2
  for (int i = 0; i < elements / 4; ++i, first += 4, second += 4, out += 4) {
    const std::uint32_t a = dsp::load_word(first), b = dsp::load_word(second);
    const std::uint32_t low = dsp::join_bottoms(a, b), high = dsp::join_tops(a, b);
    const std::int32_t y0 = dsp::add_halves<L>(dsp::sxtb16(low));
    const std::int32_t y1 = dsp::add_halves<L>(dsp::sxtb16_odd(low));
    const std::int32_t y2 = dsp::add_halves<L>(dsp::sxtb16(high));
    const std::int32_t y3 = dsp::add_halves<L>(dsp::sxtb16_odd(high));
    out[0] = static_cast<std::int8_t>(y0), out[1] = static_cast<std::int8_t>(y1);
    out[2] = static_cast<std::int8_t>(y2), out[3] = static_cast<std::int8_t>(y3);
  }
  for (int i = 0; i < elements % 4; ++i)
    out[i] = static_cast<std::int8_t>(dsp::add_halves<L>(dsp::join_bottoms(
        static_cast<std::uint32_t>(first[i]), static_cast<std::uint32_t>(second[i]))));
}

}  // namespace assay::kernels

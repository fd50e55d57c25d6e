// Addition, product and concatenation of int16 tensors for cores without SMLAD, which may have no
// multiplication that gives 64 bits. L has, besides the members of layer.hpp:
//   std::int32_t multiplier[]    m of each input of an addition and of a concatenation; one of a
//                                product
//   std::int32_t channels[]      concatenation: of each input
//   std::int32_t per_channel[]   product: 1 where the second input is 1x1xC
#pragma once

#include "targets/runtime/int16/rescale_plain.hpp"

namespace assay::kernels {

namespace int16 {

/// clamp16((m_1 * a + m_2 * b + b') >> R), where the halves are those of m_1 and m_2.
template <class L>
ASSAY_INLINE std::int16_t add_plain(std::int32_t a, std::int32_t b, const Halves& first,
                                    const Halves& second) {
  if constexpr (sums_fit<L>(std::int64_t{L::multiplier[0]} + L::multiplier[1])) {
    // Partial sums may wrap around; the whole one fits.
    const auto high = static_cast<std::uint32_t>(first.high * a) +
                      static_cast<std::uint32_t>(second.high * b) +
                      static_cast<std::uint32_t>((first.low * a + second.low * b) >> 16) +
                      static_cast<std::uint32_t>(half_step<L, 16>);
    return limit_plain<L>(static_cast<std::int32_t>(high) >> (L::output_shift - 16));
  } else {
    return scale_down_wide<L>(std::int64_t{L::multiplier[0]} * a +
                              std::int64_t{L::multiplier[1]} * b);
  }
}

/// clamp16((a * b * m + b') >> R), `count` elements of each.
template <class L>
ASSAY_INLINE void multiply_row_plain(const std::int16_t* first, const std::int16_t* second,
                                     std::int16_t* out, int count) {
  const std::int32_t m = in_register(L::multiplier[0]);
  for (int i = 0; i < count; ++i)
    out[i] = rescale_sum_plain<L, std::int64_t{1} << 30>(first[i] * second[i], m);
}

/// An input's channels at every position; a function of its own, so that the loop has all
/// registers.
template <class L>
__attribute__((noinline)) void join_input_plain(const std::int16_t* in, int channels,
                                                const Halves& halves, std::int16_t* out) {
  const Halves m = in_registers(halves);
  for (int position = 0; position < L::out_height * L::out_width; ++position) {
    for (int c = 0; c < channels; ++c)
      out[c] = rescale_plain<L>(in[c], m);
    in += channels;
    out += L::out_channels;
  }
}

}  // namespace int16

/// May run in place.
template <class L>
void add_int16_plain(const std::int16_t* first, const std::int16_t* second, std::int16_t* out,
                     void*) {
  const int16::Halves m_1 = int16::in_registers(int16::halves_of(L::multiplier[0]));
  const int16::Halves m_2 = int16::in_registers(int16::halves_of(L::multiplier[1]));
  for (int i = 0; i < L::out_height * L::out_width * L::out_channels; ++i)
    out[i] = int16::add_plain<L>(first[i], second[i], m_1, m_2);
}

/// May run in place of the first input.
template <class L>
void multiply_int16_plain(const std::int16_t* first, const std::int16_t* second, std::int16_t* out,
                          void*) {
  constexpr int positions = L::out_height * L::out_width;
  if constexpr (L::per_channel[0])
    for (int i = 0; i < positions * L::out_channels; i += L::out_channels)
      int16::multiply_row_plain<L>(first + i, second, out + i, L::out_channels);
  else
    int16::multiply_row_plain<L>(first, second, out, positions * L::out_channels);
}

template <class L, int inputs>
void concat_int16_plain(const std::int16_t* const (&in)[inputs], std::int16_t* out, void*) {
  for (int i = 0; i < inputs; out += L::channels[i++])
    int16::join_input_plain<L>(in[i], L::channels[i], int16::halves_of(L::multiplier[i]), out);
}

}  // namespace assay::kernels

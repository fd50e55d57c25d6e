// Addition, product and concatenation of int16 tensors for AArch64: eight elements in a vector,
// the ones left over as other cores do them. L has what combine_plain.hpp says.
#pragma once

#include "targets/runtime/int16/combine_plain.hpp"
#include "targets/runtime/int16/neon.hpp"

namespace assay::kernels {

namespace int16 {

/// `count` elements of each.
template <class L>
ASSAY_INLINE void multiply_row_neon(const std::int16_t* first, const std::int16_t* second,
                                    std::int16_t* out, int count) {
  int i = 0;
  for (; i + 8 <= count; i += 8)
    vst1q_s16(out + i,
              rescale<L>(multiply(vld1q_s16(first + i), vld1q_s16(second + i)), L::multiplier[0]));
  multiply_row_plain<L>(first + i, second + i, out + i, count - i);
}

}  // namespace int16

/// May run in place: eight elements are read before they are written.
template <class L>
void add_int16_neon(const std::int16_t* first, const std::int16_t* second, std::int16_t* out,
                    void*) {
  constexpr int elements = L::out_height * L::out_width * L::out_channels;
  int i = 0;
  for (; i + 8 <= elements; i += 8) {
    int16::Products sum = multiply(int16::widen(vld1q_s16(first + i)), L::multiplier[0]);
    add_products(sum, multiply(int16::widen(vld1q_s16(second + i)), L::multiplier[1]));
    vst1q_s16(out + i, int16::scale_down<L>(sum));
  }
  for (; i < elements; ++i)
    out[i] = int16::add_plain<L>(first[i], second[i], int16::halves_of(L::multiplier[0]),
                                 int16::halves_of(L::multiplier[1]));
}

/// May run in place of the first input.
template <class L>
void multiply_int16_neon(const std::int16_t* first, const std::int16_t* second, std::int16_t* out,
                         void*) {
  constexpr int positions = L::out_height * L::out_width;
  if constexpr (L::per_channel[0])
    for (int i = 0; i < positions * L::out_channels; i += L::out_channels)
      int16::multiply_row_neon<L>(first + i, second, out + i, L::out_channels);
  else
    int16::multiply_row_neon<L>(first, second, out, positions * L::out_channels);
}

template <class L, int inputs>
void concat_int16_neon(const std::int16_t* const (&in)[inputs], std::int16_t* out, void*) {
  for (int i = 0; i < inputs; out += L::channels[i++]) {
    const std::int16_t* from = in[i];
    std::int16_t* to = out;
    for (int position = 0; position < L::out_height * L::out_width; ++position) {
      int c = 0;
      for (; c + 8 <= L::channels[i]; c += 8)
        vst1q_s16(to + c, int16::rescale<L>(int16::widen(vld1q_s16(from + c)), L::multiplier[i]));
      for (; c < L::channels[i]; ++c)
        to[c] = int16::rescale_plain<L>(from[c], int16::halves_of(L::multiplier[i]));
      from += L::channels[i];
      to += L::out_channels;
    }
  }
}

}  // namespace assay::kernels

// Addition, product and concatenation of int16 tensors for cores with halfword products: two
// elements at a time. L has, besides the members of layer.hpp:
//   std::int32_t multiplier[]    m of each input of an addition and of a concatenation; one of a
//                                product
//   std::int32_t channels[]      concatenation: of each input
//   std::int32_t per_channel[]   product: 1 where the second input is 1x1xC
#pragma once

#include "targets/runtime/int16/rescale_smlad.hpp"

namespace assay::kernels {

namespace int16 {

template <class L>
class AddSmlad {
 public:
  AddSmlad() {
    if constexpr (in_halves) half_ = in_register(half_step<L, 16>);
  }

  /// clamp16((m_1 * a + m_2 * b + b') >> R) of the pair (a, b).
  ASSAY_INLINE std::int32_t operator()(std::uint32_t both) const {
    if constexpr (in_halves) {
      const std::int32_t low = dsp::smlad(both, pair_of(first.low, second.low), 0) >> 16;
      return limit<L>(shift_and_saturate<L::output_shift - 16>(
          dsp::smlad(both, pair_of(first.high, second.high), half_ + low)));
    } else {
      return scale_down_wide<L>(std::int64_t{L::multiplier[0]} * element_of<Half::bottom>(both) +
                                std::int64_t{L::multiplier[1]} * element_of<Half::top>(both));
    }
  }

 private:
  static constexpr Halves first = halves_of(L::multiplier[0]), second = halves_of(L::multiplier[1]);
  static constexpr bool fits_half(std::int32_t value) { return value <= 32767; }
  static constexpr bool in_halves =
      sums_fit<L>(std::int64_t{L::multiplier[0]} + L::multiplier[1]) && fits_half(first.high) &&
      fits_half(first.low) && fits_half(second.high) && fits_half(second.low);

  static constexpr std::uint32_t pair_of(std::int32_t bottom, std::int32_t top) {
    return (static_cast<std::uint32_t>(bottom) & 0xffff) | static_cast<std::uint32_t>(top) << 16;
  }

  std::int32_t half_ = 0;
};

/// clamp16((a * b * m + b') >> R) of elements in the same half of two words.
template <class L, Half half>
ASSAY_INLINE std::int32_t multiply_elements(std::uint32_t a, std::uint32_t b) {
  return rescale_sum<L, std::int64_t{1} << 30>(element_of<half>(a) * element_of<half>(b),
                                               L::multiplier[0]);
}

/// `count` elements of each.
template <class L>
ASSAY_INLINE void multiply_row(const std::int16_t* first, const std::int16_t* second,
                               std::int16_t* out, int count) {
#pragma GCC unroll 2
  for (int i = 0; i + 2 <= count; i += 2) {
    const std::uint32_t a = load_pair(first + i), b = load_pair(second + i);
    store_pair(out + i, multiply_elements<L, Half::bottom>(a, b),
               multiply_elements<L, Half::top>(a, b));
  }
  if (count % 2 != 0)
    out[count - 1] = static_cast<std::int16_t>(
        multiply_elements<L, Half::bottom>(static_cast<std::uint32_t>(first[count - 1]),
                                           static_cast<std::uint32_t>(second[count - 1])));
}

/// An input's channels at every position.
template <class L>
__attribute__((noinline)) void join_input(const std::int16_t* in, int channels, std::int32_t m,
                                          std::int16_t* out) {
  for (int position = 0; position < L::out_height * L::out_width; ++position) {
#pragma GCC unroll 2
    for (int c = 0; c + 2 <= channels; c += 2) {
      const std::uint32_t pair = load_pair(in + c);
      store_pair(out + c, rescale<L, Half::bottom>(pair, m), rescale<L, Half::top>(pair, m));
    }
    if (channels % 2 != 0)
      out[channels - 1] = static_cast<std::int16_t>(
          rescale<L, Half::bottom>(static_cast<std::uint32_t>(in[channels - 1]), m));
    in += channels;
    out += L::out_channels;
  }
}

}  // namespace int16

/// May run in place: two elements are read before they are written.
template <class L>
void add_int16_smlad(const std::int16_t* first, const std::int16_t* second, std::int16_t* out,
                     void*) {
  const int16::AddSmlad<L> add;
  constexpr int elements = L::out_height * L::out_width * L::out_channels;
#pragma GCC unroll 2
  for (int i = 0; i + 2 <= elements; i += 2) {
    const std::uint32_t a = int16::load_pair(first + i), b = int16::load_pair(second + i);
    int16::store_pair(out + i, add(dsp::join_bottoms(a, b)), add(dsp::join_tops(a, b)));
  }
  if constexpr (elements % 2 != 0)
    out[elements - 1] = static_cast<std::int16_t>(
        add(dsp::join_bottoms(static_cast<std::uint32_t>(first[elements - 1]),
                              static_cast<std::uint32_t>(second[elements - 1]))));
}

/// May run in place of the first input.
template <class L>
void multiply_int16_smlad(const std::int16_t* first, const std::int16_t* second, std::int16_t* out,
                          void*) {
  constexpr int positions = L::out_height * L::out_width;
  if constexpr (L::per_channel[0])
    for (int i = 0; i < positions * L::out_channels; i += L::out_channels)
      int16::multiply_row<L>(first + i, second, out + i, L::out_channels);
  else
    int16::multiply_row<L>(first, second, out, positions * L::out_channels);
}

template <class L, int inputs>
void concat_int16_smlad(const std::int16_t* const (&in)[inputs], std::int16_t* out, void*) {
  for (int i = 0; i < inputs; out += L::channels[i++])
    int16::join_input<L>(in[i], L::channels[i], L::multiplier[i], out);
}

}  // namespace assay::kernels

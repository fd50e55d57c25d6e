// Joining of int8 tensors along their channels, one input after the other: so its multiplier, its
// bias and its place are constants of the loop over it, and one that passes unchanged is copied. L
// has the members that reference/concat.hpp names. Portable.
#pragma once

#include "targets/runtime/copy.hpp"
#include "targets/runtime/reference/requantize.hpp"

namespace assay::kernels {

/// Input `index` of a concatenation.
template <class L, int index>
struct ConcatPart {
  static constexpr int channels = L::channels[index];

  /// Its first channel of the output.
  static constexpr int first() {
    int sum = 0;
    for (int i = 0; i < index; ++i)
      sum += L::channels[i];
    return sum;
  }
  /// Scale and zero point are the output's, and nothing is clamped (ARITHMETIC.md).
  static constexpr bool is_unchanged() {
    constexpr std::int64_t one = std::int64_t(1) << L::output_shift;
    return L::multiplier[index] == one && L::bias[index] == one / 2 && L::clamp_min == -128 &&
           L::clamp_max == 127;
  }
  /// Whether its channels begin at whole words in every pixel of input and output.
  static constexpr bool in_words() {
    return channels % 4 == 0 && first() % 4 == 0 && L::out_channels % 4 == 0;
  }
};

/// The channels of one input, of all pixels.
template <class L, int index>
ASSAY_INLINE void put_concat_part(const std::int8_t* in, std::int8_t* out) {
  using Part = ConcatPart<L, index>;
  out += Part::first();
  for (int pixel = 0; pixel < L::out_height * L::out_width; ++pixel) {
    if constexpr (Part::is_unchanged()) {
      copy_forward<Part::in_words()>(out, in, Part::channels);
    } else {
#pragma GCC unroll 4
      for (int c = 0; c < Part::channels; ++c)
        out[c] = rescale<L, std::int8_t>(in[c], index);
    }
    in += Part::channels;
    out += L::out_channels;
  }
}

template <class L, int index, int inputs>
ASSAY_INLINE void put_concat_parts(const std::int8_t* const (&in)[inputs], std::int8_t* out) {
  put_concat_part<L, index>(in[index], out);
  if constexpr (index + 1 < inputs) put_concat_parts<L, index + 1>(in, out);
}

/// What concat_reference() makes.
template <class L, int inputs>
void concat_parts(const std::int8_t* const (&in)[inputs], std::int8_t* out, void*) {
  put_concat_parts<L, 0>(in, out);
}

}  // namespace assay::kernels

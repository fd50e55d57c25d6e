// From packed fields (packed_layout.hpp) to vectors of int8 weights.
#pragma once

#include <arm_neon.h>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/neon/packed_layout.hpp"

namespace assay::kernels::neon {

/// Vector `vector` of a unit's plane: fields of `width` bits.
template <int width, int vector>
ASSAY_INLINE uint8x16_t load_plane(const std::uint8_t* plane) {
  constexpr int per_byte = 8 / width;
  constexpr int shift = vector % per_byte * width;
  uint8x16_t fields = vld1q_u8(plane + vector / per_byte * step_inputs);
  if constexpr (shift > 0) fields = vshrq_n_u8(fields, shift);
  if constexpr (shift + width < 8) fields = vandq_u8(fields, vdupq_n_u8((1 << width) - 1));
  return fields;
}

/// Vector `vector` of a unit: whole fields of `bits` bits, put together from bit `from` on.
template <int bits, int vector, int from = 0>
ASSAY_INLINE uint8x16_t load_fields(const std::uint8_t* unit) {
  constexpr int width = plane_width(bits, from);
  const uint8x16_t fields = load_plane<width, vector>(unit + unit_bytes(from));
  if constexpr (from + width == bits)
    return fields;
  else
    return vorrq_u8(fields, vshlq_n_u8(load_fields<bits, vector, from + width>(unit), width));
}

/// Weights in two's complement of two or four bits.
template <int field_bits>
struct SmallWeights {
  static constexpr int bits = field_bits;

  template <int vector>
  ASSAY_INLINE int8x16_t decode(const std::uint8_t* unit) const {
    constexpr int per_byte = 8 / bits;
    constexpr int shift = vector % per_byte * bits;
    const int8x16_t fields = vreinterpretq_s8_u8(vld1q_u8(unit + vector / per_byte * step_inputs));
    return vshrq_n_s8(vshlq_n_s8(fields, 8 - bits - shift), 8 - bits);
  }
};

/// Numbers of the values in L::codebook, which TBL looks up in one to eight registers.
template <class L>
class Codebook {
 public:
  static constexpr int bits = codebook_bits(sizeof L::codebook);

  ASSAY_INLINE Codebook() {
#pragma GCC unroll 8
    for (int i = 0; i < registers; ++i)
      table_[i] = vld1q_s8(L::codebook + step_inputs * i);
  }

  template <int vector>
  ASSAY_INLINE int8x16_t decode(const std::uint8_t* unit) const {
    const uint8x16_t numbers = load_fields<bits, vector>(unit);
    if constexpr (registers == 1)
      return vqtbl1q_s8(table_[0], numbers);
    else if constexpr (registers == 2)
      return vqtbl2q_s8({{table_[0], table_[1]}}, numbers);
    else if constexpr (registers == 4)
      return vqtbl4q_s8({{table_[0], table_[1], table_[2], table_[3]}}, numbers);
    else
      return vqtbx4q_s8(vqtbl4q_s8({{table_[0], table_[1], table_[2], table_[3]}}, numbers),
                        {{table_[4], table_[5], table_[6], table_[7]}},
                        vsubq_u8(numbers, vdupq_n_u8(4 * step_inputs)));
  }

 private:
  static constexpr int registers = (1 << bits) / step_inputs;
  int8x16_t table_[registers];
};

template <int vector, class Weights>
ASSAY_INLINE void unpack_from(const Weights& weights, const std::uint8_t* unit, std::int8_t* to) {
  vst1q_s8(to + vector * step_inputs, weights.template decode<vector>(unit));
  if constexpr (vector + 1 < unit_vectors) unpack_from<vector + 1>(weights, unit, to);
}

/// So many units one behind the other; returns what follows them in `from`.
template <int units, class Weights>
ASSAY_INLINE const std::uint8_t* unpack_units(const Weights& weights, const std::uint8_t* from,
                                              std::int8_t* to) {
  for (int unit = 0; unit < units; ++unit) {
    unpack_from<0>(weights, from, to);
    from += unit_bytes(Weights::bits);
    to += unit_weights;
  }
  return from;
}

}  // namespace assay::kernels::neon

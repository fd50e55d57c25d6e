// Convolutions with weights of less than a byte for Armv6-M: see conv.hpp and bit_fields.hpp. L
// has, besides the members of layer.hpp:
//   std::uint32_t fields[]     weights, or numbers of values in the codebook, [output channel]
//   std::int32_t channels[]    b' and m of each output channel
//   std::int8_t codebook[]     2^bits values, where the form has one
#pragma once

#include "targets/runtime/bit_fields.hpp"
#include "targets/runtime/m0/conv.hpp"

namespace assay::kernels {

namespace m0 {

/// Filters of weights in [-7, 7]: sums of a whole iteration fit 16 bits.
template <class L, int bits>
class SmallFilters {
 public:
  static constexpr int unpacked_bytes = FieldGroup(bits).unpacked_bytes(conv_layout<L>.inputs());
  static constexpr bool are_words = false;  // multiplied otherwise

  explicit SmallFilters(std::int32_t* unpacked) : unpacked_(unpacked) {}
  ASSAY_INLINE void next() {
    unpack_fields<bits, conv_layout<L>.inputs()>(next_, unpacked_, SignedField<bits>());
  }
  ASSAY_INLINE FourSums multiply(const std::int32_t*& columns, std::int32_t bias) const {
    constexpr Unrolled loop = conv_layout<L>.loop;
    return multiply_small_words<loop.unroll>(unpacked_, unpacked_ + 2 * loop.steps, columns, bias);
  }

 private:
  const std::uint32_t* next_ = L::fields;
  std::int32_t* unpacked_;
};

/// Filters whose weights are numbers of a codebook's values.
template <class L, int bits>
class CodebookFilters {
 public:
  static constexpr int unpacked_bytes = FieldGroup(bits).unpacked_bytes(conv_layout<L>.inputs());
  static constexpr bool are_words = true;

  explicit CodebookFilters(std::int32_t* unpacked) : unpacked_(unpacked) {}
  ASSAY_INLINE void next() {
    unpack_fields<bits, conv_layout<L>.inputs()>(next_, unpacked_,
                                                 CodebookField<bits>{L::codebook});
  }
  const std::int32_t* unpacked() const { return unpacked_; }
  ASSAY_INLINE FourSums multiply(const std::int32_t*& columns, std::int32_t bias) const {
    constexpr Unrolled loop = conv_layout<L>.loop;
    return multiply_words<loop.unroll>(unpacked_, unpacked_ + 2 * loop.steps, columns, bias);
  }

 private:
  const std::uint32_t* next_ = L::fields;
  std::int32_t* unpacked_;
};

}  // namespace m0

template <class L>
void conv_int4_m0(const std::int8_t* in, std::int8_t* out, void* memory) {
  m0::convolve<L, m0::SmallFilters<L, 4>>(in, out, memory);
}

template <class L>
void conv_ternary_m0(const std::int8_t* in, std::int8_t* out, void* memory) {
  m0::convolve<L, m0::SmallFilters<L, 2>>(in, out, memory);
}

template <class L>
void conv_codebook_m0(const std::int8_t* in, std::int8_t* out, void* memory) {
  m0::convolve<L, m0::CodebookFilters<L, codebook_bits(sizeof L::codebook)>>(in, out, memory);
}

}  // namespace assay::kernels

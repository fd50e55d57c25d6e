// Depthwise weights of fewer bits than a byte, on any core without vectors: fields (bit_fields.hpp)
// in the model's order, [kernel position][channel]. A kernel takes out the weights of the channels
// whose turn it is and goes on as with int8 ones. There are few of them beside their products, so
// that what counts is their bytes: nothing is filled up, and nothing stored twice. L has
//   std::uint8_t packed[]     the fields, and a byte behind them where they do not divide one
//   std::int8_t codebook[]    the values, where fields are numbers
#pragma once

#include "targets/runtime/bit_fields.hpp"

namespace assay::kernels {

/// Weights in two's complement.
template <class L, int bits>
struct SmallTaps {
  static ASSAY_INLINE std::int32_t weight(int tap, int channel) {
    return field_at(L::packed, tap * L::out_channels + channel, SignedField<bits>());
  }
};

/// Numbers of values.
template <class L>
struct NumberedTaps {
  static ASSAY_INLINE std::int32_t weight(int tap, int channel) {
    constexpr int bits = codebook_bits(sizeof L::codebook);
    return field_at(L::packed, tap * L::out_channels + channel, CodebookField<bits>{L::codebook});
  }
};

}  // namespace assay::kernels

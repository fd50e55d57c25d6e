// Weights of less than a byte: fields side by side in aligned words, the first one lowest. Words
// are filled up to groups that begin and end with a word. Portable; shared with the packer.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels {

/// The shortest run of fields that fills whole words: 8 fields of 4 bits, 16 of 6 (three words).
struct FieldGroup {
  int fields;
  int words;
  constexpr explicit FieldGroup(int bits) : fields(32), words(bits) {
    for (; words % 2 == 0; words /= 2)
      fields /= 2;
  }
  /// Words that hold `count` fields.
  constexpr int words_for(int count) const { return round_up(count, fields) / fields * words; }
  /// Scratch for `count` of them as words.
  constexpr int unpacked_bytes(int count) const { return 4 * round_up(round_up(count, fields), 2); }
};

/// Bits that number `values` values.
constexpr int codebook_bits(int values) {
  int bits = 1;
  while (1 << bits < values)
    ++bits;
  return bits;
}

/// A field, whatever lies above it, to its value.
template <int field_bits>
struct SignedField {
  static constexpr int bits = field_bits;
  ASSAY_INLINE std::int32_t operator()(std::uint32_t field) const {
    return static_cast<std::int32_t>(field << (32 - bits)) >> (32 - bits);
  }
};
template <int field_bits>
struct CodebookField {
  static constexpr int bits = field_bits;
  const std::int8_t* codebook;
  ASSAY_INLINE std::int32_t operator()(std::uint32_t field) const {
    return codebook[field & ((1u << bits) - 1)];
  }
};

/// The value of field `index` of a stream of bytes, of which one more is read where fields may end
/// in the next byte.
template <class Value>
ASSAY_INLINE std::int32_t field_at(const std::uint8_t* stream, int index, Value value) {
  const std::uint32_t first = static_cast<std::uint32_t>(index) * Value::bits;
  const std::uint8_t* const byte = stream + first / 8;
  std::uint32_t field = *byte;
  if constexpr (8 % Value::bits != 0) field |= static_cast<std::uint32_t>(byte[1]) << 8;
  return value(field >> first % 8);
}

/// Bytes of such a stream.
constexpr int field_stream_bytes(int fields, int bits) {
  return round_up(fields * bits, 8) / 8 + (8 % bits != 0 ? 1 : 0);
}

/// `count` fields, filled up to whole groups, to words; advances `from`.
template <int bits, int count, class Value>
ASSAY_INLINE void unpack_fields(const std::uint32_t*& from, std::int32_t* to, Value value) {
  constexpr FieldGroup group(bits);
  for (int first = 0; first < count; first += group.fields, from += group.words) {
#pragma GCC unroll 32
    for (int i = 0; i < group.fields; ++i) {
      const int word = i * bits / 32, shift = i * bits % 32;
      std::uint32_t field = from[word] >> shift;
      if (shift + bits > 32) field |= from[word + 1] << (32 - shift);
      *to++ = value(field);
    }
  }
}

}  // namespace assay::kernels

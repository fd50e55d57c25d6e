// Dense layers with weights of less than a byte for Armv6-M: one output channel at a time, two
// inputs to a MULS. With B = 2^16 and two weights and two inputs to a word,
//   (w0 + w1 * B) * (a1 + a0 * B) = w0 * a1 + (w0 * a0 + w1 * a1) * B,  modulo B^2,
// whose higher half is what is wanted, but for what w0 * a1 borrows from it or carries into it.
// L has, besides the members of layer.hpp:
//   std::uint32_t fields[]     of bit_fields.hpp, in rows filled up to whole iterations
//   std::int32_t bias[], multiplier[]    of the output channels
//   std::int8_t codebook[]     2^bits values, where the form has one
#pragma once

#include "targets/runtime/bit_fields.hpp"
#include "targets/runtime/m0/layout.hpp"
#include "targets/runtime/m0/numbered_pairs.hpp"
#include "targets/runtime/m0/requantize.hpp"

namespace assay::kernels {

namespace m0 {

template <class L>
inline constexpr int dense_inputs = L::in_height* L::in_width* L::in_channels;

/// Inputs in pairs, a1 + a0 * 2^16, where a1 comes `apart` inputs after a0: the words of each run
/// of 2 * apart inputs. `offset` is added to every input; filled up with zeros. Returns the sum of
/// the inputs with their offsets.
template <int inputs, int apart, int offset>
ASSAY_INLINE std::int32_t pair_inputs(const std::int8_t* in, std::int32_t* pairs) {
  constexpr int padded = round_up(inputs, dense_pairs_step);
  std::int32_t sum = 0;
  for (int run = 0; run < padded; run += 2 * apart)
    for (int i = run; i < run + apart; ++i) {
      const std::int32_t first = i < inputs ? in[i] + offset : 0;
      const std::int32_t second = i + apart < inputs ? in[i + apart] + offset : 0;
      *pairs++ = second + first * 65536;
      sum += first + second;
    }
  return sum;
}

// Half a word of fields at `shift` in r5 and the pair of inputs in `pair`.
#define ASSAY_M0_FIELD_PAIR(shift, pair) \
  "lsrs r2, r5, #" shift                 \
  "\n\t"                                 \
  "ands r2, r2, r3\n\t"                  \
  "muls " pair ", r2, " pair             \
  "\n\t"                                 \
  "adds r4, r4, " pair "\n\t"

/// The sum of products of unsigned fields of `bits` bits with unsigned inputs, up to `end`. A
/// flush after eight pairs: with fields of at most 14 and inputs of at most 255 the halves of a
/// word stay below 2^16. 44 instructions for 16 multiply-accumulates with four bits, 43 with two.
/// Registers: r4 sums of the pairs, r8 sum, r5 fields, r3 mask, r6 and r7 pointers, r0 and r1
/// inputs.
template <int bits>
ASSAY_INLINE std::int32_t multiply_fields(const std::uint32_t*& fields, const std::int32_t* pairs,
                                          const std::int32_t* end) {
  register std::int32_t r0 asm("r0") = 0;
  register std::uint32_t r3 asm("r3") = ((1u << bits) - 1) * 0x10001u;
  register const std::uint32_t* r6 asm("r6") = fields;
  register const std::int32_t* r7 asm("r7") = pairs;
  register const std::int32_t* r9 asm("r9") = end;
  asm volatile(
      ".syntax unified\n\t"
      "mov r8, r0\n"
      "1:\n\t"
      "movs r4, #0\n\t"
      ".rept %c[bits] / 2\n\t"
      "ldmia r6!, {r5}\n\t"
      ".set assay_shift, 0\n\t"
      ".rept 8 / %c[bits]\n\t"
      "ldmia r7!, {r0, r1}\n\t"
      ".if assay_shift == 0\n\t"
      "movs r2, r5\n\t"
      "ands r2, r2, r3\n\t"
      "muls r0, r2, r0\n\t"
      "adds r4, r4, r0\n\t"
      ".else\n\t"
      ASSAY_M0_FIELD_PAIR("assay_shift", "r0")
      ".endif\n\t"
      ASSAY_M0_FIELD_PAIR("assay_shift + %c[bits]", "r1")
      ".set assay_shift, assay_shift + 2 * %c[bits]\n\t"
      ".endr\n\t"
      ".endr\n\t"
      "lsrs r4, r4, #16\n\t"
      "add r8, r4\n\t"
      "cmp r7, r9\n\t"
      "bne 1b\n\t"
      "mov r0, r8" ASSAY_LINES_48
      : "+r"(r0), "+r"(r3), "+r"(r6), "+r"(r7)
      : [bits] "i"(bits), "r"(r9)
      : "r1", "r2", "r4", "r5", "r8", "cc", "memory");
  fields = r6;
  return r0;
}

#undef ASSAY_M0_FIELD_PAIR

/// The sum of products of pairs of weights, whose numbers in `table` are bytes, with pairs of
/// inputs up to `end`. 55 instructions for 16 multiply-accumulates. Registers: r4 sum, r3 table, r6
/// and r7 pointers, r0 and r1 inputs, r2 weights.
ASSAY_INLINE std::int32_t multiply_numbered(const std::uint8_t*& numbers, const std::int32_t* table,
                                            const std::int32_t* pairs, const std::int32_t* end,
                                            std::int32_t bias) {
  register const std::int32_t* r3 asm("r3") = table;
  register std::int32_t r4 asm("r4") = bias;
  register const std::uint8_t* r6 asm("r6") = numbers;
  register const std::int32_t* r7 asm("r7") = pairs;
  register const std::int32_t* r9 asm("r9") = end;
  asm volatile(
      ".syntax unified\n"
      "1:\n\t"
      ".set assay_offset, 0\n\t"
      ".rept 4\n\t"
      "ldmia r7!, {r0, r1}\n\t"
      ASSAY_M0_NUMBERED_PAIR("assay_offset", "r0")
      ASSAY_M0_NUMBERED_PAIR("assay_offset + 1", "r1")
      ".set assay_offset, assay_offset + 2\n\t"
      ".endr\n\t"
      "adds r6, r6, #8\n\t"
      "cmp r7, r9\n\t"
      "bne 1b" ASSAY_LINES_48
      : "+r"(r3), "+r"(r4), "+r"(r6), "+r"(r7)
      : "r"(r9)
      : "r0", "r1", "r2", "cc", "memory");
  numbers = r6;
  return r4;
}

/// Weights in [-largest, largest], stored + largest. b' is less by 128 * sum(w), because inputs are
/// taken + 128.
template <class L, int bits, int largest>
ASSAY_INLINE void dense_small(const std::int8_t* in, std::int8_t* out, std::int32_t* pairs) {
  constexpr int inputs = dense_inputs<L>;
  const std::int32_t surplus = largest * pair_inputs<inputs, 16 / bits, input_offset>(in, pairs);
  const std::int32_t* const end = pairs + dense_pair_words(inputs);
  const std::uint32_t* fields = L::fields;
  for (int c = 0; c < L::out_channels; ++c)
    out[c] = requantize<L>(L::bias[c] - surplus + multiply_fields<bits>(fields, pairs, end),
                           L::multiplier[c]);
}

}  // namespace m0

template <class L>
void dense_int4_m0(const std::int8_t* in, std::int8_t* out, void* scratch) {
  m0::dense_small<L, 4, 7>(in, out, static_cast<std::int32_t*>(scratch));
}

template <class L>
void dense_ternary_m0(const std::int8_t* in, std::int8_t* out, void* scratch) {
  m0::dense_small<L, 2, 1>(in, out, static_cast<std::int32_t*>(scratch));
}

/// A table of all pairs of the codebook's values stands before the inputs in scratch.
template <class L>
void dense_codebook16_m0(const std::int8_t* in, std::int8_t* out, void* scratch) {
  auto* table = static_cast<std::int32_t*>(scratch);
  std::int32_t* const pairs = table + 256;
  m0::fill_pair_table(L::codebook, table);
  m0::pair_inputs<m0::dense_inputs<L>, 1, 0>(in, pairs);
  const std::int32_t* const end = pairs + m0::dense_pair_words(m0::dense_inputs<L>);
  const auto* numbers = reinterpret_cast<const std::uint8_t*>(L::fields);
  for (int c = 0; c < L::out_channels; ++c)
    out[c] = m0::requantize<L>(m0::multiply_numbered(numbers, table, pairs, end, L::bias[c]),
                               L::multiplier[c]);
}

/// Any number of bits; for its bytes, not for its speed.
template <class L>
void dense_codebook256_m0(const std::int8_t* in, std::int8_t* out, void*) {
  constexpr int bits = codebook_bits(sizeof L::codebook);
  constexpr int inputs = m0::dense_inputs<L>;
  constexpr int group = FieldGroup(bits).fields;
  const std::uint32_t* fields = L::fields;
  for (int c = 0; c < L::out_channels; ++c) {
    std::int32_t sum = L::bias[c];
    for (int first = 0; first < inputs; first += group) {
      std::int32_t weights[group];
      unpack_fields<bits, group>(fields, weights, CodebookField<bits>{L::codebook});
      const int count = inputs - first < group ? inputs - first : group;
      for (int i = 0; i < count; ++i)
        sum += weights[i] * in[first + i];
    }
    out[c] = m0::requantize<L>(sum, L::multiplier[c]);
  }
}

}  // namespace assay::kernels

// Layers that leave out zero blocks and store the weights of the others as numbers of at most 16
// values, for Armv6-M. A block is three bytes:
//   twice its distance from the block before (from the first one of the window for the first of a
//   channel), plus 1 for the last block of a channel
//   the numbers of w0 (low half) and w2
//   the numbers of w1 (low half) and w3
// L has, besides the members of layer.hpp:
//   std::int8_t stream[]       the blocks of all channels, each with at least one
//   std::int8_t values[]       the values
// and a convolution
//   std::int32_t channels[]    b' and m of each output channel
//   std::int32_t most[]        one number: the blocks of the longest channel
// a dense layer
//   std::int32_t bias[], multiplier[]    of the output channels
#pragma once

#include "targets/runtime/m0/conv.hpp"
#include "targets/runtime/m0/dense_packed.hpp"

namespace assay::kernels {

namespace m0 {

/// The blocks of a channel to records of multiply_blocks; advances `stream`. 21 instructions for a
/// block; returns the end of the records. Registers: r0 stream, r1 values, r6 records, r8 offset,
/// r2, r3, r5 and r7 weights.
ASSAY_INLINE std::int32_t* unpack_numbered_blocks(const std::int8_t*& stream,
                                                  const std::int8_t* values, std::int32_t* to) {
  register const std::int8_t* r0 asm("r0") = stream;
  register const std::int8_t* r1 asm("r1") = values;
  register std::int32_t* r6 asm("r6") = to;
  asm volatile(
      ".syntax unified\n\t"
      "movs r4, #0\n\t"
      "mov r8, r4\n"
      "1:\n\t"
      "ldrb r4, [r0]\n\t"
      "lsrs r7, r4, #1\n\t"
      "lsls r7, r7, #5\n\t"
      "add r8, r7\n\t"
      "ldrb r2, [r0, #1]\n\t"
      "lsrs r5, r2, #4\n\t"
      "ldrsb r5, [r1, r5]\n\t"
      "lsls r2, r2, #28\n\t"
      "lsrs r2, r2, #28\n\t"
      "ldrsb r2, [r1, r2]\n\t"
      "ldrb r3, [r0, #2]\n\t"
      "lsrs r7, r3, #4\n\t"
      "ldrsb r7, [r1, r7]\n\t"
      "lsls r3, r3, #28\n\t"
      "lsrs r3, r3, #28\n\t"
      "ldrsb r3, [r1, r3]\n\t"
      "adds r0, r0, #3\n\t"
      "lsrs r4, r4, #1\n\t"  // the carry is set for the last block
      "mov r4, r8\n\t"
      "stmia r6!, {r2, r3, r4, r5, r7}\n\t"
      "bcc 1b"
      : "+r"(r0), "+r"(r6)
      : "r"(r1)
      : "r2", "r3", "r4", "r5", "r7", "r8", "cc", "memory");
  stream = r0;
  return r6;
}

/// Filters of such blocks, for convolve().
template <class L>
class NumberedFilters {
 public:
  static constexpr int unpacked_bytes = blocks_unpacked_bytes(L::most[0]);
  static constexpr bool are_words = false;

  explicit NumberedFilters(std::int32_t* unpacked) : unpacked_(unpacked) {}
  ASSAY_INLINE void next() { end_ = unpack_numbered_blocks(stream_, L::values, unpacked_); }
  ASSAY_INLINE FourSums multiply(const std::int32_t*& columns, std::int32_t bias) const {
    const std::int32_t* group = columns;
    columns += 4 * conv_layout<L>.loop.steps;
    return multiply_blocks(unpacked_, end_, group, bias);
  }

 private:
  const std::int8_t* stream_ = L::stream;
  std::int32_t* unpacked_;
  const std::int32_t* end_ = nullptr;
};

/// bias + the products of a channel's blocks with pairs of inputs, (a0, a2) and (a1, a3) of each
/// four; advances `stream`. 21 instructions for four multiply-accumulates. Registers: r4 sum, r3
/// table, r6 stream, r7 pairs, r5 distance, r0 and r1 inputs, r2 weights.
ASSAY_INLINE std::int32_t multiply_numbered_blocks(const std::int8_t*& stream,
                                                   const std::int32_t* table,
                                                   const std::int32_t* pairs, std::int32_t bias) {
  register const std::int32_t* r3 asm("r3") = table;
  register std::int32_t r4 asm("r4") = bias;
  register const std::int8_t* r6 asm("r6") = stream;
  register const std::int32_t* r7 asm("r7") = pairs;
  asm volatile(
      ".syntax unified\n"
      "1:\n\t"
      "ldrb r5, [r6]\n\t"
      "lsrs r2, r5, #1\n\t"
      "lsls r2, r2, #3\n\t"
      "adds r7, r7, r2\n\t"
      "ldr r0, [r7]\n\t"
      "ldr r1, [r7, #4]\n\t"
      ASSAY_M0_NUMBERED_PAIR("1", "r0")
      ASSAY_M0_NUMBERED_PAIR("2", "r1")
      "adds r6, r6, #3\n\t"
      "lsrs r5, r5, #1\n\t"  // the carry is set for the last block
      "bcc 1b"
      : "+r"(r4), "+r"(r6), "+r"(r7)
      : "r"(r3)
      : "r0", "r1", "r2", "r5", "cc", "memory");
  stream = r6;
  return r4;
}

}  // namespace m0

template <class L>
void conv_blocks_codebook16_m0(const std::int8_t* in, std::int8_t* out, void* memory) {
  m0::convolve<L, m0::NumberedFilters<L>>(in, out, memory);
}

/// A table of all pairs of values stands before the inputs in scratch.
template <class L>
void dense_blocks_codebook16_m0(const std::int8_t* in, std::int8_t* out, void* memory) {
  auto* const table = static_cast<std::int32_t*>(memory);
  std::int32_t* const pairs = table + m0::pair_table_words;
  m0::fill_pair_table(L::values, table);
  m0::pair_inputs<m0::dense_inputs<L>, 2, 0>(in, pairs);
  const std::int8_t* stream = L::stream;
  for (int c = 0; c < L::out_channels; ++c)
    out[c] = m0::requantize<L>(m0::multiply_numbered_blocks(stream, table, pairs, L::bias[c]),
                               L::multiplier[c]);
}

}  // namespace assay::kernels

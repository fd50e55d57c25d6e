// Layers that leave out zero blocks and store the weights of the others as numbers of at most 16
// values, for cores with SMLAD; see sparse_layout.hpp for the tile and the three bytes of a block.
// Finding the two words of a block's weights takes two instructions more than expanding four bytes
// does, once for all pixels of a tile. L has, besides the members of layer.hpp:
//   std::int8_t stream[]       the blocks of all channels
//   std::int8_t values[]       the values
//   std::int32_t channels[]    [channel]{b', m}
// Scratch memory begins with the table of pairs, where a byte of two numbers finds their word.
#pragma once

#include "targets/runtime/dsp/sparse_conv.hpp"
#include "targets/runtime/dsp/sparse_dense.hpp"
#include "targets/runtime/dsp/unpack.hpp"

namespace assay::kernels {

namespace dsp {

// The next block at r0: its weights to r2 (even ones) and r3, the place in r1 moved on, and the
// carry set when it is the channel's last one. The table is on the stack: with eight sums no
// register is left for it.
#define ASSAY_NEXT_NUMBERED         \
  "ldrb r2, [r0], #3\n\t"           \
  "ldrb r12, [r0, #-2]\n\t"         \
  "ldrb lr, [r0, #-1]\n\t"          \
  "ldr r3, [sp]\n\t"                \
  "lsrs r2, r2, #1\n\t"             \
  "add r1, r1, r2, lsl %[unit]\n\t" \
  "ldr r2, [r3, r12, lsl #2]\n\t"   \
  "ldr r3, [r3, lr, lsl #2]\n\t"

// The block times the inputs of a pixel.
#define ASSAY_NUMBERED_AT(address, sum) \
  "ldrd r12, lr, " address              \
  "\n\t"                                \
  "smlad " sum ", r2, r12, " sum        \
  "\n\t"                                \
  "smlad " sum ", r3, lr, " sum "\n\t"

// At all pixels; none of it touches the carry.
#define ASSAY_NUMBERED_AT_PIXELS      \
  ASSAY_NUMBERED_AT("[r1]", "r4")     \
  ASSAY_NUMBERED_AT("[r1, #8]", "r5") \
  ".if %c[pixels] >= 4\n\t"            \
  ASSAY_NUMBERED_AT("[r1, #16]", "r6") \
  ASSAY_NUMBERED_AT("[r1, #24]", "r7") \
  ".endif\n\t"                         \
  ".if %c[pixels] == 8\n\t"            \
  ASSAY_NUMBERED_AT("[r1, #32]", "r8") \
  ASSAY_NUMBERED_AT("[r1, #40]", "r9") \
  ASSAY_NUMBERED_AT("[r1, #48]", "r10") \
  ASSAY_NUMBERED_AT("[r1, #56]", "r11") \
  ".endif\n\t"

/// Adds the blocks of a channel times the inputs of a tile to `sums`, one for each of its eight,
/// four or two pixels; returns what follows them. 33 instructions for 32 multiply-accumulates, 21
/// for 16.
template <int unit_bytes, int pixels>
ASSAY_INLINE const std::int8_t* add_numbered_blocks(const std::int8_t* stream,
                                                    const std::uint32_t* pairs,
                                                    const std::uint32_t* tile,
                                                    std::int32_t (&sums)[pixels]) {
  static_assert(pixels == 8 || pixels == 4 || pixels == 2);
  register const std::int8_t* r0 asm("r0") = stream;
  register const std::uint32_t* r1 asm("r1") = tile;
  register const std::uint32_t* r2 asm("r2") = pairs;
  // With fewer pixels the last registers are copies that nothing is added to.
  register std::int32_t r4 asm("r4") = sums[0];
  register std::int32_t r5 asm("r5") = sums[1];
  register std::int32_t r6 asm("r6") = sums[2 % pixels];
  register std::int32_t r7 asm("r7") = sums[3 % pixels];
  register std::int32_t r8 asm("r8") = sums[4 % pixels];
  register std::int32_t r9 asm("r9") = sums[5 % pixels];
  register std::int32_t r10 asm("r10") = sums[6 % pixels];
  register std::int32_t r11 asm("r11") = sums[7 % pixels];
  asm volatile(
      "push {r2}\n"
      "1:\n\t" ASSAY_NEXT_NUMBERED ASSAY_NUMBERED_AT_PIXELS
      "bcs 2f\n\t" ASSAY_NEXT_NUMBERED ASSAY_NUMBERED_AT_PIXELS
      "bcc 1b\n"
      "2:\n\t"
      "pop {r2}"
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8), "+r"(r9),
        "+r"(r10), "+r"(r11)
      : [unit] "i"(log2_of(unit_bytes)), [pixels] "i"(pixels)
      : "r3", "r12", "lr", "cc", "memory");
  sums[0] = r4, sums[1] = r5;
  if constexpr (pixels >= 4) sums[2] = r6, sums[3] = r7;
  if constexpr (pixels == 8) sums[4] = r8, sums[5] = r9, sums[6] = r10, sums[7] = r11;
  return r0;
}

#undef ASSAY_NEXT_NUMBERED
#undef ASSAY_NUMBERED_AT
#undef ASSAY_NUMBERED_AT_PIXELS

/// Adds the blocks of a channel times `inputs`, expanded to eight bytes a block; returns what
/// follows them. Eleven instructions for four multiply-accumulates.
ASSAY_INLINE const std::int8_t* add_numbered_inputs(const std::int8_t* stream,
                                                    const std::uint32_t* pairs,
                                                    const std::uint32_t* inputs,
                                                    std::int32_t& sum) {
  std::uint32_t even, odd, in_even, in_odd;
  asm volatile(
      "1:\n\t"
      "ldrb %[in_even], [%[stream]], #3\n\t"
      "ldrb %[even], [%[stream], #-2]\n\t"
      "ldrb %[odd], [%[stream], #-1]\n\t"
      "lsrs %[in_even], %[in_even], #1\n\t"
      "add %[inputs], %[inputs], %[in_even], lsl #3\n\t"
      "ldr %[even], [%[pairs], %[even], lsl #2]\n\t"
      "ldr %[odd], [%[pairs], %[odd], lsl #2]\n\t"
      "ldrd %[in_even], %[in_odd], [%[inputs]]\n\t"
      "smlad %[sum], %[even], %[in_even], %[sum]\n\t"
      "smlad %[sum], %[odd], %[in_odd], %[sum]\n\t"
      "bcc 1b"
      : [stream] "+r"(stream), [inputs] "+r"(inputs), [sum] "+r"(sum), [even] "=&r"(even),
        [odd] "=&r"(odd), [in_even] "=&r"(in_even), [in_odd] "=&r"(in_odd)
      : [pairs] "r"(pairs)
      : "cc", "memory");
  return stream;
}

}  // namespace dsp

template <class L>
void conv_blocks_codebook16_dsp(const std::int8_t* in, std::int8_t* out, void* memory) {
  constexpr auto form = dsp::SparseForm::numbered_blocks;
  auto* const pairs = static_cast<std::uint32_t*>(memory);
  dsp::PairCodebook<L>::prepare(pairs);
  dsp::convolve_sparse<L, form>(in, out, pairs + dsp::pair_table_words,
                                [pairs](auto* stream, auto* tile, auto& sums) ASSAY_INLINE_LAMBDA {
                                  return dsp::add_numbered_blocks<dsp::unit_bytes<L, form>>(
                                      stream, pairs, tile, sums);
                                });
}

template <class L>
void dense_blocks_codebook16_dsp(const std::int8_t* in, std::int8_t* out, void* memory) {
  auto* const pairs = static_cast<std::uint32_t*>(memory);
  auto* const inputs = pairs + dsp::pair_table_words;
  dsp::PairCodebook<L>::prepare(pairs);
  dsp::expand_column<dsp::dense_inputs<L>, 1>(in, inputs);
  const std::int8_t* stream = L::stream;
  dsp::for_each_channel<L>(out, [&](int, std::int32_t& sum) ASSAY_INLINE_LAMBDA {
    stream = dsp::add_numbered_inputs(stream, pairs, inputs, sum);
  });
}

}  // namespace assay::kernels

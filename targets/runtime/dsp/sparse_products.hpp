// Sums of products of the sparse convolutions: the non-zero weights of one output channel times the
// inputs of a tile at eight, four or two pixels; see sparse_layout.hpp for weights and tile. Every
// function adds to `sums`, one for each pixel, and returns what follows the weights it has read.
// With eight pixels all fourteen registers are taken: eight sums, the stream of weights, the place
// in the tile, two for weights and two for inputs; they are named because GCC does not find such an
// allocation everywhere.
#pragma once

#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/dsp/sparse_layout.hpp"

namespace assay::kernels::dsp {

// Sums in registers from r4 on.
#define ASSAY_LOAD_TWO_SUMS(sums)               \
  register std::int32_t r4 asm("r4") = sums[0]; \
  register std::int32_t r5 asm("r5") = sums[1]
#define ASSAY_LOAD_FOUR_SUMS(sums)              \
  ASSAY_LOAD_TWO_SUMS(sums);                    \
  register std::int32_t r6 asm("r6") = sums[2]; \
  register std::int32_t r7 asm("r7") = sums[3]
#define ASSAY_LOAD_EIGHT_SUMS(sums)               \
  ASSAY_LOAD_FOUR_SUMS(sums);                     \
  register std::int32_t r8 asm("r8") = sums[4];   \
  register std::int32_t r9 asm("r9") = sums[5];   \
  register std::int32_t r10 asm("r10") = sums[6]; \
  register std::int32_t r11 asm("r11") = sums[7]
#define ASSAY_TWO_SUMS "+r"(r4), "+r"(r5)
#define ASSAY_FOUR_SUMS ASSAY_TWO_SUMS, "+r"(r6), "+r"(r7)
#define ASSAY_EIGHT_SUMS ASSAY_FOUR_SUMS, "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r11)
#define ASSAY_STORE_TWO_SUMS(sums) sums[0] = r4, sums[1] = r5
#define ASSAY_STORE_FOUR_SUMS(sums) ASSAY_STORE_TWO_SUMS(sums), sums[2] = r6, sums[3] = r7
#define ASSAY_STORE_EIGHT_SUMS(sums) \
  ASSAY_STORE_FOUR_SUMS(sums), sums[4] = r8, sums[5] = r9, sums[6] = r10, sums[7] = r11

// Runs `code` with that many sums, the stream in r0, the place in the tile in r1, and whatever the
// rest of the asm statement names: more outputs, inputs, clobbers.
#define ASSAY_WITH_SUMS(count, code, ...)                           \
  ASSAY_LOAD_##count##_SUMS(sums);                                  \
  asm volatile(code : "+r"(r0), ASSAY_##count##_SUMS, __VA_ARGS__); \
  ASSAY_STORE_##count##_SUMS(sums)
#define ASSAY_ADD_PRODUCTS(stream, place, code, ...)  \
  register const std::int8_t* r0 asm("r0") = stream;  \
  register const std::uint32_t* r1 asm("r1") = place; \
  if constexpr (pixels == 8) {                        \
    ASSAY_WITH_SUMS(EIGHT, code, __VA_ARGS__);        \
  } else if constexpr (pixels == 4) {                 \
    ASSAY_WITH_SUMS(FOUR, code, __VA_ARGS__);         \
  } else {                                            \
    static_assert(pixels == 2);                       \
    ASSAY_WITH_SUMS(TWO, code, __VA_ARGS__);          \
  }                                                   \
  return r0

// Goes on by the next distance, or to label 2 at the end of the channel: of all distances only -1
// carries out of the address.
#define ASSAY_GO_ON                  \
  "ldrsb r2, [r0], #1\n\t"           \
  "adds r1, r1, r2, lsl %[unit]\n\t" \
  "bcs 2f\n\t"

// The next block of four weights: even ones to r2, odd ones to r3.
#define ASSAY_NEXT_BLOCK \
  ASSAY_GO_ON            \
  "ldr r3, [r0], #4\n\t" \
  "sxtb16 r2, r3\n\t"    \
  "sxtb16 r3, r3, ror #8\n\t"

// The block times the inputs of a pixel.
#define ASSAY_BLOCK_AT(address, sum) \
  "ldrd r12, lr, " address           \
  "\n\t"                             \
  "smlad " sum ", r2, r12, " sum     \
  "\n\t"                             \
  "smlad " sum ", r3, lr, " sum "\n\t"

// The weight in r2 times the inputs of four pixels: halves of two words.
#define ASSAY_WEIGHT_AT(address, low0, low1, high0, high1) \
  "ldrd r12, lr, " address                                 \
  "\n\t"                                                   \
  "smlabb " low0 ", r2, r12, " low0                        \
  "\n\t"                                                   \
  "smlabt " high0 ", r2, r12, " high0                      \
  "\n\t"                                                   \
  "smlabb " low1 ", r2, lr, " low1                         \
  "\n\t"                                                   \
  "smlabt " high1 ", r2, lr, " high1 "\n\t"

// The weight in r2 times the inputs of all pixels; `first` is the address of the first ones.
#define ASSAY_WEIGHT_AT_ALL(first) \
  ".if %c[pixels] == 8\n\t"                            \
  ASSAY_WEIGHT_AT("[r1, #8]", "r6", "r7", "r10", "r11") \
  ASSAY_WEIGHT_AT(first, "r4", "r5", "r8", "r9")       \
  ".elseif %c[pixels] == 4\n\t"                        \
  ASSAY_WEIGHT_AT(first, "r4", "r5", "r6", "r7")       \
  ".else\n\t"                                          \
  "ldr r12, " first                                    \
  "\n\t"                                               \
  "smlabb r4, r2, r12, r4\n\t"                         \
  "smlabt r5, r2, r12, r5\n\t"                         \
  ".endif\n\t"

// Goes on to the topmost bit left in r3; its weight to r2.
#define ASSAY_NEXT_MARKED            \
  "clz r2, r3\n\t"                   \
  "lsl r3, r3, r2\n\t"               \
  "add r1, r1, r2, lsl %[shift]\n\t" \
  "ldrsb r2, [r0], #1\n\t"

#define ASSAY_BLOCKS \
  "1:\n\t"                             \
  ".rept 4\n\t"                        \
  ASSAY_NEXT_BLOCK                     \
  ASSAY_BLOCK_AT("[r1]", "r4")         \
  ASSAY_BLOCK_AT("[r1, #8]", "r5")     \
  ".if %c[pixels] >= 4\n\t"            \
  ASSAY_BLOCK_AT("[r1, #16]", "r6")    \
  ASSAY_BLOCK_AT("[r1, #24]", "r7")    \
  ".endif\n\t"                         \
  ".if %c[pixels] == 8\n\t"            \
  ASSAY_BLOCK_AT("[r1, #32]", "r8")    \
  ASSAY_BLOCK_AT("[r1, #40]", "r9")    \
  ASSAY_BLOCK_AT("[r1, #48]", "r10")   \
  ASSAY_BLOCK_AT("[r1, #56]", "r11")   \
  ".endif\n\t"                         \
  ".endr\n\t"                          \
  "b 1b\n"                             \
  "2:" ASSAY_LINES_48 ASSAY_LINES_48

#define ASSAY_SINGLE_WEIGHTS \
  "1:\n\t"                      \
  ".rept 4\n\t"                 \
  ASSAY_GO_ON                   \
  "ldrsb r2, [r0], #1\n\t"      \
  ASSAY_WEIGHT_AT_ALL("[r1]")   \
  ".endr\n\t"                   \
  "b 1b\n"                      \
  "2:" ASSAY_LINES_48

#define ASSAY_MARKED_WEIGHTS \
  "cbz r3, 2f\n"                       \
  "1:\n\t"                             \
  ASSAY_NEXT_MARKED                    \
  ASSAY_WEIGHT_AT_ALL("[r1], %[pitch]") \
  "lsls r3, r3, #1\n\t"                \
  "bne 1b\n"                           \
  "2:"

/// Blocks up to the end of a channel: thirty instructions for eight pixels, 32
/// multiply-accumulates.
template <int unit_bytes, int pixels>
ASSAY_INLINE const std::int8_t* add_blocks(const std::int8_t* stream, const std::uint32_t* tile,
                                           std::int32_t (&sums)[pixels]) {
  ASSAY_ADD_PRODUCTS(stream, tile, ASSAY_BLOCKS, "+r"(r1)
                     : [pixels] "i"(pixels), [unit] "i"(log2_of(unit_bytes))
                     : "r2", "r3", "r12", "lr", "cc", "memory");
}

/// Single weights up to the end of a channel: fourteen instructions for eight pixels.
template <int unit_bytes, int pixels>
ASSAY_INLINE const std::int8_t* add_single_weights(const std::int8_t* stream,
                                                   const std::uint32_t* tile,
                                                   std::int32_t (&sums)[pixels]) {
  ASSAY_ADD_PRODUCTS(stream, tile, ASSAY_SINGLE_WEIGHTS, "+r"(r1)
                     : [pixels] "i"(pixels), [unit] "i"(log2_of(unit_bytes))
                     : "r2", "r12", "lr", "cc", "memory");
}

/// The weights of a run of channels; the topmost of `bits` stands for the cell at `cell`, each
/// further one for a cell `pitch` bytes on. Sixteen instructions for eight pixels.
template <int pitch, int pixels>
ASSAY_INLINE const std::int8_t* add_marked_weights(const std::int8_t* weights, std::uint32_t bits,
                                                   const std::uint32_t* cell,
                                                   std::int32_t (&sums)[pixels]) {
  register std::uint32_t r3 asm("r3") = bits;
  ASSAY_ADD_PRODUCTS(weights, cell, ASSAY_MARKED_WEIGHTS, "+r"(r1), "+r"(r3)
                     : [pixels] "i"(pixels), [shift] "i"(log2_of(pitch)), [pitch] "i"(pitch)
                     : "r2", "r12", "lr", "cc", "memory");
}

#undef ASSAY_LOAD_TWO_SUMS
#undef ASSAY_LOAD_FOUR_SUMS
#undef ASSAY_LOAD_EIGHT_SUMS
#undef ASSAY_TWO_SUMS
#undef ASSAY_FOUR_SUMS
#undef ASSAY_EIGHT_SUMS
#undef ASSAY_STORE_TWO_SUMS
#undef ASSAY_STORE_FOUR_SUMS
#undef ASSAY_STORE_EIGHT_SUMS
#undef ASSAY_WITH_SUMS
#undef ASSAY_ADD_PRODUCTS
#undef ASSAY_GO_ON
#undef ASSAY_NEXT_BLOCK
#undef ASSAY_BLOCK_AT
#undef ASSAY_WEIGHT_AT
#undef ASSAY_WEIGHT_AT_ALL
#undef ASSAY_NEXT_MARKED
#undef ASSAY_BLOCKS
#undef ASSAY_SINGLE_WEIGHTS
#undef ASSAY_MARKED_WEIGHTS

/// The bits of a run of `weights` channels, the first one topmost.
template <int weights>
ASSAY_INLINE std::uint32_t load_bits(const std::int8_t* stream) {
  std::uint32_t bits = 0;
  __builtin_memcpy(&bits, stream, bitmap_bytes(weights));
  return bits << (32 - 8 * bitmap_bytes(weights));
}

}  // namespace assay::kernels::dsp

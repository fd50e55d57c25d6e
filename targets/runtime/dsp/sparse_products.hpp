// Sums of products of the sparse kernels: the non-zero weights of one output channel times a tile;
// see sparse_layout.hpp for both. Every function adds to `sums`, one for each pixel, and returns
// what follows the weights it has read. With eight pixels all fourteen registers are taken: eight
// sums, the stream of weights, the place in the tile, two for weights and two for inputs; they are
// named because GCC does not find such an allocation everywhere. Fewer are left to the compiler.
#pragma once

#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/dsp/sparse_layout.hpp"

namespace assay::kernels::dsp {

/// Sums of the pixels of a tile.
template <int pixels>
using PixelSums = std::int32_t[pixels];

// Eight sums in r4 to r11, the stream in r0, the place in the tile in r1; r2, r3, r12, lr are free.
#define ASSAY_LOAD_EIGHT_SUMS(stream, place, sums)    \
  register const std::int8_t* r0 asm("r0") = stream;  \
  register const std::uint32_t* r1 asm("r1") = place; \
  register std::int32_t r4 asm("r4") = sums[0];       \
  register std::int32_t r5 asm("r5") = sums[1];       \
  register std::int32_t r6 asm("r6") = sums[2];       \
  register std::int32_t r7 asm("r7") = sums[3];       \
  register std::int32_t r8 asm("r8") = sums[4];       \
  register std::int32_t r9 asm("r9") = sums[5];       \
  register std::int32_t r10 asm("r10") = sums[6];     \
  register std::int32_t r11 asm("r11") = sums[7]
#define ASSAY_EIGHT_SUMS                                                                     \
  "+r"(r0), "+r"(r1), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8), "+r"(r9), "+r"(r10), \
      "+r"(r11)
#define ASSAY_STORE_EIGHT_SUMS(sums)                      \
  sums[0] = r4, sums[1] = r5, sums[2] = r6, sums[3] = r7; \
  sums[4] = r8, sums[5] = r9, sums[6] = r10, sums[7] = r11

// Inputs at `offset` of the place times a block: its even weights in r2, its odd ones in r3.
#define ASSAY_BLOCK_AT(offset, sum) \
  "ldrd r12, lr, [r1, #" offset     \
  "]\n\t"                           \
  "smlad " sum ", r2, r12, " sum    \
  "\n\t"                            \
  "smlad " sum ", r3, lr, " sum "\n\t"

// Inputs of four pixels, loaded by `address`, times the weight in r2.
#define ASSAY_WEIGHT_AT(address, sum0, sum1, sum4, sum5) \
  "ldrd r12, lr, " address                               \
  "\n\t"                                                 \
  "smlabb " sum0 ", r2, r12, " sum0                      \
  "\n\t"                                                 \
  "smlabt " sum4 ", r2, r12, " sum4                      \
  "\n\t"                                                 \
  "smlabb " sum1 ", r2, lr, " sum1                       \
  "\n\t"                                                 \
  "smlabt " sum5 ", r2, lr, " sum5 "\n\t"

/// Blocks up to the end of a channel: thirty instructions for thirty-two multiply-accumulates.
template <int unit_bytes>
ASSAY_INLINE const std::int8_t* add_blocks(const std::int8_t* stream, const std::uint32_t* tile,
                                           PixelSums<8>& sums) {
  ASSAY_LOAD_EIGHT_SUMS(stream, tile, sums);
  // Of all distances only -1, the end, carries out of the address.
  asm volatile(
      "1:\n\t"
      ".rept 4\n\t"
      "ldrsb r2, [r0], #1\n\t"
      "adds r1, r1, r2, lsl %[unit]\n\t"
      "bcs 2f\n\t"
      "ldr r3, [r0], #4\n\t"
      "sxtb16 r2, r3\n\t"
      "sxtb16 r3, r3, ror #8\n\t"
      ASSAY_BLOCK_AT("0", "r4")
      ASSAY_BLOCK_AT("8", "r5")
      ASSAY_BLOCK_AT("16", "r6")
      ASSAY_BLOCK_AT("24", "r7")
      ASSAY_BLOCK_AT("32", "r8")
      ASSAY_BLOCK_AT("40", "r9")
      ASSAY_BLOCK_AT("48", "r10")
      ASSAY_BLOCK_AT("56", "r11")
      ".endr\n\t"
      "b 1b\n"
      "2:" ASSAY_LINES_48 ASSAY_LINES_48
      : ASSAY_EIGHT_SUMS
      : [unit] "i"(log2_of(unit_bytes))
      : "r2", "r3", "r12", "lr", "cc", "memory");
  ASSAY_STORE_EIGHT_SUMS(sums);
  return r0;
}

/// Single weights up to the end of a channel: fourteen instructions for eight
/// multiply-accumulates.
template <int unit_bytes>
ASSAY_INLINE const std::int8_t* add_single_weights(const std::int8_t* stream,
                                                   const std::uint32_t* tile, PixelSums<8>& sums) {
  ASSAY_LOAD_EIGHT_SUMS(stream, tile, sums);
  asm volatile(
      "1:\n\t"
      ".rept 4\n\t"
      "ldrsb r2, [r0], #1\n\t"
      "adds r1, r1, r2, lsl %[unit]\n\t"
      "bcs 2f\n\t"
      "ldrsb r2, [r0], #1\n\t"
      ASSAY_WEIGHT_AT("[r1]", "r4", "r5", "r8", "r9")
      ASSAY_WEIGHT_AT("[r1, #8]", "r6", "r7", "r10", "r11")
      ".endr\n\t"
      "b 1b\n"
      "2:" ASSAY_LINES_48
      : ASSAY_EIGHT_SUMS
      : [unit] "i"(log2_of(unit_bytes))
      : "r2", "r3", "r12", "lr", "cc", "memory");
  ASSAY_STORE_EIGHT_SUMS(sums);
  return r0;
}

/// The weights of a run of channels; the topmost of `bits` stands for the cell at `cell`, each
/// further one for a cell `pitch` bytes on. Sixteen instructions for eight multiply-accumulates.
template <int pitch>
ASSAY_INLINE const std::int8_t* add_marked_weights(const std::int8_t* weights, std::uint32_t bits,
                                                   const std::uint32_t* cell, PixelSums<8>& sums) {
  ASSAY_LOAD_EIGHT_SUMS(weights, cell, sums);
  register std::uint32_t r3 asm("r3") = bits;
  asm volatile(
      "cbz r3, 2f\n"
      "1:\n\t"
      "clz r2, r3\n\t"
      "lsl r3, r3, r2\n\t"
      "add r1, r1, r2, lsl %[shift]\n\t"
      "ldrsb r2, [r0], #1\n\t"
      ASSAY_WEIGHT_AT("[r1, #8]", "r6", "r7", "r10", "r11")
      ASSAY_WEIGHT_AT("[r1], %[pitch]", "r4", "r5", "r8", "r9")
      "lsls r3, r3, #1\n\t"
      "bne 1b\n"
      "2:"
      : ASSAY_EIGHT_SUMS, "+r"(r3)
      : [shift] "i"(log2_of(pitch)), [pitch] "i"(pitch)
      : "r2", "r12", "lr", "cc", "memory");
  ASSAY_STORE_EIGHT_SUMS(sums);
  return r0;
}

#undef ASSAY_LOAD_EIGHT_SUMS
#undef ASSAY_EIGHT_SUMS
#undef ASSAY_STORE_EIGHT_SUMS
#undef ASSAY_BLOCK_AT
#undef ASSAY_WEIGHT_AT

/// The same for fewer pixels.
template <int unit_bytes, int pixels>
ASSAY_INLINE const std::int8_t* add_blocks(const std::int8_t* stream, const std::uint32_t* tile,
                                           PixelSums<pixels>& sums) {
  for (int distance; (distance = *stream++) >= 0;) {
    tile += distance * (unit_bytes / 4);
    const std::uint32_t block = load_word(stream);
    stream += 4;
    const std::uint32_t even = sxtb16(block), odd = sxtb16_odd(block);
    for (int j = 0; j < pixels; ++j)
      sums[j] = smlad(odd, tile[2 * j + 1], smlad(even, tile[2 * j], sums[j]));
  }
  return stream;
}

/// One weight at the pixels of a cell.
template <int pixels>
ASSAY_INLINE void add_weight(std::int16_t weight, const std::uint32_t* cell,
                             PixelSums<pixels>& sums) {
  for (int j = 0; j < pixels / 2; ++j) {
    sums[j] += weight * static_cast<std::int16_t>(cell[j]);
    sums[j + pixels / 2] += weight * static_cast<std::int16_t>(cell[j] >> 16);
  }
}

template <int unit_bytes, int pixels>
ASSAY_INLINE const std::int8_t* add_single_weights(const std::int8_t* stream,
                                                   const std::uint32_t* tile,
                                                   PixelSums<pixels>& sums) {
  for (int distance; (distance = *stream++) >= 0;) {
    tile += distance * (unit_bytes / 4);
    add_weight<pixels>(*stream++, tile, sums);
  }
  return stream;
}

template <int pitch, int pixels>
ASSAY_INLINE const std::int8_t* add_marked_weights(const std::int8_t* weights, std::uint32_t bits,
                                                   const std::uint32_t* cell,
                                                   PixelSums<pixels>& sums) {
  for (; bits != 0; bits <<= 1, cell += pitch / 4) {
    const int zeros = __builtin_clz(bits);
    bits <<= zeros;
    cell += zeros * (pitch / 4);
    add_weight<pixels>(*weights++, cell, sums);
  }
  return weights;
}

/// The bits of a run of `weights` channels, the first one topmost.
template <int weights>
ASSAY_INLINE std::uint32_t load_bits(const std::int8_t* stream) {
  std::uint32_t bits = 0;
  __builtin_memcpy(&bits, stream, bitmap_bytes(weights));
  return bits << (32 - 8 * bitmap_bytes(weights));
}

}  // namespace assay::kernels::dsp

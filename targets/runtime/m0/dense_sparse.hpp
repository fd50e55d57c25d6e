// Dense layers that skip zero weights for Armv6-M: one output channel at a time. L has, besides the
// members of layer.hpp, std::int32_t bias[] and multiplier[] of the output channels and the arrays
// that conv_sparse.hpp describes for each form.
#pragma once

#include "targets/runtime/inline.hpp"
#include "targets/runtime/m0/layout.hpp"
#include "targets/runtime/m0/requantize.hpp"

namespace assay::kernels {

namespace m0 {

/// bias + the products of blocks of four weights, at least one of them, with inputs that are words.
/// Advances both streams to their ends. 22 instructions for four multiply-accumulates. Registers:
/// r0-r2 and r7 inputs and products, r3 positions, r4 weight, r5 four weights, r6 weights, r8 sum.
template <class Position>
ASSAY_INLINE std::int32_t multiply_dense_blocks(const Position*& positions, const Position* end,
                                                const std::uint32_t*& weights,
                                                const std::int32_t* inputs, std::int32_t bias) {
  register std::int32_t r0 asm("r0") = bias;
  register const Position* r3 asm("r3") = positions;
  register const std::uint32_t* r6 asm("r6") = weights;
  register const std::int32_t* r9 asm("r9") = inputs;
  register const Position* r10 asm("r10") = end;
  asm volatile(
      ".syntax unified\n\t"
      "mov r8, r0\n"
      "1:\n\t"
      ".if %c[size] == 1\n\t"
      "ldrb r7, [r3]\n\t"
      ".else\n\t"
      "ldrh r7, [r3]\n\t"
      ".endif\n\t"
      "adds r3, r3, #%c[size]\n\t"
      "lsls r7, r7, #4\n\t"
      "add r7, r9\n\t"
      "ldmia r7, {r0, r1, r2, r7}\n\t"
      "ldmia r6!, {r5}\n\t"
      "sxtb r4, r5\n\t"
      "muls r0, r4, r0\n\t"
      "lsls r4, r5, #16\n\t"
      "asrs r4, r4, #24\n\t"
      "muls r1, r4, r1\n\t"
      "adds r0, r0, r1\n\t"
      "lsls r4, r5, #8\n\t"
      "asrs r4, r4, #24\n\t"
      "muls r2, r4, r2\n\t"
      "adds r0, r0, r2\n\t"
      "asrs r5, r5, #24\n\t"
      "muls r7, r5, r7\n\t"
      "adds r0, r0, r7\n\t"
      "add r8, r0\n\t"
      "cmp r3, r10\n\t"
      "bne 1b\n\t"
      "mov r0, r8"
      : "+r"(r0), "+r"(r3), "+r"(r6)
      : [size] "i"(sizeof(Position)), "r"(r9), "r"(r10)
      : "r1", "r2", "r4", "r5", "r7", "r8", "cc", "memory");
  positions = r3;
  weights = r6;
  return r0;
}

/// bias + the products of `count` weights, which end at `values` as their steps do at `steps`.
__attribute__((noinline)) inline std::int32_t multiply_scattered(const std::int8_t* input,
                                                                 const std::uint8_t* steps,
                                                                 const std::int8_t* values,
                                                                 int count, std::int32_t bias) {
  --input;
  for (int i = -count; i != 0; ++i) {
    input += steps[i];
    bias += *input * values[i];
  }
  return bias;
}

/// bias + the products of the inputs whose bit is set; advances `values`.
__attribute__((noinline)) inline std::int32_t multiply_set(const std::int8_t* input,
                                                           std::uint32_t bits,
                                                           const std::int8_t*& values,
                                                           std::int32_t bias) {
  const std::int8_t* value = values;
  for (; bits != 0; bits >>= 1, ++input)
    if (bits & 1) bias += *input * *value++;
  values = value;
  return bias;
}

}  // namespace m0

template <class L>
void dense_blocks_m0(const std::int8_t* in, std::int8_t* out, void* scratch) {
  constexpr int inputs = L::in_height * L::in_width * L::in_channels;
  auto* words = static_cast<std::int32_t*>(scratch);
  for (int i = 0; i < round_up(inputs, 4); ++i)
    words[i] = i < inputs ? in[i] : 0;
  auto* position = &L::positions[0];
  const std::uint32_t* weights = L::weights;
  for (int c = 0; c < L::out_channels; ++c) {
    std::int32_t sum = L::bias[c];
    if (const int count = L::counts[c])
      sum = m0::multiply_dense_blocks(position, position + count, weights, words, sum);
    out[c] = m0::requantize<L>(sum, L::multiplier[c]);
  }
}

template <class L>
void dense_unstructured_m0(const std::int8_t* in, std::int8_t* out, void*) {
  const std::uint8_t* steps = L::steps;
  const std::int8_t* values = L::values;
  for (int c = 0; c < L::out_channels; ++c) {
    const int count = L::counts[c];
    steps += count;
    values += count;
    out[c] = m0::requantize<L>(m0::multiply_scattered(in, steps, values, count, L::bias[c]),
                               L::multiplier[c]);
  }
}

template <class L>
void dense_bitmap_m0(const std::int8_t* in, std::int8_t* out, void*) {
  constexpr int inputs = L::in_height * L::in_width * L::in_channels;
  const std::uint32_t* bits = L::bits;
  const std::int8_t* values = L::values;
  for (int c = 0; c < L::out_channels; ++c) {
    std::int32_t sum = L::bias[c];
    for (int first = 0; first < inputs; first += 32)
      sum = m0::multiply_set(in + first, *bits++, values, sum);
    out[c] = m0::requantize<L>(sum, L::multiplier[c]);
  }
}

}  // namespace assay::kernels

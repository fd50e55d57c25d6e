// Dense layer for cores with SMLAD: eight output channels at a time over the whole input; see
// layout.hpp for the weight format. L has, besides the members of layer.hpp:
//   std::uint32_t pairs[]       for each block of eight channels: b' of the low channel of each
//                               pair, b' of each pair's sums of both (of its high channel, where
//                               there are parts), [word of 2 inputs][channel pair] weights, m of
//                               each channel, and how far the next block lies behind. The one to
//                               six channels that are left follow in the same way, one to three
//                               pairs (fewer than eight channels: up to four).
//   std::int32_t parts[]        0 where 256 * (A1 + b') stays within 32 bits, else in how many
//   parts
//                               the inputs are summed, so that 256 * A1 of each does
#pragma once

#include "targets/runtime/dsp/layout.hpp"
#include "targets/runtime/dsp/requantize_asm.hpp"
#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels {

namespace dsp {

template <class L>
inline constexpr DenseLayout dense_layout{L::in_height * L::in_width * L::in_channels,
                                          L::out_channels};

// Two pairs of channels times the two inputs in register `a`.
#define ASSAY_DENSE_TWO_PAIRS(a, both0, both1, low0, low1) \
  "ldrd r2, r3, [r0], #8\n\t"                              \
  "smlad " both0 ", r2, " a ", " both0                     \
  "\n\t"                                                   \
  "sxtb16 r2, r2\n\t"                                      \
  "smlad " both1 ", r3, " a ", " both1                     \
  "\n\t"                                                   \
  "smlad " low0 ", r2, " a ", " low0                       \
  "\n\t"                                                   \
  "sxtb16 r3, r3\n\t"                                      \
  "smlad " low1 ", r3, " a ", " low1 "\n\t"

// The end of a part: a pair's A1 goes to the sum in memory, and its accumulators agree again.
#define ASSAY_DENSE_END_PART(pair, low, both)                                                \
  "ldr r2, [sp, #16 + 4 * " pair "]\n\tsub " both ", " both ", " low "\n\tadd r2, r2, " both \
  ", asr #8\n\tstr r2, [sp, #16 + 4 * " pair "]\n\tmov " both ", " low "\n\t"

// Two pairs of channels to outputs first .. first + 3 at r12.
#define ASSAY_DENSE_PUT(first, low0, both0, low1, both1)                                        \
  "ldmia r0!, {r1, r2, r3, lr}\n\t"                                                             \
  ".if %c[parts] == 0\n\tsub " both0 ", " both0 ", " low0 "\n\tsub " both1 ", " both1 ", " low1 \
  "\n\t.endif\n\t" ASSAY_REQUANTIZE_TWO(low0, "low_shift", "r1", both0, "high_shift", "r2")     \
      ASSAY_REQUANTIZE_TWO(low1, "low_shift", "r3", both1, "high_shift",                        \
                           "lr") "strb " low0 ", [r12, #" first "]\n\tstrb " both0              \
                                 ", [r12, #" first                                              \
                                 " + 1]\n\t"                                                    \
                                 "strb " low1 ", [r12, #" first " + 2]\n\tstrb " both1          \
                                 ", [r12, #" first " + 3]\n\t"

/// The outputs of all whole blocks. 29 instructions for 32 multiply-accumulates. Registers: r4-r7
/// sums of the low channels (A0), r8-r11 of both (256 * A1 + A0), r0 weights, r1 inputs, r2 and r3
/// weights, r12 and lr inputs: all fourteen. On the stack: inputs, end of the part, where the block
/// goes, end of the weights; with parts, the sums of the high channels and the end of the inputs.
/// The first iteration enters where the steps are left that make no whole iteration.
template <class L>
ASSAY_INLINE void multiply_blocks(const std::uint32_t* inputs, std::int8_t* out) {
  constexpr DenseLayout layout = dense_layout<L>;
  constexpr int parts = L::parts[0];
  constexpr int first_part = layout.first_part_steps();
  register const std::uint32_t* r0 asm("r0") = L::pairs;
  register const std::uint32_t* r1 asm("r1") = inputs;
  register const std::uint32_t* r2 asm("r2") = inputs + 2 * (parts ? 0 : layout.steps);
  register std::int8_t* r3 asm("r3") = out;
  register const std::uint32_t* r12 asm("r12") = L::pairs + layout.blocks * layout.block_words();
  asm volatile(
      ".if %c[parts]\n\t"
      "sub sp, sp, #20\n\t"
      "movw lr, #8 * %c[steps]\n\t"
      "add r2, r1, lr\n\t"
      "str r2, [sp, #16]\n\t"
      ".endif\n\t"
      "push {r1, r2, r3, r12}\n"
      "1:\n\t"
      "ldmia r0!, {r4-r11}\n\t"
      "ldr r1, [sp]\n\t"
      ".if %c[parts]\n\t"
      "add r2, sp, #16\n\t"
      "stmia r2, {r8-r11}\n\t"
      "mov r8, r4\n\t"
      "mov r9, r5\n\t"
      "mov r10, r6\n\t"
      "mov r11, r7\n\t"
      "add r2, r1, #8 * %c[first_part]\n\t"
      "str r2, [sp, #4]\n\t"
      ".endif\n\t"
      ".if %c[entry] > 0\n\tb 3f\n\t.endif\n"
      "2:\n\t"
      ".set assay_i, 0\n\t"
      ".rept %c[unroll]\n\t"
      ".if %c[entry] > 0 && assay_i == %c[entry]\n3:\n\t.endif\n\t"
      "ldrd r12, lr, [r1], #8\n\t"  //
      ASSAY_DENSE_TWO_PAIRS("r12", "r8", "r9", "r4", "r5")
      ASSAY_DENSE_TWO_PAIRS("r12", "r10", "r11", "r6", "r7")
      ASSAY_DENSE_TWO_PAIRS("lr", "r8", "r9", "r4", "r5")
      ASSAY_DENSE_TWO_PAIRS("lr", "r10", "r11", "r6", "r7")
      ".set assay_i, assay_i + 1\n\t"
      ".endr\n\t"
      ".if %c[steps] > %c[unroll]\n\t"
      "ldr r2, [sp, #4]\n\t"
      "cmp r1, r2\n\t"
      "bne 2b\n\t"
      ".endif\n\t"
      ".if %c[parts]\n\t"  //
      ASSAY_DENSE_END_PART("0", "r4", "r8") ASSAY_DENSE_END_PART("1", "r5", "r9")
      ASSAY_DENSE_END_PART("2", "r6", "r10") ASSAY_DENSE_END_PART("3", "r7", "r11")
      "add r2, r1, #8 * %c[part_steps]\n\t"
      "str r2, [sp, #4]\n\t"
      "ldr r2, [sp, #32]\n\t"
      "cmp r1, r2\n\t"
      "bne 2b\n\t"
      "add r2, sp, #16\n\t"
      "ldmia r2, {r8-r11}\n\t"
      ".endif\n\t"
      "ldr r12, [sp, #8]\n\t"  //
      ASSAY_DENSE_PUT("0", "r4", "r8", "r5", "r9") ASSAY_DENSE_PUT("4", "r6", "r10", "r7", "r11")
      "ldr r1, [r0], #4\n\t"
      "ldr r2, [sp, #12]\n\t"
      "add r12, r12, r1\n\t"
      "str r12, [sp, #8]\n\t"
      "cmp r0, r2\n\t"
      "bne 1b\n\t"
      "add sp, sp, #16\n\t"
      ".if %c[parts]\n\tadd sp, sp, #20\n\t.endif" ASSAY_LINES_192 ASSAY_LINES_192
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r12)
      : [parts] "i"(parts), [steps] "i"(layout.steps), [first_part] "i"(first_part),
        [part_steps] "i"(layout.part_steps()), [unroll] "i"(layout.unroll),
        [entry] "i"(layout.entry()), [low_shift] "i"(L::accumulator_shift),
        [high_shift] "i"(L::accumulator_shift + (parts ? 0 : 8)), ASSAY_REQUANTIZE_OPERANDS(L)
      : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "lr", "cc", "memory");
}

#undef ASSAY_DENSE_TWO_PAIRS
#undef ASSAY_DENSE_END_PART
#undef ASSAY_DENSE_PUT

/// Adds the products of `steps` steps to the sums of one to four pairs; returns the weights after
/// them.
template <int pairs>
ASSAY_INLINE const std::uint32_t* multiply_pairs(const std::uint32_t* weights,
                                                 const std::uint32_t* inputs, int steps,
                                                 std::int32_t (&low)[pairs],
                                                 std::int32_t (&both)[pairs]) {
  const std::uint32_t* const end = inputs + 2 * steps;
#pragma GCC unroll 4
  do {
    for (int word = 0; word < 2; ++word)
      for (int i = 0; i < pairs; ++i) {
        const std::uint32_t raw = *weights++;
        both[i] = smlad(raw, inputs[word], both[i]);
        low[i] = smlad(sxtb16(raw), inputs[word], low[i]);
      }
    inputs += 2;
  } while (inputs != end);
  return weights;
}

/// The channels that make no whole block.
template <class L, int count>
ASSAY_INLINE void multiply_rest(const std::uint32_t* inputs, std::int8_t* out) {
  constexpr DenseLayout layout = dense_layout<L>;
  constexpr int pairs = (count + 1) / 2, parts = L::parts[0];
  const std::uint32_t* weights = L::pairs + layout.blocks * layout.block_words();
  std::int32_t low[pairs], both[pairs], high[pairs];
  for (int i = 0; i < pairs; ++i) {
    low[i] = static_cast<std::int32_t>(weights[i]);
    high[i] = static_cast<std::int32_t>(weights[pairs + i]);
    both[i] = parts ? low[i] : high[i];
  }
  weights += 2 * pairs;
  int steps = parts ? layout.first_part_steps() : layout.steps;
  for (const std::uint32_t* const end = inputs + 2 * layout.steps; inputs != end;) {
    weights = multiply_pairs<pairs>(weights, inputs, steps, low, both);
    inputs += 2 * steps;
    steps = layout.part_steps();
    for (int i = 0; i < pairs && parts; ++i) {
      high[i] += (both[i] - low[i]) >> 8;
      both[i] = low[i];
    }
  }
  for (int i = 0; i < count; ++i) {
    const auto multiplier = static_cast<std::int32_t>(weights[i]);
    if (i % 2 == 0)
      out[i] = requantize<L>(low[i / 2], multiplier);
    else
      out[i] = parts ? requantize<L>(high[i / 2], multiplier)
                     : requantize<L, 8>(both[i / 2] - low[i / 2], multiplier);
  }
}

/// The input as int16 in the order of a step.
template <int inputs>
ASSAY_INLINE void expand_inputs(const std::int8_t* in, std::uint32_t* to) {
#pragma GCC unroll 4
  for (int i = 0; i < inputs / 4; ++i, in += 4, to += 2) {
    const std::uint32_t word = load_word(in);
    to[0] = sxtb16(word);
    to[1] = sxtb16_odd(word);
  }
  auto* halves = reinterpret_cast<std::int16_t*>(to);
  for (int i = 0; i < inputs % 4; ++i)
    halves[(i & 1) * 2 + (i >> 1)] = in[i];
}

}  // namespace dsp

template <class L>
void dense_dsp(const std::int8_t* in, std::int8_t* out, void* memory) {
  constexpr dsp::DenseLayout layout = dsp::dense_layout<L>;
  auto* inputs = static_cast<std::uint32_t*>(memory);
  dsp::expand_inputs<L::in_height * L::in_width * L::in_channels>(in, inputs);
  if constexpr (layout.blocks > 0) dsp::multiply_blocks<L>(inputs, out);
  if constexpr (layout.rest > 0)
    dsp::multiply_rest<L, layout.rest>(inputs, out + L::out_channels - layout.rest);
}

}  // namespace assay::kernels

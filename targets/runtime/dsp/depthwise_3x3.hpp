// Depthwise 3x3 convolution with strides of 1 or 2 for cores with SMLAD: one channel of two input
// rows in a word, so that one SMLAD does two taps of a column, and two output rows are made of the
// same words; see RowPairLayout in layout.hpp. Needs four channels or more. L has, besides the
// members of layer.hpp:
//   std::uint32_t filters[]   for each channel of each block of four: for each column of the kernel
//                             the bytes w0, w1, w1, w2 from top to bottom; b'; m
#pragma once

#include "targets/runtime/dsp/layout.hpp"
#include "targets/runtime/dsp/requantize_asm.hpp"
#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels {

namespace dsp {

template <class L>
inline constexpr RowPairLayout row_pairs{L::out_height, L::out_width, L::stride_height,
                                         L::stride_width, L::out_channels};

/// One position of two input rows.
struct PairedInputs {
  std::uint32_t channel[4];  ///< (upper, lower)
};

template <class L>
using PairedRow = PairedInputs[row_pairs<L>.columns];

ASSAY_INLINE void pair_inputs(std::uint32_t upper, std::uint32_t lower, PairedInputs& to) {
  const std::uint32_t low = join_bottoms(upper, lower), high = join_tops(upper, lower);
  to = {{sxtb16(low), sxtb16_odd(low), sxtb16(high), sxtb16_odd(high)}};
}

/// The same of the words at `upper` and `lower`; all three advance, the inputs to the next
/// position. Nine instructions.
template <int step>
ASSAY_INLINE void pair_next(const std::int8_t*& upper, const std::int8_t*& lower,
                            PairedInputs*& to) {
  asm volatile(
      ".if %c[step] < 256\n\t"
      "ldr r4, [%[upper]], #%c[step]\n\t"
      "ldr r5, [%[lower]], #%c[step]\n\t"
      ".else\n\t"
      "ldr r4, [%[upper]]\n\t"
      "ldr r5, [%[lower]]\n\t"
      "movw r6, #%c[step]\n\t"
      "add %[upper], %[upper], r6\n\t"
      "add %[lower], %[lower], r6\n\t"
      ".endif\n\t"
      "pkhtb r7, r5, r4, asr #16\n\t"
      "pkhbt r5, r4, r5, lsl #16\n\t"
      "sxtb16 r4, r5\n\t"
      "sxtb16 r5, r5, ror #8\n\t"
      "sxtb16 r6, r7\n\t"
      "sxtb16 r7, r7, ror #8\n\t"
      "stmia %[to]!, {r4-r7}"
      : [upper] "+r"(upper), [lower] "+r"(lower), [to] "+r"(to)
      : [step] "i"(step)
      : "r4", "r5", "r6", "r7", "memory");
}

/// Expands four channels of input rows y and y + 1, which may lie in the padding.
template <class L>
ASSAY_INLINE void pair_rows(const std::int8_t* in, int y, PairedRow<L>& row) {
  constexpr int columns = row_pairs<L>.columns, pitch = L::in_width * L::out_channels;
  constexpr int left = L::pad_left < columns ? L::pad_left : columns;
  constexpr int inside = L::in_width < columns - left ? L::in_width : columns - left;
  constexpr std::uint32_t zeros = (L::input_zero & 0xff) * 0x01010101u;
  for (int x = 0; x < left; ++x)
    pair_inputs(zeros, zeros, row[x]);
  for (int x = left + inside; x < columns; ++x)
    pair_inputs(zeros, zeros, row[x]);
  PairedInputs* to = row + left;
  const bool upper_inside = y >= 0 && y < L::in_height;
  const bool lower_inside = y + 1 >= 0 && y + 1 < L::in_height;
  const std::int8_t* upper = in + y * pitch;
  const std::int8_t* lower = upper + pitch;
  if (upper_inside && lower_inside) {
#pragma GCC unroll 4
    for (int i = 0; i < inside; ++i)
      pair_next<L::out_channels>(upper, lower, to);
    return;
  }
  for (PairedInputs* const end = to + inside; to != end; ++to) {
    pair_inputs(upper_inside ? load_word(upper) : zeros, lower_inside ? load_word(lower) : zeros,
                *to);
    upper += L::out_channels;
    lower += L::out_channels;
  }
}

/// A row of the plane; a loop that GCC does not make a call of.
template <class L>
ASSAY_INLINE void copy_row(const PairedRow<L>& from, PairedRow<L>& to) {
  const PairedInputs* next = from;
  PairedInputs* put = to;
  while (put != to + row_pairs<L>.columns)
    asm volatile("ldmia %0!, {r4-r7}\n\tstmia %1!, {r4-r7}"
                 : "+r"(next), "+r"(put)
                 :
                 : "r4", "r5", "r6", "r7", "memory");
}

// One column of the kernel: weights a = (w0, w1), b = (w1, w2), inputs p and q of rows (0, 1) and
// (2, 3) for the output rows of r2 (0, 1, 2) and r3 (1, 2, 3).
#define ASSAY_DEPTHWISE_COLUMN(p, q, a, b)    \
  "smlad r2, " p ", " a                       \
  ", r2\n\t"                                  \
  ".if %c[rows] == 2\n\tsmlatb r3, " p ", " a \
  ", r3\n\t.endif\n\t"                        \
  "smlabt r2, " q ", " b                      \
  ", r2\n\t"                                  \
  ".if %c[rows] == 2\n\tsmlad r3, " q ", " b ", r3\n\t.endif\n\t"

#define ASSAY_DEPTHWISE_LOAD(p, q, column) \
  "ldr " p ", [r0, #16 * (" column         \
  ")]\n\t"                                 \
  "ldr " q ", [r0, #16 * (" column ") + 4 * %c[row]]\n\t"

// Output assay_i of an iteration; its left column is in lp and lq. With a stride of 1 its middle
// one is in mp and mq, and these are the left ones of the next output.
#define ASSAY_DEPTHWISE_OUTPUT(lp, lq, mp, mq) \
  ".if %c[rows] == 2\n\tldmia sp, {r2, r3, r9}\n\t.else\n\tldr r2, " \
  "[sp]\n\t.endif\n\t"        \
  ASSAY_DEPTHWISE_COLUMN(lp, lq, "r4", "r5")                                                    \
  ".if %c[stride] == 1\n\t" ASSAY_DEPTHWISE_LOAD(lp, lq, "assay_i + 2")                         \
  ".else\n\t" ASSAY_DEPTHWISE_LOAD(mp, mq, "2 * assay_i + 1")                                   \
  ".endif\n\t" ASSAY_DEPTHWISE_COLUMN(mp, mq, "r6", "r7")                                       \
  ".if %c[stride] == 2\n\t" ASSAY_DEPTHWISE_LOAD(lp, lq, "2 * assay_i + 2") ".endif\n\t"        \
  ASSAY_DEPTHWISE_COLUMN(lp, lq, "r8", "r9")                                                    \
  ".if %c[rows] == 2\n\t"                                                                       \
  "ldr r9, [sp, #12]\n\t" ASSAY_REQUANTIZE_TWO("r2", "shift", "r9", "r3", "shift", "r9")        \
  ".if %c[far]\n\tldr r9, [sp, #16]\n\tstrb r3, [r9, #assay_i * %c[channels]]\n\t"              \
  ".else\n\tstrb r3, [r1, #assay_i * %c[channels] + %c[pitch]]\n\t.endif\n\t"                   \
  ".else\n\t" ASSAY_REQUANTIZE_ONE("r2", "shift", "r3") ".endif\n\t"                            \
  "strb r2, [r1, #assay_i * %c[channels]]\n\t"

// Adds a constant to a register, with r2 to hold what is no immediate.
#define ASSAY_DEPTHWISE_ADD(register, value)                  \
  ".if " value                                                \
  " < 4096\n\tadd " register ", " register ", #" value        \
                                           "\n\t.else\n\t"    \
                                           "movw r2, #" value \
                                           "\n\tadd " register ", " register ", r2\n\t.endif\n\t"

/// One channel of `sweeps` sweeps; 24 instructions for two outputs of nine multiply-accumulates
/// each. Registers: r0 plane, r1 outputs, r2 and r3 sums, r4-r9 weights, r10-r11 and r12-lr two
/// columns of inputs: all fourteen, so m takes the place of r9 for a moment; with one output row a
/// sweep it stays in r3. On the stack: b' twice, r9 and m; the second output row; end of this row
/// and of all rows of the plane; distance from the first to the second output row. With `far` the
/// latter is `pitch`, which is 0 where there is no second row: it is written first. Else it is the
/// constant width of a row.
template <class L, bool far>
ASSAY_INLINE void sweep_channel(const std::uint32_t* plane, const std::uint32_t* filter,
                                std::int8_t* out, int sweeps, int pitch) {
  constexpr RowPairLayout layout = row_pairs<L>;
  constexpr int out_pitch = L::out_width * L::out_channels;
  constexpr int entry = layout.entry();
  register const std::uint32_t* r0 asm("r0") = plane - entry * 4 * L::stride_width;
  register std::int8_t* r1 asm("r1") = out - entry * L::out_channels;
  register const std::uint32_t* r2 asm("r2") = filter;
  register const std::uint32_t* r3 asm("r3") = r0 + sweeps * layout.row_words();
  register int r12 asm("r12") = pitch;
  asm volatile(
      "sub sp, sp, #32\n\t"
      "strd r3, r12, [sp, #24]\n\t"
      "ldmia r2!, {r4, r6, r8}\n\t"
      "ldrd r10, lr, [r2]\n\t"
      "sxtb16 r5, r4, ror #8\n\t"
      "sxtb16 r4, r4\n\t"
      "sxtb16 r7, r6, ror #8\n\t"
      "sxtb16 r6, r6\n\t"
      "sxtb16 r9, r8, ror #8\n\t"
      "sxtb16 r8, r8\n\t"
      "mov r11, r10\n\t"
      "mov r12, r9\n\t"
      "stmia sp, {r10, r11, r12, lr}\n\t"
      "mov r3, lr\n\t"
      ".if %c[iterations] > 1\n\t"
      "add r2, r0, #16 * %c[stride] * %c[unroll] * %c[iterations]\n\t"
      "str r2, [sp, #20]\n\t"
      ".endif\n"
      "1:\n\t"
      ".if %c[far]\n\tldr r2, [sp, #28]\n\tadd r2, r2, r1\n\tstr r2, [sp, #16]\n\t.endif\n\t"
      ".if %c[stride] == 2\n\t"  //
      ASSAY_DEPTHWISE_LOAD("r10", "r11", "2 * %c[entry]")
      ".elseif %c[entry] %% 2\n\t"  //
      ASSAY_DEPTHWISE_LOAD("r12", "lr", "%c[entry]")
      ASSAY_DEPTHWISE_LOAD("r10", "r11", "%c[entry] + 1")
      ".else\n\t"  //
      ASSAY_DEPTHWISE_LOAD("r10", "r11", "%c[entry]")
      ASSAY_DEPTHWISE_LOAD("r12", "lr", "%c[entry] + 1")
      ".endif\n\t"
      ".if %c[entry] > 0\n\tb 3f\n\t.endif\n"
      "2:\n\t"
      ".set assay_i, 0\n\t"
      ".rept %c[unroll]\n\t"
      ".if %c[entry] > 0 && assay_i == %c[entry]\n3:\n\t.endif\n\t"
      ".if %c[stride] == 1 && assay_i %% 2\n\t"  //
      ASSAY_DEPTHWISE_OUTPUT("r12", "lr", "r10", "r11")
      ".else\n\t"  //
      ASSAY_DEPTHWISE_OUTPUT("r10", "r11", "r12", "lr")
      ".endif\n\t"
      ".set assay_i, assay_i + 1\n\t"
      ".endr\n\t"
      ".if %c[iterations] > 1\n\t"
      ".if %c[far]\n\tldr r3, [sp, #16]\n\t" ASSAY_DEPTHWISE_ADD("r3", "%c[unroll] * %c[channels]")
      "str r3, [sp, #16]\n\t.endif\n\t"  //
      ASSAY_DEPTHWISE_ADD("r1", "%c[unroll] * %c[channels]")
      "ldr r2, [sp, #20]\n\t"
      "add r0, r0, #16 * %c[stride] * %c[unroll]\n\t"
      "cmp r0, r2\n\t"
      "bne 2b\n\t"
      "add r2, r2, #4 * %c[row]\n\t"
      "str r2, [sp, #20]\n\t"
      ".endif\n\t"
      "add r0, r0, #4 * %c[row] - %c[along]\n\t"  //
      ASSAY_DEPTHWISE_ADD("r1", "%c[next]")
      "ldr r2, [sp, #24]\n\t"
      "cmp r0, r2\n\t"
      "bne 1b\n\t"
      "add sp, sp, #32" ASSAY_LINES_192 ASSAY_LINES_192
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r12)
      : [rows] "i"(layout.rows_per_sweep), [row] "i"(layout.row_words()),
        [stride] "i"(L::stride_width), [iterations] "i"(layout.iterations),
        [unroll] "i"(layout.unroll), [entry] "i"(entry), [far] "i"(far),
        [channels] "i"(L::out_channels), [pitch] "i"(out_pitch),
        [along] "i"(layout.iterations > 1 ? 16 * L::stride_width * (L::out_width + entry) : 0),
        [next] "i"(layout.rows_per_sweep * out_pitch -
                   (layout.iterations > 1 ? L::out_channels * (L::out_width + entry) : 0)),
        [shift] "i"(L::accumulator_shift), ASSAY_REQUANTIZE_OPERANDS(L)
      : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "lr", "cc", "memory");
}

#undef ASSAY_DEPTHWISE_COLUMN
#undef ASSAY_DEPTHWISE_LOAD
#undef ASSAY_DEPTHWISE_OUTPUT
#undef ASSAY_DEPTHWISE_ADD

/// All rows of four channels.
template <class L>
ASSAY_INLINE void sweep_block(const std::int8_t* in, const std::uint32_t* filters, std::int8_t* out,
                              PairedRow<L>* plane) {
  constexpr RowPairLayout layout = row_pairs<L>;
  constexpr int pitch = L::out_width * L::out_channels;
  constexpr bool half = L::stride_height == 1 && L::out_height % 2 != 0;
  constexpr bool far =
      half || (layout.rows_per_sweep == 2 && (layout.unroll - 1) * L::out_channels + pitch > 4095);
  constexpr int whole = layout.sweeps - (half ? 1 : 0);
  pair_rows<L>(in, -L::pad_top, plane[0]);
  for (int done = 0; done < layout.sweeps;) {
    // A last sweep without a second row goes alone.
    int sweeps = done < whole ? whole - done : 1;
    if (sweeps > layout.band) sweeps = layout.band;
    for (int i = 1; i <= sweeps; ++i)
      pair_rows<L>(in, 2 * (done + i) - L::pad_top, plane[i]);
    for (int c = 0; c < 4; ++c)
      sweep_channel<L, far>(&plane[0][0].channel[c], filters + 5 * c,
                            out + done * layout.rows_per_sweep * pitch + c, sweeps,
                            done < whole ? pitch : 0);
    done += sweeps;
    if (done < layout.sweeps) copy_row<L>(plane[sweeps], plane[0]);
  }
}

}  // namespace dsp

template <class L>
void depthwise_3x3_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  auto* plane = static_cast<dsp::PairedRow<L>*>(scratch);
  for (int block = 0; 4 * block < L::out_channels; ++block) {
    const int channel = dsp::depthwise_channel(block, L::out_channels);
    dsp::sweep_block<L>(in + channel, L::filters + 20 * block, out + channel, plane);
  }
}

}  // namespace assay::kernels

// Two rows of outputs at a time for 3x3 windows over a single channel, for cores with SMLAD: one
// channel of two input rows in a word, so that one SMLAD does two taps of a column, and two output
// rows are made of the same words; see RowPairLayout in layout.hpp. Strides of 1 or 2. A filter is
// five words: for each column of the kernel the bytes w0, w1, w1, w2 from top to bottom; b'; m.
#pragma once

#include "targets/runtime/dsp/layout.hpp"
#include "targets/runtime/dsp/requantize_asm.hpp"
#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels::dsp {

/// Of a plane with `depth` channels.
template <class L, int depth>
inline constexpr RowPairLayout row_pairs{L::out_height,   L::out_width,    L::stride_height,
                                         L::stride_width, L::out_channels, depth};

/// A row of the plane to the first one; a loop that GCC does not make a call of.
template <int words>
ASSAY_INLINE void copy_plane_row(const std::uint32_t* from, std::uint32_t* to) {
  const std::uint32_t* const end = from + words / 4 * 4;
  while (from != end)
    asm volatile("ldmia %0!, {r4-r7}\n\tstmia %1!, {r4-r7}"
                 : "+r"(from), "+r"(to)
                 :
                 : "r4", "r5", "r6", "r7", "memory");
  for (int i = 0; i < words % 4; ++i)
    to[i] = from[i];
}

// One column of the kernel. For two output rows: weights a = (w0, w1), b = (w1, w2), inputs p and q
// of rows (0, 1) and (2, 3) for the output rows of r2 (0, 1, 2) and r3 (1, 2, 3).
#define ASSAY_SWEEP_COLUMN_OF_TWO(p, q, a, b)                                         \
  "smlad r2, " p ", " a ", r2\n\tsmlatb r3, " p ", " a ", r3\n\tsmlabt r2, " q ", " b \
  ", r2\n\tsmlad r3, " q ", " b ", r3\n\t"

// For one output row, to what is in `sum`: w2 is the half of b that `halves` names.
#define ASSAY_SWEEP_COLUMN_OF_ONE(p, q, a, sum, halves, b) \
  "smlad r2, " p ", " a ", " sum "\n\tsmla" halves " r2, " q ", " b ", r2\n\t"

#define ASSAY_SWEEP_LOAD(p, q, column)       \
  "ldr " p ", [r0, #%c[position] * (" column \
  ")]\n\t"                                   \
  "ldr " q ", [r0, #%c[position] * (" column ") + 4 * %c[row]]\n\t"

// Output assay_i of an iteration; its left column is in lp and lq. With a stride of 1 its middle
// one is in mp and mq, and these are the left ones of the next output.
#define ASSAY_SWEEP_OUTPUT(lp, lq, mp, mq) \
  ".if %c[rows] == 2\n\tldmia sp, {r2, r3, r9}\n\t"                                          \
  ASSAY_SWEEP_COLUMN_OF_TWO(lp, lq, "r4", "r5")                                               \
  ".else\n\t" ASSAY_SWEEP_COLUMN_OF_ONE(lp, lq, "r4", "r9", "bb", "r5")                       \
  ".endif\n\t"                                                                                \
  ".if %c[stride] == 1\n\t" ASSAY_SWEEP_LOAD(lp, lq, "assay_i + 2")                           \
  ".else\n\t" ASSAY_SWEEP_LOAD(mp, mq, "2 * assay_i + 1")                                     \
  ".endif\n\t"                                                                                \
  ".if %c[rows] == 2\n\t" ASSAY_SWEEP_COLUMN_OF_TWO(mp, mq, "r6", "r7")                       \
  ".else\n\t" ASSAY_SWEEP_COLUMN_OF_ONE(mp, mq, "r6", "r2", "bt", "r5")                       \
  ".endif\n\t"                                                                                \
  ".if %c[stride] == 2\n\t" ASSAY_SWEEP_LOAD(lp, lq, "2 * assay_i + 2") ".endif\n\t"          \
  ".if %c[rows] == 2\n\t" ASSAY_SWEEP_COLUMN_OF_TWO(lp, lq, "r8", "r9")                       \
  "ldr r9, [sp, #12]\n\t" ASSAY_REQUANTIZE_TWO("r2", "shift", "r9", "r3", "shift", "r9")      \
  ".if %c[far]\n\tldr r9, [sp, #16]\n\tstrb r3, [r9, #assay_i * %c[channels]]\n\t"            \
  ".else\n\tstrb r3, [r1, #assay_i * %c[channels] + %c[pitch]]\n\t.endif\n\t"                \
  ".else\n\t" ASSAY_SWEEP_COLUMN_OF_ONE(lp, lq, "r8", "r2", "bb", "r7")                       \
  ASSAY_REQUANTIZE_ONE("r2", "shift", "r3") ".endif\n\t"                                      \
  "strb r2, [r1, #assay_i * %c[channels]]\n\t"

// Adds a constant to a register, with r2 to hold what is no immediate.
#define ASSAY_SWEEP_ADD(register, value)                      \
  ".if " value                                                \
  " < 4096\n\tadd " register ", " register ", #" value        \
                                           "\n\t.else\n\t"    \
                                           "movw r2, #" value \
                                           "\n\tadd " register ", " register ", r2\n\t.endif\n\t"

/// One channel of `sweeps` sweeps; 24 instructions for two outputs of nine multiply-accumulates
/// each, 14 for one where a sweep makes one row. Registers: r0 plane, r1 outputs, r2 and r3 sums,
/// r4-r9 weights, r10-r11 and r12-lr two columns of inputs: all fourteen, so m takes the place of
/// r9 for a moment. With one output row a sweep m stays in r3, w2 of the columns lie in both halves
/// of r5 and the bottom of r7, and b' is in r9. On the stack: b' twice, r9 and m; the second output
/// row; end of this row and of all rows of the plane; distance from the first to the second output
/// row. With `far` the latter is `pitch`, which is 0 where there is no second row: it is written
/// first. Else it is the constant width of a row.
template <class L, int depth, bool far>
ASSAY_INLINE void sweep_channel(const std::uint32_t* plane, const std::uint32_t* filter,
                                std::int8_t* out, int sweeps, int pitch) {
  constexpr RowPairLayout layout = row_pairs<L, depth>;
  constexpr int position = 4 * depth;
  constexpr int out_pitch = L::out_width * L::out_channels;
  constexpr int entry = layout.entry();
  register const std::uint32_t* r0 asm("r0") = plane - entry * depth * L::stride_width;
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
      ".if %c[rows] == 2\n\t"
      "mov r11, r10\n\t"
      "mov r12, r9\n\t"
      "stmia sp, {r10, r11, r12, lr}\n\t"
      ".else\n\t"
      "mov r3, lr\n\t"
      "pkhtb r5, r7, r5, asr #16\n\t"
      "asr r7, r9, #16\n\t"
      "mov r9, r10\n\t"
      ".endif\n\t"
      ".if %c[iterations] > 1\n\t"
      "add r2, r0, #%c[position] * %c[stride] * %c[unroll] * %c[iterations]\n\t"
      "str r2, [sp, #20]\n\t"
      ".endif\n"
      "1:\n\t"
      ".if %c[far]\n\tldr r2, [sp, #28]\n\tadd r2, r2, r1\n\tstr r2, [sp, #16]\n\t.endif\n\t"
      ".if %c[stride] == 2\n\t"  //
      ASSAY_SWEEP_LOAD("r10", "r11", "2 * %c[entry]")
      ".elseif %c[entry] %% 2\n\t"  //
      ASSAY_SWEEP_LOAD("r12", "lr", "%c[entry]")
      ASSAY_SWEEP_LOAD("r10", "r11", "%c[entry] + 1")
      ".else\n\t"  //
      ASSAY_SWEEP_LOAD("r10", "r11", "%c[entry]")
      ASSAY_SWEEP_LOAD("r12", "lr", "%c[entry] + 1")
      ".endif\n\t"
      ".if %c[entry] > 0\n\tb 3f\n\t.endif\n"
      "2:\n\t"
      ".set assay_i, 0\n\t"
      ".rept %c[unroll]\n\t"
      ".if %c[entry] > 0 && assay_i == %c[entry]\n3:\n\t.endif\n\t"
      ".if %c[stride] == 1 && assay_i %% 2\n\t"  //
      ASSAY_SWEEP_OUTPUT("r12", "lr", "r10", "r11")
      ".else\n\t"  //
      ASSAY_SWEEP_OUTPUT("r10", "r11", "r12", "lr")
      ".endif\n\t"
      ".set assay_i, assay_i + 1\n\t"
      ".endr\n\t"
      ".if %c[iterations] > 1\n\t"
      ".if %c[far]\n\tldr r3, [sp, #16]\n\t" ASSAY_SWEEP_ADD("r3", "%c[unroll] * %c[channels]")
      "str r3, [sp, #16]\n\t.endif\n\t"  //
      ASSAY_SWEEP_ADD("r1", "%c[unroll] * %c[channels]")
      "ldr r2, [sp, #20]\n\t"
      "add r0, r0, #%c[position] * %c[stride] * %c[unroll]\n\t"
      "cmp r0, r2\n\t"
      "bne 2b\n\t"
      "add r2, r2, #4 * %c[row]\n\t"
      "str r2, [sp, #20]\n\t"
      ".endif\n\t"
      "add r0, r0, #4 * %c[row] - %c[along]\n\t"  //
      ASSAY_SWEEP_ADD("r1", "%c[next]")
      "ldr r2, [sp, #24]\n\t"
      "cmp r0, r2\n\t"
      "bne 1b\n\t"
      "add sp, sp, #32" ASSAY_LINES_192 ASSAY_LINES_192
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r12)
      : [position] "i"(position), [rows] "i"(layout.rows_per_sweep), [row] "i"(layout.row_words()),
        [stride] "i"(L::stride_width), [iterations] "i"(layout.iterations),
        [unroll] "i"(layout.unroll), [entry] "i"(entry), [far] "i"(far),
        [channels] "i"(L::out_channels), [pitch] "i"(out_pitch),
        [along] "i"(layout.iterations > 1 ? position * L::stride_width * (L::out_width + entry) : 0),
        [next] "i"(layout.rows_per_sweep * out_pitch -
                   (layout.iterations > 1 ? L::out_channels * (L::out_width + entry) : 0)),
        [shift] "i"(L::accumulator_shift), ASSAY_REQUANTIZE_OPERANDS(L)
      : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "lr", "cc", "memory");
}

#undef ASSAY_SWEEP_COLUMN_OF_TWO
#undef ASSAY_SWEEP_COLUMN_OF_ONE
#undef ASSAY_SWEEP_LOAD
#undef ASSAY_SWEEP_OUTPUT
#undef ASSAY_SWEEP_ADD

/// All rows of some channels over one plane: channel i sweeps over the words from `plane` + i %
/// depth on, with the i-th filter, to out + i; `channels` from `first` on. `pair_rows(y, row)`
/// expands input rows y and y + 1, which may lie in the padding, to a row of the plane.
template <class L, int depth, class PairRows>
ASSAY_INLINE void sweep_channels(PairRows pair_rows, const std::uint32_t* filters, int first,
                                 int channels, std::int8_t* out, std::uint32_t* plane) {
  constexpr RowPairLayout layout = row_pairs<L, depth>;
  constexpr int pitch = L::out_width * L::out_channels, words = layout.row_words();
  constexpr bool half = layout.rows_per_sweep == 2 && L::out_height % 2 != 0;
  constexpr bool far =
      half || (layout.rows_per_sweep == 2 && (layout.unroll - 1) * L::out_channels + pitch > 4095);
  constexpr int whole = layout.sweeps - (half ? 1 : 0);
  pair_rows(-L::pad_top, plane);
  for (int done = 0; done < layout.sweeps;) {
    // A last sweep without a second row goes alone.
    int sweeps = done < whole ? whole - done : 1;
    if (sweeps > layout.band) sweeps = layout.band;
    for (int i = 1; i <= sweeps; ++i)
      pair_rows(2 * (done + i) - L::pad_top, plane + i * words);
    for (int c = first; c < channels; ++c)
      sweep_channel<L, depth, far>(plane + c % depth, filters + row_pair_filter * c,
                                   out + done * layout.rows_per_sweep * pitch + c, sweeps,
                                   done < whole ? pitch : 0);
    done += sweeps;
    if (done < layout.sweeps) copy_plane_row<words>(plane + sweeps * words, plane);
  }
}

}  // namespace assay::kernels::dsp

// Convolution for cores with SMLAD: two output channels x four output pixels at a time, so that a
// word of activations serves two channels and a word of weights four pixels; see layout.hpp for the
// weight format. The activations are those of a patch (patch_layout.hpp) or gathered columns
// (window.hpp). L has, besides the members of layer.hpp:
//   std::uint32_t pairs[]     for each pair of output channels: b' of channel 0; 256 * b' of
//   channel
//                             1 + that of channel 0; a word of weights for each step; with an odd
//                             number of channels, how far this pair lies behind the one before it;
//                             m of both channels
//   std::int32_t separate[]   1 where 256 * A1 may leave 32 bits: the words of weights hold a byte
//   of
//                             channel 0 and one of channel 1, twice, and the second word is the b'
//                             of channel 1 alone. One instruction more a step.
// With an odd number of output channels the second pair repeats channel 1 (see conv_channel).
#pragma once

#include "targets/runtime/dsp/patch.hpp"
#include "targets/runtime/dsp/requantize_asm.hpp"
#include "targets/runtime/dsp/window.hpp"

namespace assay::kernels {

namespace dsp {

template <class L>
inline constexpr ConvPlan conv_plan{conv_shape<L>};
template <class L>
inline constexpr PatchLayout patch_layout{conv_shape<L>};

template <class L>
struct PatchScratch : OutsidePixel<L::in_channels, patch_layout<L>.has_outside()> {
  std::uint32_t words[patch_layout<L>.size()];
};

/// How the loop over the steps walks through words of activations.
struct StepWalk {
  int groups;  ///< `taps` steps each
  int taps;    ///< of a group; tap t is at column t * tap_columns
  int tap_columns;
  int phases;      ///< column x is at x % phases * phase + x / phases
  int phase;       ///< words
  int stride;      ///< words from one group to the next
  int iterations;  ///< of the loop; 1: no loop
  int unroll;      ///< groups an iteration; the first one enters where the rest are left

  constexpr StepWalk(int group_count, int tap_count, int columns_per_tap, int phase_count,
                     int phase_words, int group_words)
      : groups(group_count),
        taps(tap_count),
        tap_columns(columns_per_tap),
        phases(phase_count),
        phase(phase_words),
        stride(group_words),
        iterations(ceil_divide(groups, taps > 18 ? 1 : 18 / taps)),
        unroll(ceil_divide(groups, iterations)) {}
  constexpr int entry() const { return (iterations * unroll - groups) * taps + 1; }
};

// The products of a step: weights in r2 and r3, two words of activations at a time. Named are what
// the sums are added to.
#define ASSAY_CONV_STEP(low0, low1, low2, low3, both0, both1, both2, both3)                 \
  "ldr r2, [r0], #4\n\t"                                                                    \
  "ldrd r12, lr, [r1], #8\n\t"                                                              \
  "sxtb16 r3, r2\n\t"                                                                       \
  ".if %c[separate]\n\tsxtb16 r2, r2, ror #8\n\t.endif\n\t"                                 \
  "smlad r8, r2, r12, " both0 "\n\tsmlad r9, r2, lr, " both1 "\n\tsmlad r4, r3, r12, " low0 \
  "\n\tsmlad r5, r3, lr, " low1                                                             \
  "\n\tldrd r12, lr, [r1], #4 * assay_next - 8\n\tsmlad r10, r2, "                          \
  "r12, " both2 "\n\tsmlad r11, r2, lr, " both3 "\n\tsmlad r6, r3, r12, " low2              \
  "\n\tsmlad r7, r3, lr, " low3 "\n\t"

// assay_next = words from tap assay_i % taps to the one that follows.
#define ASSAY_CONV_AT(column) "(" column ") %% %c[phases] * %c[phase] + (" column ") / %c[phases]"
#define ASSAY_CONV_NEXT \
  ".set assay_column, assay_i %% %c[taps] * %c[tap_columns]\n\t"                          \
  ".set assay_here, " ASSAY_CONV_AT("assay_column") "\n\t"                                \
  ".set assay_next, %c[stride] - assay_here\n\t"                                          \
  ".if assay_i %% %c[taps] + 1 < %c[taps]\n\t"                                            \
  ".set assay_next, " ASSAY_CONV_AT("assay_column + %c[tap_columns]") " - assay_here\n\t" \
  ".endif\n\t"

// Sums to outputs: channel 0 in `low`, channel 1 in `both`, m in r2 and r3, the pixel's place at
// r12.
#define ASSAY_CONV_PUT(pixel, low, both) \
  ".if " pixel " < %c[pixels]\n\t"                                                            \
  ".if %c[separate] == 0\n\tsub " both ", " both ", " low "\n\t.endif\n\t"                   \
  ASSAY_REQUANTIZE_TWO(low, "low_shift", "r2", both, "high_shift", "r3")                      \
  ".if 3 * %c[channels] + 1 < 4096\n\t"                                                       \
  "strb " low ", [r12, #" pixel " * %c[channels]]\n\t"                                        \
  ".if %c[channels] > 1\n\tstrb " both ", [r12, #" pixel " * %c[channels] + 1]\n\t.endif\n\t" \
  ".else\n\t"                                                                                 \
  "movw r1, #" pixel " * %c[channels]\n\tstrb " low ", [r12, r1]\n\t"                         \
  "adds r1, r1, #1\n\tstrb " both ", [r12, r1]\n\t"                                           \
  ".endif\n\t.endif\n\t"

/// All output channels of four pixels, of which the first `pixels` are written from `out` on.
/// Twelve instructions a step for sixteen multiply-accumulates. Registers: r4-r7 sums of channel 0
/// (A0), r8-r11 of both (256 * A1 + A0), r0 weights, r1 activations, r2 and r3 a raw and an
/// expanded word of weights, r12 and lr activations: all fourteen. On the stack: activations, their
/// end, where the pair before wrote, end of the weights. The first step of a pair adds to b' in r7
/// and r11, which it overwrites last.
template <class L, StepWalk const& walk, int pixels>
ASSAY_INLINE void convolve_four(const std::uint32_t* activations, std::int8_t* out) {
  constexpr bool odd = L::out_channels % 2 != 0;
  register const std::uint32_t* r0 asm("r0") = L::pairs;
  register const std::uint32_t* r1 asm("r1") = activations;
  register const std::uint32_t* r2 asm("r2") = activations + walk.groups * walk.stride;
  register std::int8_t* r3 asm("r3") = odd ? out : out - 2;
  register const std::uint32_t* r12 asm("r12") = L::pairs + sizeof(L::pairs) / sizeof(L::pairs[0]);
  asm volatile(
      "push {r1, r2, r3, r12}\n"
      "1:\n\t"
      "ldrd r7, r11, [r0], #8\n\t"
      "ldr r1, [sp]\n\t"
      ".set assay_i, 0\n\t" ASSAY_CONV_NEXT  //
      ASSAY_CONV_STEP("r7", "r7", "r7", "r7", "r11", "r11", "r11", "r11")
      ".if %c[iterations] > 1\n\tb 3f\n\t.else\n\t.set assay_i, 1\n\t.endif\n"
      "2:\n\t"
      ".rept %c[unroll] * %c[taps] - assay_i\n\t"
      ".if %c[iterations] > 1 && assay_i == %c[entry]\n3:\n\t.endif\n\t"  //
      ASSAY_CONV_NEXT
      ASSAY_CONV_STEP("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11")
      ".set assay_i, assay_i + 1\n\t"
      ".endr\n\t"
      ".if %c[iterations] > 1\n\t"
      ".if assay_i == %c[entry]\n3:\n\t.endif\n\t"
      "ldr r2, [sp, #4]\n\t"
      "cmp r1, r2\n\t"
      "bne 2b\n\t"
      ".endif\n\t"
      ".if %c[odd]\n\tldr r1, [r0], #4\n\t.endif\n\t"
      "ldrd r2, r3, [r0], #8\n\t"
      "ldrd r12, lr, [sp, #8]\n\t"
      ".if %c[odd]\n\tadd r12, r12, r1\n\t.else\n\tadds r12, r12, #2\n\t.endif\n\t"
      "str r12, [sp, #8]\n\t"  //
      ASSAY_CONV_PUT("0", "r4", "r8") ASSAY_CONV_PUT("1", "r5", "r9")
      ASSAY_CONV_PUT("2", "r6", "r10") ASSAY_CONV_PUT("3", "r7", "r11")
      "cmp r0, lr\n\t"
      "bne 1b\n\t"
      "add sp, sp, #16" ASSAY_LINES_192 ASSAY_LINES_192
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r12)
      : [taps] "i"(walk.taps), [tap_columns] "i"(walk.tap_columns), [phases] "i"(walk.phases), [phase] "i"(walk.phase),
        [stride] "i"(walk.stride), [iterations] "i"(walk.iterations), [unroll] "i"(walk.unroll),
        [entry] "i"(walk.entry()), [odd] "i"(odd), [pixels] "i"(pixels),
        [separate] "i"(L::separate[0]), [channels] "i"(L::out_channels),
        [low_shift] "i"(L::accumulator_shift),
        [high_shift] "i"(L::accumulator_shift + (L::separate[0] ? 0 : 8)),
        ASSAY_REQUANTIZE_OPERANDS(L)
      : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "lr", "cc", "memory");
}

#undef ASSAY_CONV_STEP
#undef ASSAY_CONV_AT
#undef ASSAY_CONV_NEXT
#undef ASSAY_CONV_PUT

template <class L>
inline constexpr StepWalk patch_walk{
    patch_layout<L>.groups(),           patch_layout<L>.taps(),  patch_layout<L>.columns_per_word,
    patch_layout<L>.shape.stride_width, patch_layout<L>.phase(), patch_layout<L>.stride()};

template <class L>
inline constexpr StepWalk column_walk{conv_layout<L>.loop.steps, 1, 1, 1, 4, 4};

/// Patch by patch; the last ones of a row and of a column are moved back to be whole, and compute
/// only what is still missing.
template <class L>
ASSAY_INLINE void convolve_patches(const std::int8_t* in, std::int8_t* out,
                                   PatchScratch<L>& scratch) {
  constexpr PatchLayout layout = patch_layout<L>;
  constexpr ConvShape shape = layout.shape;
  const std::int8_t* outside = scratch.fill_outside(L::input_zero);
  for (int y = 0; y < shape.out_height; y += layout.height) {
    const int top = y > shape.out_height - layout.height ? shape.out_height - layout.height : y;
    for (int x = 0; x < shape.out_width; x += layout.width) {
      const int left = x > shape.out_width - layout.width ? shape.out_width - layout.width : x;
      fill_patch<patch_layout<L>>(in, top * shape.stride_height - shape.pad_top,
                                  left * shape.stride_width - shape.pad_left, outside,
                                  scratch.words);
      for (int row = y - top; row < layout.height; ++row)
        for (int column = x - left; column < layout.width; column += 4) {
          // The last four outputs of a row overlap the ones before them: the same values again.
          if (column > layout.width - 4) column = layout.width - 4;
          const int first = row * shape.stride_height * layout.words * layout.stride() + column;
          convolve_four<L, patch_walk<L>, 4>(
              scratch.words + first,
              out + ((top + row) * shape.out_width + left + column) * L::out_channels);
        }
    }
  }
}

/// Four pixels at a time, row by row, each four gathered on its own.
template <class L>
ASSAY_INLINE void convolve_columns(const std::int8_t* in, std::int8_t* out,
                                   ConvScratch<L>& scratch) {
  constexpr int pixels = L::out_height * L::out_width;
  scratch.rows.initialize();
  for (int first = 0; first < pixels; first += 4) {
    if (pixels >= 4 && first > pixels - 4) first = pixels - 4;
    gather_columns<L>(in, first, scratch);
    convolve_four<L, column_walk<L>, (pixels < 4 ? pixels : 4)>(scratch.columns[0],
                                                                out + first * L::out_channels);
  }
}

}  // namespace dsp

template <class L>
void conv_dsp(const std::int8_t* in, std::int8_t* out, void* memory) {
  if constexpr (dsp::conv_plan<L>.by_patches)
    dsp::convolve_patches<L>(in, out, *static_cast<dsp::PatchScratch<L>*>(memory));
  else
    dsp::convolve_columns<L>(in, out, *static_cast<dsp::ConvScratch<L>*>(memory));
}

}  // namespace assay::kernels

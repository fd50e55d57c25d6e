// 3x3 convolution with stride 1 by exact integer Winograd F(2x2, 3x3) for cores with SMLAD: 4
// instead of 9 multiplications an output and channel, for weights that are transformed to int16 at
// every call and so take scratch memory of four times their size; see winograd_layout.hpp. L has,
// besides the members of layer.hpp:
//   std::uint32_t taps[]        weights, [output channel][group of 4 inputs][tap], a byte each
//   std::int32_t channels[]     b' and m of each output channel
#pragma once

#include "targets/runtime/dsp/patch.hpp"
#include "targets/runtime/dsp/winograd_layout.hpp"

namespace assay::kernels {

namespace dsp {

template <class L>
inline constexpr WinogradLayout winograd_layout{conv_shape<L>};
template <class L>
inline constexpr PatchLayout winograd_patch = winograd_layout<L>.patch;

template <class L>
struct WinogradScratch : OutsidePixel<L::in_channels, true> {
  static constexpr WinogradLayout layout = winograd_layout<L>;
  std::uint32_t weights[layout.block * layout.pair_words()];  ///< [pair][position][word]{0, 1}
  std::uint32_t activations[layout.activation_words()];       ///< [position][word][tile]
  std::int32_t sums[WinogradLayout::positions][2][WinogradLayout::tiles];  ///< of a channel pair
  std::uint32_t patch[layout.patch.size()];
};

/// Four numbers of two int16 each.
struct FourWords {
  std::uint32_t at[4];
};

/// 2G of three weights.
ASSAY_INLINE FourWords transform_three(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  const std::uint32_t outer = sadd16(a, c);
  return {{sadd16(a, a), sadd16(outer, b), ssub16(outer, b), sadd16(c, c)}};
}

/// 2G g (2G)' of two channels of a filter; `to` is their word at position 0.
template <int position_words>
ASSAY_INLINE void transform_filter(const std::uint32_t (&g)[9], std::uint32_t* to) {
  FourWords columns[3];
  for (int x = 0; x < 3; ++x)
    columns[x] = transform_three(g[x], g[3 + x], g[6 + x]);
#pragma GCC unroll 4
  for (int y = 0; y < 4; ++y) {
    const FourWords row = transform_three(columns[0].at[y], columns[1].at[y], columns[2].at[y]);
    for (int x = 0; x < 4; ++x)
      to[(4 * y + x) * position_words] = row.at[x];
  }
}

/// The weights of `pairs` pairs of output channels from `taps` on.
template <class L>
ASSAY_INLINE void transform_weights(const std::uint32_t* taps, int pairs, std::uint32_t* to) {
  constexpr WinogradLayout layout = winograd_layout<L>;
  for (int channel = 0; channel < 2 * pairs; ++channel) {
    std::uint32_t* word = to + channel / 2 * layout.pair_words() + channel % 2;
    for (int group = 0; group < L::in_channels / 4; ++group, taps += 9)
      for (int half = 0; half < 2; ++half, word += 2) {
        std::uint32_t g[9];
        for (int i = 0; i < 9; ++i)
          g[i] = sxtb16(taps[i] >> 8 * half);
        transform_filter<2 * layout.patch.words>(g, word);
      }
  }
}

// One row of B'dB from four words a, b, c, d of it: a - c, b + c, c - b, b - d.
#define ASSAY_WINOGRAD_ROW(row, a, b, c, d, t0, t1, t2, t3)                                \
  "ssub16 " t0 ", " a ", " c "\n\tsadd16 " t1 ", " b ", " c "\n\tssub16 " t2 ", " c ", " b \
  "\n\tssub16 " t3 ", " b ", " d "\n\tstr " t0 ", [r1, #(4 * " row                         \
  ") * %c[position]]\n\t"                                                                  \
  "str " t1 ", [r1, #(4 * " row " + 1) * %c[position]]\n\tstr " t2 ", [r1, #(4 * " row     \
  " + 2) * %c[position]]\n\tstr " t3 ", [r1, #(4 * " row " + 3) * %c[position]]\n\t"

/// B'dB of all words of a tile whose first input in the patch is `from`. Per word: rows 0 and 2
/// make row 0, rows 1 and 2 make rows 1 and 2, rows 1 and 3 make row 3. Registers: r0 patch, r1
/// activations, r4-r7 and r8-r11 two rows of inputs, the others what is made of them; end of the
/// words on the stack.
template <class L>
ASSAY_INLINE void transform_tile(const std::uint32_t* from, std::uint32_t* to) {
  constexpr PatchLayout patch = winograd_patch<L>;
  register const std::uint32_t* r0 asm("r0") = from;
  register std::uint32_t* r1 asm("r1") = to;
  register const std::uint32_t* r2 asm("r2") = from + patch.words * patch.stride();
  asm volatile(
      "push {r2, r3}\n"
      "1:\n\t"
      "add r12, r0, #2 * %c[row]\n\t"
      "ldmia r0, {r4-r7}\n\t"
      "ldmia r12, {r8-r11}\n\t"
      "ssub16 r4, r4, r8\n\t"
      "ssub16 r5, r5, r9\n\t"
      "ssub16 r6, r6, r10\n\t"
      "ssub16 r7, r7, r11\n\t"  //
      ASSAY_WINOGRAD_ROW("0", "r4", "r5", "r6", "r7", "r2", "r3", "r12", "lr")
      "add r12, r0, #%c[row]\n\t"
      "ldmia r12, {r4-r7}\n\t"
      "ssub16 r2, r8, r4\n\t"
      "ssub16 r3, r9, r5\n\t"
      "ssub16 r12, r10, r6\n\t"
      "ssub16 lr, r11, r7\n\t"
      "sadd16 r4, r4, r8\n\t"
      "sadd16 r5, r5, r9\n\t"
      "sadd16 r6, r6, r10\n\t"
      "sadd16 r7, r7, r11\n\t"  //
      ASSAY_WINOGRAD_ROW("1", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11")
      ASSAY_WINOGRAD_ROW("2", "r2", "r3", "r12", "lr", "r8", "r9", "r10", "r11")
      "add r12, r0, #%c[row]\n\t"
      "add lr, r0, #3 * %c[row]\n\t"
      "ldmia r12, {r4-r7}\n\t"
      "ldmia lr, {r8-r11}\n\t"
      "ssub16 r4, r4, r8\n\t"
      "ssub16 r5, r5, r9\n\t"
      "ssub16 r6, r6, r10\n\t"
      "ssub16 r7, r7, r11\n\t"  //
      ASSAY_WINOGRAD_ROW("3", "r4", "r5", "r6", "r7", "r2", "r3", "r12", "lr")
      "ldr r2, [sp]\n\t"
      "adds r1, r1, #16\n\t"
      "adds r0, r0, #%c[word]\n\t"
      "cmp r0, r2\n\t"
      "bne 1b\n\t"
      "add sp, sp, #8" ASSAY_LINES_48
      : "+r"(r0), "+r"(r1), "+r"(r2)
      : [word] "i"(4 * patch.stride()), [row] "i"(4 * patch.stride() * patch.words),
        [position] "i"(16 * patch.words)
      : "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

#undef ASSAY_WINOGRAD_ROW

// A word of two channels at four tiles, by SMUAD for the first word and SMLAD for the others.
#define ASSAY_WINOGRAD_WORD(multiply, a4, a5, a6, a7, a8, a9, a10, a11)                            \
  "ldrd r2, r3, [r0], #8\n\tldrd r12, lr, [r1], #8\n\t" multiply " r4, r2, r12" a4 "\n\t" multiply \
  " r5, r2, lr" a5 "\n\t" multiply " r8, r3, r12" a8 "\n\t" multiply " r9, r3, lr" a9              \
  "\n\tldrd r12, lr, [r1], #8\n\t" multiply " r6, r2, r12" a6 "\n\t" multiply " r7, r2, lr" a7     \
  "\n\t" multiply " r10, r3, r12" a10 "\n\t" multiply " r11, r3, lr" a11 "\n\t"

/// The sums over the channels of a pair of output channels at all positions; eleven instructions
/// for sixteen multiplications. Registers: r0 weights, r1 activations, r4-r7 sums of channel 0 at
/// four tiles, r8-r11 of channel 1, r2, r3, r12 and lr factors; on the stack where the sums go and
/// the end of the activations.
template <class L>
ASSAY_INLINE void multiply_positions(
    const std::uint32_t* weights, const std::uint32_t* activations,
    std::int32_t (&sums)[WinogradLayout::positions][2][WinogradLayout::tiles]) {
  register const std::uint32_t* r0 asm("r0") = weights;
  register const std::uint32_t* r1 asm("r1") = activations;
  register std::int32_t* r2 asm("r2") = sums[0][0];
  register const std::uint32_t* r3 asm("r3") = activations + winograd_layout<L>.activation_words();
  asm volatile(
      "push {r2, r3}\n"
      "1:\n\t"  //
      ASSAY_WINOGRAD_WORD("smuad", "", "", "", "", "", "", "", "")
      ".rept %c[words] - 1\n\t"  //
      ASSAY_WINOGRAD_WORD("smlad", ", r4", ", r5", ", r6", ", r7", ", r8", ", r9", ", r10", ", r11")
      ".endr\n\t"
      "ldrd r2, r3, [sp]\n\t"
      "stmia r2!, {r4-r11}\n\t"
      "str r2, [sp]\n\t"
      "cmp r1, r3\n\t"
      "bne 1b\n\t"
      "add sp, sp, #8" ASSAY_LINES_192
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
      : [words] "i"(winograd_patch<L>.words)
      : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

#undef ASSAY_WINOGRAD_WORD

/// A'[]A of one channel and tile, requantized into 2x2 outputs. `sum` is its sum at position 0.
template <class L>
ASSAY_INLINE void put_tile(const std::int32_t* sum, std::int32_t bias, std::int32_t multiplier,
                           std::int8_t* out) {
  constexpr int position = 2 * WinogradLayout::tiles, pitch = L::out_width * L::out_channels;
  std::int32_t upper[4], lower[4];
#pragma GCC unroll 4
  for (int x = 0; x < 4; ++x) {
    const std::int32_t a = sum[x * position], b = sum[(4 + x) * position];
    const std::int32_t c = sum[(8 + x) * position], d = sum[(12 + x) * position];
    upper[x] = a + b + c;
    lower[x] = b - c - d;
  }
  const auto put = [&](std::int32_t four_y) {
    return requantize<L>((four_y >> 2) + bias, multiplier);
  };
  out[0] = put(upper[0] + upper[1] + upper[2]);
  out[L::out_channels] = put(upper[1] - upper[2] - upper[3]);
  out[pitch] = put(lower[0] + lower[1] + lower[2]);
  out[pitch + L::out_channels] = put(lower[1] - lower[2] - lower[3]);
}

/// `pairs` pairs of output channels at two rows of eight outputs. `from` is where their inputs
/// begin in the patch.
template <class L>
ASSAY_INLINE void convolve_tiles(WinogradScratch<L>& scratch, const std::uint32_t* from,
                                 const std::int32_t* channels, int pairs, std::int8_t* out) {
  constexpr WinogradLayout layout = winograd_layout<L>;
  for (int tile = 0; tile < WinogradLayout::tiles; ++tile)
    transform_tile<L>(from + 2 * tile, scratch.activations + tile);
  const std::uint32_t* weights = scratch.weights;
  for (int pair = 0; pair < pairs;
       ++pair, weights += layout.pair_words(), channels += 4, out += 2) {
    multiply_positions<L>(weights, scratch.activations, scratch.sums);
    for (int c = 0; c < 2; ++c)
      for (int tile = 0; tile < WinogradLayout::tiles; ++tile)
        put_tile<L>(&scratch.sums[0][c][tile], channels[2 * c], channels[2 * c + 1],
                    out + 2 * tile * L::out_channels + c);
  }
}

/// All outputs of `pairs` pairs of channels, patch by patch; patches and tiles at the end of a row
/// or column are moved back to be whole.
template <class L>
ASSAY_INLINE void convolve_block(const std::int8_t* in, const std::int32_t* channels, int pairs,
                                 std::int8_t* out, WinogradScratch<L>& scratch) {
  constexpr PatchLayout patch = winograd_patch<L>;
  for (int y = 0; y < L::out_height; y += patch.height) {
    const int top = y > L::out_height - patch.height ? L::out_height - patch.height : y;
    for (int x = 0; x < L::out_width; x += patch.width) {
      const int left = x > L::out_width - patch.width ? L::out_width - patch.width : x;
      fill_patch<winograd_patch<L>>(in, top - L::pad_top, left - L::pad_left, scratch.inputs,
                                    scratch.patch);
      for (int row = y - top; row < patch.height; row += 2) {
        if (row > patch.height - 2) row = patch.height - 2;
        for (int column = x - left; column < patch.width; column += 2 * WinogradLayout::tiles) {
          if (column > patch.width - 2 * WinogradLayout::tiles)
            column = patch.width - 2 * WinogradLayout::tiles;
          convolve_tiles<L>(scratch, scratch.patch + row * patch.words * patch.stride() + column,
                            channels, pairs,
                            out + ((top + row) * L::out_width + left + column) * L::out_channels);
        }
      }
    }
  }
}

}  // namespace dsp

template <class L>
void conv3x3_winograd_dsp(const std::int8_t* in, std::int8_t* out, void* memory) {
  constexpr dsp::WinogradLayout layout = dsp::winograd_layout<L>;
  auto& scratch = *static_cast<dsp::WinogradScratch<L>*>(memory);
  scratch.fill_outside(L::input_zero);
  for (int pair = 0; pair < layout.pairs; pair += layout.block) {
    const int left = layout.pairs - pair, pairs = left < layout.block ? left : layout.block;
    dsp::transform_weights<L>(L::taps + pair * 2 * (L::in_channels / 4) * 9, pairs,
                              scratch.weights);
    dsp::convolve_block<L>(in, L::channels + 4 * pair, pairs, out + 2 * pair, scratch);
  }
}

}  // namespace assay::kernels

// Convolution over int16 tensors for cores with SMLAD. The windows of four output pixels are
// expanded into columns of input pairs in scratch memory, then multiplied by the weights of two
// channels at a time. See layout.hpp for the weights. L has, besides the members of layer.hpp:
// std::uint32_t packed[], bias[] and multiplier[].
#pragma once

#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/smlad.hpp"

namespace assay::kernels {

namespace int16 {

/// Accumulators of two channels at four pixels.
struct TileSums {
  std::int32_t channel[2][4];
};

// Two words of activations; LDRD takes neighbouring registers only in Arm state.
#ifdef __thumb__
#define ASSAY_INT16_LOAD "ldrd r12, lr, [r1], #8\n\t"
#else
#define ASSAY_INT16_LOAD "ldmia r1!, {r12, lr}\n\t"
#endif

/// `sums` = `start` + the products of all steps from `columns` to `end`. Thirteen instructions for
/// sixteen multiply-accumulates. Registers: 8 sums, 2 pointers, a word of weights and what it
/// widens to, 2 words of activations: all fourteen, so `end` waits on the stack. They are named
/// because GCC does not find an allocation of fourteen operands everywhere.
template <int unroll>
ASSAY_INLINE void multiply(const std::uint32_t* weights, const std::uint32_t* columns,
                           const std::uint32_t* end, const TileSums& start, TileSums& sums) {
  register const std::uint32_t* r0 asm("r0") = weights;
  register const std::uint32_t* r1 asm("r1") = columns;
  register const std::uint32_t* r2 asm("r2") = end;
  register TileSums* r3 asm("r3") = &sums;
  register const TileSums* r12 asm("r12") = &start;
  asm volatile(
      "push {r2, r3}\n\t"
      "ldmia r12, {r4-r11}\n"
      "1:\n\t"
      ".rept %c[unroll]\n\t"
      "ldr r3, [r0], #4\n\t" ASSAY_INT16_LOAD
      "sxtb16 r2, r3\n\t"
      "sxtb16 r3, r3, ror #8\n\t"
      "smlad r4, r2, r12, r4\n\t"
      "smlad r5, r2, lr, r5\n\t"
      "smlad r8, r3, r12, r8\n\t"
      "smlad r9, r3, lr, r9\n\t" ASSAY_INT16_LOAD
      "smlad r6, r2, r12, r6\n\t"
      "smlad r7, r2, lr, r7\n\t"
      "smlad r10, r3, r12, r10\n\t"
      "smlad r11, r3, lr, r11\n\t"
      ".endr\n\t"
      "ldr r2, [sp]\n\t"
      "cmp r1, r2\n\t"
      "bne 1b\n\t"
      "pop {r2, r3}\n\t"
      "stmia r3, {r4-r11}" ASSAY_LINES_192
      : "+r"(r0), "+r"(r1), "+r"(r12)
      : "r"(r2), "r"(r3), [unroll] "i"(unroll)
      : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "lr", "cc", "memory");
}

#undef ASSAY_INT16_LOAD

template <class L>
struct ConvSmlad {
  static constexpr ConvLayout layout{L::kernel_height, L::kernel_width* L::in_channels};
  static constexpr Unrolled loop = layout.loop();
  static constexpr int steps = loop.steps;
  static constexpr int pixels = L::out_height * L::out_width;
  static constexpr int channels = L::out_channels;
  using Columns = std::uint32_t[steps][4];

  /// A row of the window that may reach over an edge; padding is 0.
  static ASSAY_INLINE void gather_edge(const std::int16_t* row, int x, std::uint32_t* lane) {
    const auto input = [&](int i) -> std::uint32_t {
      const int column = x + i / L::in_channels;
      const bool inside = i < layout.row && column >= 0 && column < L::in_width;
      return inside ? static_cast<std::uint16_t>(row[x * L::in_channels + i]) : 0;
    };
    for (int pair = 0; pair < layout.row_pairs(); ++pair, lane += 4)
      *lane = input(2 * pair) | input(2 * pair + 1) << 16;
  }

  static ASSAY_INLINE void gather_row(const std::int16_t* from, std::uint32_t* lane) {
#pragma GCC unroll 8
    for (int pair = 0; pair < layout.row / 2; ++pair)
      lane[4 * pair] = load_pair(from + 2 * pair);
    if constexpr (layout.row % 2 != 0)
      lane[4 * (layout.row / 2)] = static_cast<std::uint16_t>(from[layout.row - 1]);
  }

  /// The window of a pixel into every fourth word from `lane` on.
  static void gather(const std::int16_t* in, int pixel, std::uint32_t* lane) {
    const int top = pixel / L::out_width * L::stride_height - L::pad_top;
    const int left = pixel % L::out_width * L::stride_width - L::pad_left;
    const bool whole = left >= 0 && left + L::kernel_width <= L::in_width;
    for (int y = top; y < top + L::kernel_height; ++y, lane += 4 * layout.row_pairs()) {
      const std::int16_t* row = in + y * L::in_width * L::in_channels;
      if (y < 0 || y >= L::in_height)
        for (int pair = 0; pair < layout.row_pairs(); ++pair)
          lane[4 * pair] = 0;
      else if (whole)
        gather_row(row + left * L::in_channels, lane);
      else
        gather_edge(row, left, lane);
    }
  }

  /// Writes two channels of four pixels, or as many as there are; total(c, j) holds b'.
  template <class TotalOf>
  static ASSAY_INLINE void store(int channel, std::int16_t* out, TotalOf total) {
    constexpr int last_channel = channels < 2 ? channels : 2, last_pixel = pixels < 4 ? pixels : 4;
    for (int c = 0; c < last_channel; ++c) {
      const std::int32_t multiplier = L::multiplier[channel + c];
#pragma GCC unroll 4
      for (int j = 0; j < last_pixel; ++j)
        out[j * channels + channel + c] = requantize<L>(total(c, j), multiplier);
    }
  }

  /// All inputs of the windows in one sum.
  static ASSAY_INLINE void convolve(const std::uint32_t* weights, const Columns& columns,
                                    int channel, std::int16_t* out) {
    TileSums start, sums;
    for (int c = 0; c < 2; ++c)
      for (int j = 0; j < 4; ++j)
        start.channel[c][j] = L::bias[channel + c];
    multiply<loop.unroll>(weights, columns[0], columns[steps], start, sums);
    store(channel, out, [&](int c, int j) ASSAY_INLINE_LAMBDA { return sums.channel[c][j]; });
  }

  /// As many inputs as 32 bits hold at a time.
  static ASSAY_INLINE void convolve_in_parts(const std::uint32_t* weights, const Columns& columns,
                                             int channel, std::int16_t* out) {
    constexpr int part = part_inputs / 2 / loop.unroll * loop.unroll;
    const TileSums start{};
    std::int64_t totals[2][4];
    for (int c = 0; c < 2; ++c)
      for (int j = 0; j < 4; ++j)
        totals[c][j] = L::bias[channel + c];
    for (int from = 0; from < steps; from += part) {
      const int to = from + part < steps ? from + part : steps;
      TileSums sums;
      multiply<loop.unroll>(weights + from, columns[from], columns[to], start, sums);
      for (int c = 0; c < 2; ++c)
        for (int j = 0; j < 4; ++j)
          totals[c][j] += sums.channel[c][j];
    }
    store(channel, out, [&](int c, int j) ASSAY_INLINE_LAMBDA { return totals[c][j]; });
  }
};

}  // namespace int16

template <class L>
void conv_int16_smlad(const std::int16_t* in, std::int16_t* out, void* scratch) {
  using Conv = int16::ConvSmlad<L>;
  auto& columns = *static_cast<typename Conv::Columns*>(scratch);
  for (int group = 0; 4 * group < Conv::pixels; ++group) {
    const int first = first_of_block<4>(group, Conv::pixels);
    for (int j = 0; j < 4 && first + j < Conv::pixels; ++j)
      Conv::gather(in, first + j, columns[0] + j);
    for (int pair = 0; 2 * pair < Conv::channels; ++pair) {
      const int channel = first_of_block<2>(pair, Conv::channels);
      const std::uint32_t* weights = L::packed + pair * Conv::steps;
      if constexpr (int16::long_sums<L>)
        Conv::convolve_in_parts(weights, columns, channel, out + first * Conv::channels);
      else
        Conv::convolve(weights, columns, channel, out + first * Conv::channels);
    }
  }
}

}  // namespace assay::kernels

// Convolution over int16 tensors for cores with SMLAD. Some groups of four output pixels are
// expanded into columns of input pairs; then the weights of two channels at a time are widened once
// for all of these pixels. See layout.hpp for weights and scratch memory. L has, besides the
// members of layer.hpp: std::uint32_t packed[], bias[] and multiplier[], filled up to an even number
// of channels.
#pragma once

#include "targets/runtime/dsp/two_by_four.hpp"
#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/smlad.hpp"

namespace assay::kernels {

namespace int16 {

#ifdef __thumb__
using dsp::multiply_two_by_four;
#else
/// The same where LDRD takes only neighbouring registers.
template <int unroll>
ASSAY_INLINE void multiply_two_by_four(const std::uint32_t* weights, const std::uint32_t* columns,
                                       const std::uint32_t* end, const dsp::TileSums& start,
                                       dsp::TileSums& sums) {
  for (int c = 0; c < 2; ++c) {
    const std::uint32_t* weight = weights + c;
    std::int32_t s0 = start.channel[c][0], s1 = start.channel[c][1];
    std::int32_t s2 = start.channel[c][2], s3 = start.channel[c][3];
    for (const std::uint32_t* column = columns; column != end; column += 4, weight += 2) {
      s0 = dsp::smlad(*weight, column[0], s0);
      s1 = dsp::smlad(*weight, column[1], s1);
      s2 = dsp::smlad(*weight, column[2], s2);
      s3 = dsp::smlad(*weight, column[3], s3);
    }
    sums.channel[c][0] = s0, sums.channel[c][1] = s1;
    sums.channel[c][2] = s2, sums.channel[c][3] = s3;
  }
}
#endif

template <class L>
struct ConvSmlad {
  static constexpr ConvLayout layout{L::kernel_height, L::kernel_width* L::in_channels,
                                     L::out_height * L::out_width};
  static constexpr Unrolled loop = layout.loop();
  static constexpr int steps = loop.steps;
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

  /// The window of a pixel into every fourth word from `lane` on.
  static ASSAY_INLINE void gather(const std::int16_t* in, int pixel, std::uint32_t* lane) {
    const int top = pixel / L::out_width * L::stride_height - L::pad_top;
    const int left = pixel % L::out_width * L::stride_width - L::pad_left;
    const bool whole = left >= 0 && left + L::kernel_width <= L::in_width;
    for (int y = top; y < top + L::kernel_height; ++y, lane += 4 * layout.row_pairs()) {
      const std::int16_t* row = in + y * L::in_width * L::in_channels;
      if (y < 0 || y >= L::in_height) {
        for (int pair = 0; pair < layout.row_pairs(); ++pair)
          lane[4 * pair] = 0;
      } else if (whole) {
        const std::int16_t* from = row + left * L::in_channels;
        for (int pair = 0; pair < layout.row / 2; ++pair)
          lane[4 * pair] = load_pair(from + 2 * pair);
        if constexpr (layout.row % 2 != 0)
          lane[4 * (layout.row / 2)] = static_cast<std::uint16_t>(from[layout.row - 1]);
      } else {
        gather_edge(row, left, lane);
      }
    }
  }

  static ASSAY_INLINE void widen(const std::uint32_t* packed, std::uint32_t* weights) {
    for (int step = 0; step < steps; ++step) {
      weights[2 * step] = dsp::sxtb16(packed[step]);
      weights[2 * step + 1] = dsp::sxtb16_odd(packed[step]);
    }
  }

  /// Writes two channels of a group; total(c, j) holds b'.
  template <class TotalOf>
  static ASSAY_INLINE void store(int channel, int pixel, std::int16_t* out, TotalOf total) {
    const int channels = channel + 1 < L::out_channels ? 2 : 1;
    const int left = layout.pixels - pixel;
    for (int c = 0; c < channels; ++c)
      for (int j = 0; j < 4 && j < left; ++j)
        out[(pixel + j) * L::out_channels + channel + c] =
            requantize<L>(total(c, j), L::multiplier[channel + c]);
  }

  /// All inputs of a window in one sum.
  static ASSAY_INLINE void convolve(const std::uint32_t* weights, const Columns& columns,
                                    int channel, int pixel, std::int16_t* out) {
    dsp::TileSums start, sums;
    for (int c = 0; c < 2; ++c)
      for (int j = 0; j < 4; ++j)
        start.channel[c][j] = L::bias[channel + c];
    multiply_two_by_four<loop.unroll>(weights, columns[0], columns[steps], start, sums);
    store(channel, pixel, out,
          [&](int c, int j) ASSAY_INLINE_LAMBDA { return sums.channel[c][j]; });
  }

  /// As many inputs as 32 bits hold at a time.
  static ASSAY_INLINE void convolve_in_parts(const std::uint32_t* weights, const Columns& columns,
                                             int channel, int pixel, std::int16_t* out) {
    constexpr int part = part_inputs / 2 / loop.unroll * loop.unroll;
    const dsp::TileSums start{};
    std::int64_t totals[2][4];
    for (int c = 0; c < 2; ++c)
      for (int j = 0; j < 4; ++j)
        totals[c][j] = L::bias[channel + c];
    for (int from = 0; from < steps; from += part) {
      const int to = from + part < steps ? from + part : steps;
      dsp::TileSums sums;
      multiply_two_by_four<loop.unroll>(weights + 2 * from, columns[from], columns[to], start,
                                        sums);
      for (int c = 0; c < 2; ++c)
        for (int j = 0; j < 4; ++j)
          totals[c][j] += sums.channel[c][j];
    }
    store(channel, pixel, out, [&](int c, int j) ASSAY_INLINE_LAMBDA { return totals[c][j]; });
  }
};

}  // namespace int16

template <class L>
void conv_int16_smlad(const std::int16_t* in, std::int16_t* out, void* scratch) {
  using Conv = int16::ConvSmlad<L>;
  constexpr int pixels = Conv::layout.pixels, tile = 4 * Conv::layout.groups();
  auto* columns = static_cast<typename Conv::Columns*>(scratch);
  auto* weights = reinterpret_cast<std::uint32_t*>(columns + Conv::layout.groups());
  for (int first = 0; first < pixels; first += tile) {
    const int end = first + tile < pixels ? first + tile : pixels;
    for (int pixel = first; pixel < end; ++pixel)
      Conv::gather(in, pixel, columns[(pixel - first) / 4][0] + (pixel - first) % 4);
    for (int channel = 0; channel < L::out_channels; channel += 2) {
      Conv::widen(L::packed + channel / 2 * Conv::steps, weights);
      for (int pixel = first; pixel < end; pixel += 4)
        if constexpr (int16::long_sums<L>)
          Conv::convolve_in_parts(weights, columns[(pixel - first) / 4], channel, pixel, out);
        else
          Conv::convolve(weights, columns[(pixel - first) / 4], channel, pixel, out);
    }
  }
}

}  // namespace assay::kernels

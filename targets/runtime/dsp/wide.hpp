// Convolutions and dense layers whose windows are too long to lie expanded in scratch memory, for
// cores with SMLAD: eight output channels of one pixel at a time, the inputs expanded on the way.
// A window is taken in pieces that lie together in memory: the pixels of a convolution, the whole
// input of a dense layer. L has, besides the members of layer.hpp:
//   std::uint32_t blocks[]   for each eight channels, and for the pairs left over: b' of the low
//                            channel of each pair, b' of the high ones; for each piece, filled up
//                            to groups of four inputs, [word of 2 inputs][pair] weights as in
//                            layout.hpp; m of each channel
#pragma once

#include "targets/runtime/dsp/layout.hpp"
#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/layer.hpp"
#include "targets/runtime/pixel_window.hpp"

namespace assay::kernels {

namespace dsp {

/// Sums of pairs of channels that hold b' already.
template <int pairs>
struct WideSums {
  std::int32_t low[pairs];
  std::int32_t high[pairs];
};

/// Two inputs times the next weights: `low` and 256 * A1 + A0 in `both`.
template <int pairs>
ASSAY_INLINE void add_two_inputs(const std::uint32_t*& weights, std::uint32_t inputs,
                                 std::int32_t (&low)[pairs], std::int32_t (&both)[pairs]) {
#pragma GCC unroll 4
  for (int i = 0; i < pairs; ++i) {
    const std::uint32_t raw = *weights++;
    both[i] = smlad(raw, inputs, both[i]);
    low[i] = smlad(sxtb16(raw), inputs, low[i]);
  }
}

/// Up to safe_inputs inputs.
template <int count, int pairs>
ASSAY_INLINE void add_part(const std::uint32_t*& weights, const std::int8_t* inputs,
                           WideSums<pairs>& sums) {
  static_assert(count <= safe_inputs);
  std::int32_t low[pairs], both[pairs];
  for (int i = 0; i < pairs; ++i)
    low[i] = both[i] = sums.low[i];
  const std::int8_t* const end = inputs + count / 4 * 4;
  while (inputs != end) {
    const std::uint32_t word = load_word(inputs);
    inputs += 4;
    add_two_inputs(weights, sxtb16(word), low, both);
    add_two_inputs(weights, sxtb16_odd(word), low, both);
  }
  if constexpr (count % 4 != 0) {
    // Halves without an input hold anything: their weights are zero.
    const auto input = [end](int i) { return static_cast<std::uint32_t>(end[i]); };
    add_two_inputs(weights, count % 4 == 3 ? join_bottoms(input(0), input(2)) : input(0), low,
                   both);
    add_two_inputs(weights, input(count % 4 == 1 ? 0 : 1), low, both);
  }
  for (int i = 0; i < pairs; ++i) {
    sums.low[i] = low[i];
    sums.high[i] += (both[i] - low[i]) >> 8;
  }
}

/// A piece of `length` inputs.
template <int length, int pairs>
ASSAY_INLINE void add_piece(const std::uint32_t*& weights, const std::int8_t* inputs,
                            WideSums<pairs>& sums) {
  constexpr int part = safe_inputs / 4 * 4;
  for (int i = 0; i < length / part; ++i, inputs += part)
    add_part<part>(weights, inputs, sums);
  if constexpr (length % part != 0) add_part<length % part>(weights, inputs, sums);
}

/// `channels` outputs at `out`; returns the constants after theirs.
template <class L, class Window, int channels>
ASSAY_INLINE const std::uint32_t* multiply_wide(const std::uint32_t* constants,
                                                const Window& window, std::int8_t* out) {
  constexpr int pairs = (channels + 1) / 2;
  WideSums<pairs> sums;
  for (int i = 0; i < pairs; ++i) {
    sums.low[i] = static_cast<std::int32_t>(constants[i]);
    sums.high[i] = static_cast<std::int32_t>(constants[pairs + i]);
  }
  constants += 2 * pairs;
  for (int piece = 0; piece < Window::pieces; ++piece)
    add_piece<Window::length>(constants, window.piece(piece), sums);
  for (int c = 0; c < channels; ++c) {
    const std::int32_t sum = c % 2 == 0 ? sums.low[c / 2] : sums.high[c / 2];
    out[c] = requantize<L>(sum, static_cast<std::int32_t>(constants[c]));
  }
  return constants + channels;
}

/// All channels of a pixel. `Window` has pieces and length, and finds the inputs of piece(i).
template <class L, class Window>
ASSAY_INLINE void multiply_all_wide(const Window& window, std::int8_t* out) {
  const std::uint32_t* constants = L::blocks;
  int channel = 0;
  for (; channel + 8 <= L::out_channels; channel += 8)
    constants = multiply_wide<L, Window, 8>(constants, window, out + channel);
  constexpr int left = L::out_channels % 8;
  if constexpr (left > 0) multiply_wide<L, Window, left>(constants, window, out + channel);
}

}  // namespace dsp

template <class L>
void conv_wide_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  PixelWindow<L> window(in, scratch);
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += L::out_channels) {
      window.move_to(y, x);
      dsp::multiply_all_wide<L>(window, out);
    }
}

template <class L>
void dense_wide_dsp(const std::int8_t* in, std::int8_t* out, void*) {
  dsp::multiply_all_wide<L>(WholeInput<L>{in}, out);
}

}  // namespace assay::kernels

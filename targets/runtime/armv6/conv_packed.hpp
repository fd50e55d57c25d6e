// Convolution with weights of fewer bits than a byte for Armv6 cores: the filters of two channels
// are decoded once for a tile of pixels, already widened. L has, besides the members of layer.hpp,
// packed and values as in packed_layout.hpp, and bias and multiplier as in conv.hpp.
#pragma once

#include "targets/runtime/armv6/conv.hpp"
#include "targets/runtime/armv6/widened_products.hpp"
#include "targets/runtime/dsp/unpack.hpp"

namespace assay::kernels {

namespace armv6 {

template <class L, class Decoder>
struct PackedConv {
  static constexpr int steps = packed_steps(conv_layout<L>, Decoder::form);
  static constexpr int pixels = shared_pixels(steps);

  struct Scratch {
    std::uint32_t tile[pixels / 2 * steps * pixel_pair_words];
    std::uint32_t table[Decoder::form.table_bytes() / 4 + 1];
    std::uint32_t filters[steps * pair_words];
    WindowScratch<L> windows;
  };

  /// Zeros for what a codebook's filters are filled up with: the rest of a window, and whole steps.
  static ASSAY_INLINE void clear_filling(Scratch& scratch) {
    constexpr WindowLayout layout = conv_layout<L>;
    for (int i = layout.rows * layout.row; i < layout.window_bytes(); ++i)
      scratch.windows.window[i] = 0;
    for (int i = 0; layout.steps() < steps && i < pixels / 2; ++i)
      for (int step = layout.steps(); step < steps; ++step)
        for (int word = 0; word < pixel_pair_words; ++word)
          scratch.tile[(i * steps + step) * pixel_pair_words + word] = 0;
  }

  /// Two channels of `count` pixels.
  static ASSAY_INLINE void convolve(const Scratch& scratch, int channel, int count,
                                    std::int8_t* out) {
    for (int p = 0; p < count; p += 2) {
      std::int32_t sums[4] = {0, 0, 0, 0};
      add_widened_steps<steps>(scratch.tile + p / 2 * steps * pixel_pair_words, scratch.filters,
                               sums);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i)
        sums[i] = (sums[i] >> Decoder::form.scale_bits()) + L::bias[channel + i / 2];
      put_pair<L>(sums, channel, count - p < 2 ? 1 : 2, out + p * L::out_channels);
    }
  }
};

template <class L, class Decoder>
ASSAY_INLINE void convolve_packed(const std::int8_t* in, std::int8_t* out, void* memory) {
  using Conv = PackedConv<L, Decoder>;
  constexpr int pixels = L::out_height * L::out_width;
  auto& scratch = *static_cast<typename Conv::Scratch*>(memory);
  scratch.windows.rows.initialize();
  Conv::clear_filling(scratch);
  Decoder::prepare(scratch.table);
  for (int first = 0; first < pixels; first += Conv::pixels) {
    const int count = pixels - first < Conv::pixels ? pixels - first : Conv::pixels;
    fill_tile<L>(in, first, count, Conv::steps, scratch.tile, scratch.windows);
    const auto* packed = reinterpret_cast<const std::uint8_t*>(L::packed);
    for (int channel = 0; channel < L::out_channels; channel += conv_channels) {
      packed = decode_pairs<Decoder, Conv::steps>(packed, scratch.table, scratch.filters);
      Conv::convolve(scratch, channel, count, out + first * L::out_channels + channel);
    }
  }
}

}  // namespace armv6

template <class L>
void conv_int4_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::convolve_packed<L, dsp::Lanes<4>>(in, out, scratch);
}

template <class L>
void conv_ternary_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::convolve_packed<L, dsp::Lanes<2>>(in, out, scratch);
}

template <class L>
void conv_codebook16_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::convolve_packed<L, dsp::PairCodebook<L>>(in, out, scratch);
}

template <class L>
void conv_codebook_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::convolve_packed<L, dsp::Codebook<L>>(in, out, scratch);
}

}  // namespace assay::kernels

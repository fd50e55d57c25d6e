// Depthwise convolution over int16 tensors for cores with halfword products: four channels at a
// time, position by position of the window. See layout.hpp for the weights. L has, besides the
// members of layer.hpp: std::uint32_t packed[], bias[] and multiplier[]. Scratch memory holds a
// pixel of the padding where windows reach over an edge.
#pragma once

#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/smlad.hpp"

namespace assay::kernels {

namespace int16 {

/// Two neighbouring elements of a tensor, as one word that may be read wherever they lie.
typedef std::uint32_t __attribute__((may_alias, aligned(2))) TwoInputs;

/// Adds the products of four channels at one position, and moves on to the next weights: nine
/// instructions for four multiply-accumulates. One statement, because GCC would load what many of
/// them need before the first and spill it.
ASSAY_INLINE void add_position(const std::int16_t* from, const std::uint32_t*& packed,
                               std::int32_t (&sums)[4]) {
  std::uint32_t word, inputs, weights;
  asm volatile(
      "ldr %[word], [%[packed]], #4\n\t"
      "ldr %[inputs], %[first]\n\t"
      "sxtb16 %[weights], %[word]\n\t"
      "smlabb %[s0], %[weights], %[inputs], %[s0]\n\t"
      "smlatt %[s1], %[weights], %[inputs], %[s1]\n\t"
      "ldr %[inputs], %[second]\n\t"
      "sxtb16 %[weights], %[word], ror #8\n\t"
      "smlabb %[s2], %[weights], %[inputs], %[s2]\n\t"
      "smlatt %[s3], %[weights], %[inputs], %[s3]"
      : [packed] "+r"(packed), [word] "=&r"(word), [inputs] "=&r"(inputs), [weights] "=&r"(weights),
        [s0] "+r"(sums[0]), [s1] "+r"(sums[1]), [s2] "+r"(sums[2]), [s3] "+r"(sums[3])
      : [first] "m"(*reinterpret_cast<const TwoInputs*>(from)), [second] "m"(*reinterpret_cast<
                                                                             const TwoInputs*>(
                                                                    from + 2)));
}

template <class L>
struct DepthwiseSmlad {
  static constexpr int positions = L::kernel_height * L::kernel_width;
  static constexpr int row = L::in_width * L::in_channels;
  static_assert(positions <= part_inputs);
  static constexpr bool pads =
      reaches_outside(L::in_width, L::out_width, L::kernel_width, L::stride_width, L::pad_left) ||
      reaches_outside(L::in_height, L::out_height, L::kernel_height, L::stride_height, L::pad_top);

  /// Four channels of a pixel; at(position) is the first one's input.
  template <class At>
  static ASSAY_INLINE void convolve(const std::uint32_t*& packed, int channel, std::int16_t* out,
                                    At at) {
    std::int32_t sums[4] = {};
#pragma GCC unroll 9
    for (int position = 0; position < positions; ++position)
      add_position(at(position), packed, sums);
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c)
      out[channel + c] = requantize<L>(sums[c] + L::bias[channel + c], L::multiplier[channel + c]);
  }

  template <class At>
  static ASSAY_INLINE void convolve_all(std::int16_t* out, At at) {
    const std::uint32_t* packed = L::packed;
    for (int block = 0; 4 * block < L::out_channels; ++block) {
      const int channel = first_of_block<4>(block, L::out_channels);
      convolve(packed, channel, out,
               [&](int position) ASSAY_INLINE_LAMBDA { return at(position) + channel; });
    }
  }

  /// A window that reaches over an edge: every position's pixel is looked up once.
  static void convolve_edge(const std::int16_t* in, int top, int left, const std::int16_t* outside,
                            std::int16_t* out) {
    const std::int16_t* pixels[positions];
    for (int position = 0; position < positions; ++position) {
      const int y = top + position / L::kernel_width, x = left + position % L::kernel_width;
      const bool inside = y >= 0 && y < L::in_height && x >= 0 && x < L::in_width;
      pixels[position] = inside ? in + y * row + x * L::in_channels : outside;
    }
    convolve_all(out, [&](int position) ASSAY_INLINE_LAMBDA { return pixels[position]; });
  }
};

}  // namespace int16

template <class L>
void depthwise_int16_smlad(const std::int16_t* in, std::int16_t* out, void* scratch) {
  using Depthwise = int16::DepthwiseSmlad<L>;
  auto* outside = static_cast<std::int16_t*>(scratch);
  if constexpr (Depthwise::pads)
    for (int c = 0; c < L::in_channels; ++c)
      outside[c] = 0;
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += L::out_channels) {
      const int top = y * L::stride_height - L::pad_top, left = x * L::stride_width - L::pad_left;
      const bool whole = top >= 0 && top + L::kernel_height <= L::in_height && left >= 0 &&
                         left + L::kernel_width <= L::in_width;
      if (Depthwise::pads && !whole) {
        Depthwise::convolve_edge(in, top, left, outside, out);
        continue;
      }
      const std::int16_t* window = in + top * Depthwise::row + left * L::in_channels;
      Depthwise::convolve_all(out, [&](int position) ASSAY_INLINE_LAMBDA {
        return window + position / L::kernel_width * Depthwise::row +
               position % L::kernel_width * L::in_channels;
      });
    }
}

}  // namespace assay::kernels

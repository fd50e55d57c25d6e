// Convolution and dense layer over int16 tensors for Armv6-M: the window of a pixel is expanded to
// words once, then four channels at a time share its inputs. Loads of signed bytes have no offset
// there, those of unsigned ones have: weights are w + 128, and what that adds to a sum, 128 times
// the inputs', is the same for all channels. Needs four channels. See layout.hpp for the weights.
// L has, besides the members of layer.hpp: std::uint8_t packed[], bias[] and multiplier[].
#pragma once

#include "targets/runtime/int16/layout.hpp"
#include "targets/runtime/int16/requantize_plain.hpp"

namespace assay::kernels {

namespace int16 {

// One input and four channels, thirteen instructions; `input` is its place among the unrolled ones.
#define ASSAY_INT16_CHANNEL(sum, place)            \
  "ldrb %[weight], [%[weights], #assay_i + " place \
  "]\n\tmuls %[weight], %[input], %[weight]\n\tadds %[" sum "], %[" sum "], %[weight]\n\t"

/// Adds the products of the inputs up to `end`, a multiple of `together` of them, with four
/// channels. A function of its own: it takes all eight low registers.
__attribute__((noinline)) inline void add_products_m0(const std::int32_t* column,
                                                      const std::int32_t* end,
                                                      const std::uint8_t* weights,
                                                      std::uint32_t (&sums)[4]) {
  std::uint32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3], input, weight;
  asm volatile(
      ".syntax unified\n"
      "1:\n\t"
      ".set assay_i, 0\n\t"
      ".rept %c[together]\n\t"
      "ldmia %[column]!, {%[input]}\n\t"  //
      ASSAY_INT16_CHANNEL("s0", "0") ASSAY_INT16_CHANNEL("s1", "1")
      ASSAY_INT16_CHANNEL("s2", "2") ASSAY_INT16_CHANNEL("s3", "3")
      ".set assay_i, assay_i + 4\n\t"
      ".endr\n\t"
      "adds %[weights], %[weights], #4 * %c[together]\n\t"
      "cmp %[column], %[end]\n\t"
      "bne 1b" ASSAY_LINES_48 ASSAY_LINES_48
      : [column] "+l"(column), [weights] "+l"(weights), [s0] "+l"(s0), [s1] "+l"(s1),
        [s2] "+l"(s2), [s3] "+l"(s3), [input] "=&l"(input), [weight] "=&l"(weight)
      : [end] "h"(end), [together] "i"(inputs_together)
      : "cc", "memory");
  sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}

#undef ASSAY_INT16_CHANNEL

template <class L, int inputs>
struct ConvM0 {
  static constexpr int padded = round_up(inputs, inputs_together);
  using Sum = Accumulator<L, std::int16_t>;
  /// As many inputs as 32 bits hold the sums of, and how often that is.
  static constexpr int part = sizeof(Sum) > 4 && padded > part_inputs ? part_inputs : padded;
  static constexpr int parts = (padded + part - 1) / part;
  static_assert(L::out_channels >= 4 && part_inputs % inputs_together == 0);

  /// All channels of a pixel.
  static void multiply(const std::int32_t* column, std::int16_t* out) {
    std::uint32_t start[parts] = {};
    for (int p = 0; p < parts; ++p)
      for (int i = p * part; i < inputs && i < (p + 1) * part; ++i)
        start[p] -= static_cast<std::uint32_t>(column[i]) << 7;
    const std::uint8_t* weights = L::packed;
    for (int block = 0; 4 * block < L::out_channels; ++block, weights += 4 * padded) {
      Sum totals[4] = {};
      for (int p = 0; p < parts; ++p) {
        std::uint32_t sums[4] = {start[p], start[p], start[p], start[p]};
        const int from = p * part, to = from + part < padded ? from + part : padded;
        add_products_m0(column + from, column + to, weights + 4 * from, sums);
        for (int c = 0; c < 4; ++c)
          totals[c] += static_cast<std::int32_t>(sums[c]);
      }
      const int channel = first_of_block<4>(block, L::out_channels);
      for (int c = 0; c < 4; ++c)
        out[channel + c] = requantize_plain<L>(totals[c], channel + c);
    }
  }

  static ASSAY_INLINE void fill_up(std::int32_t* column) {
    for (int i = inputs; i < padded; ++i)
      column[i] = 0;
  }
};

/// Appends elements to a column.
ASSAY_INLINE void append(const std::int16_t* from, int count, std::int32_t*& column) {
#pragma GCC unroll 4
  for (int i = 0; i < count; ++i)
    *column++ = from[i];
}

/// The window at (top, left); padding is 0.
template <class L>
ASSAY_INLINE void expand_window(const std::int16_t* in, int top, int left, std::int32_t* column) {
  constexpr int row = L::in_width * L::in_channels;
  const bool whole = left >= 0 && left + L::kernel_width <= L::in_width;
  for (int y = top; y < top + L::kernel_height; ++y) {
    const std::int16_t* from = in + y * row + left * L::in_channels;
    if (whole && y >= 0 && y < L::in_height) {
      append(from, L::kernel_width * L::in_channels, column);
      continue;
    }
    for (int x = left; x < left + L::kernel_width; ++x, from += L::in_channels) {
      const bool inside = y >= 0 && y < L::in_height && x >= 0 && x < L::in_width;
      for (int c = 0; c < L::in_channels; ++c)
        *column++ = inside ? from[c] : 0;
    }
  }
}

}  // namespace int16

template <class L>
void conv_int16_m0(const std::int16_t* in, std::int16_t* out, void* scratch) {
  using Conv = int16::ConvM0<L, L::kernel_height * L::kernel_width * L::in_channels>;
  auto* const column = static_cast<std::int32_t*>(scratch);
  Conv::fill_up(column);
  for (int y = 0; y < L::out_height; ++y)
    for (int x = 0; x < L::out_width; ++x, out += L::out_channels) {
      int16::expand_window<L>(in, y * L::stride_height - L::pad_top,
                              x * L::stride_width - L::pad_left, column);
      Conv::multiply(column, out);
    }
}

template <class L>
void dense_int16_m0(const std::int16_t* in, std::int16_t* out, void* scratch) {
  constexpr int inputs = L::in_height * L::in_width * L::in_channels;
  using Dense = int16::ConvM0<L, inputs>;
  auto* const column = static_cast<std::int32_t*>(scratch);
  Dense::fill_up(column);
  auto* to = column;
  int16::append(in, inputs, to);
  Dense::multiply(column, out);
}

}  // namespace assay::kernels

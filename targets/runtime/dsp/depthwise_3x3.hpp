// Depthwise 3x3 convolution with strides of 1 or 2 for cores with SMLAD, four channels at a time;
// see row_sweep.hpp. Needs four channels or more. L has, besides the members of layer.hpp:
//   std::uint32_t filters[]   of each channel of each block of four
#pragma once

#include "targets/runtime/dsp/row_sweep.hpp"

namespace assay::kernels {

namespace dsp {

/// One position of two input rows.
struct PairedInputs {
  std::uint32_t channel[4];  ///< (upper, lower)
};

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

/// What of an input row lies in the plane.
template <class L>
struct PairedRow {
  static constexpr int columns = row_pairs<L, 4>.columns;
  static constexpr int left = L::pad_left < columns ? L::pad_left : columns;
  static constexpr int inside = L::in_width < columns - left ? L::in_width : columns - left;
  static constexpr std::uint32_t zeros = (L::input_zero & 0xff) * 0x01010101u;  ///< of the padding
};

/// Fills the columns of the padding, which are the same for all channels and bands.
template <class L>
ASSAY_INLINE void pad_columns(PairedInputs* row) {
  using Row = PairedRow<L>;
  for (int y = 0; y <= row_pairs<L, 4>.band; ++y, row += Row::columns) {
    for (int x = 0; x < Row::left; ++x)
      pair_inputs(Row::zeros, Row::zeros, row[x]);
    for (int x = Row::left + Row::inside; x < Row::columns; ++x)
      pair_inputs(Row::zeros, Row::zeros, row[x]);
  }
}

/// Expands four channels of input rows y and y + 1, which may lie in the padding; `to` is the first
/// column of the input.
template <class L>
ASSAY_INLINE void pair_rows(const std::int8_t* in, int y, PairedInputs* to) {
  constexpr int pitch = L::in_width * L::out_channels, inside = PairedRow<L>::inside;
  constexpr std::uint32_t zeros = PairedRow<L>::zeros;
  const bool upper_inside = y >= 0 && y < L::in_height;
  const bool lower_inside = y + 1 >= 0 && y + 1 < L::in_height;
  const std::int8_t* upper = in + y * pitch;
  const std::int8_t* lower = upper + pitch;
  PairedInputs* const end = to + inside;
  if (upper_inside && lower_inside) {
#pragma GCC unroll 4
    for (int i = 0; i < inside; ++i)
      pair_next<L::out_channels>(upper, lower, to);
  } else if (upper_inside) {
    for (; to != end; ++to, upper += L::out_channels)
      pair_inputs(load_word(upper), zeros, *to);
  } else if (lower_inside) {
    for (; to != end; ++to, lower += L::out_channels)
      pair_inputs(zeros, load_word(lower), *to);
  } else {
    for (; to != end; ++to)
      pair_inputs(zeros, zeros, *to);
  }
}

/// A block of four channels with their filters. Of a last block that overlaps the one before only
/// the new channels.
template <class L>
ASSAY_INLINE void sweep_block(const std::int8_t* in, const std::uint32_t* filters, int block,
                              std::int8_t* out, std::uint32_t* plane) {
  const int channel = first_of_block<4>(block, L::out_channels);
  const auto pair_two_rows = [&](int y, std::uint32_t* row) ASSAY_INLINE_LAMBDA {
    pair_rows<L>(in + channel, y, reinterpret_cast<PairedInputs*>(row) + PairedRow<L>::left);
  };
  sweep_channels<L, 4>(pair_two_rows, filters, 4 * block - channel, 4, out + channel, plane);
}

}  // namespace dsp

template <class L>
void depthwise_3x3_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  auto* const plane = static_cast<std::uint32_t*>(scratch);
  dsp::pad_columns<L>(reinterpret_cast<dsp::PairedInputs*>(plane));
  for (int block = 0; 4 * block < L::out_channels; ++block)
    dsp::sweep_block<L>(in, L::filters + 4 * dsp::row_pair_filter * block, block, out, plane);
}

}  // namespace assay::kernels

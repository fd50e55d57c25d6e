// 3x3 convolution of a single channel with strides of 1 or 2 for cores with SMLAD: what the first
// layer of a network is for gray images, spectrograms and signals. The input is expanded once for
// all output channels, each of which sweeps over it; see row_sweep.hpp. L has, besides the members
// of layer.hpp:
//   std::uint32_t filters[]   of each output channel
#pragma once

#include "targets/runtime/dsp/row_sweep.hpp"

namespace assay::kernels {

namespace dsp {

/// Expands input rows y and y + 1, which may lie in the padding.
template <class L>
ASSAY_INLINE void pair_rows_of_one(const std::int8_t* in, int y, std::uint32_t* row) {
  constexpr int columns = row_pairs<L, 1>.columns;
  const auto input = [&](int row_of_input, int x) {
    const bool inside =
        row_of_input >= 0 && row_of_input < L::in_height && x >= 0 && x < L::in_width;
    return static_cast<std::uint32_t>(inside ? in[row_of_input * L::in_width + x] : L::input_zero);
  };
  for (int i = 0, x = -L::pad_left; i < columns; ++i, ++x)
    row[i] = join_bottoms(input(y, x), input(y + 1, x));
}

}  // namespace dsp

template <class L>
void conv_one_channel_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  const auto pair_rows = [in](int y, std::uint32_t* row)
                             ASSAY_INLINE_LAMBDA { dsp::pair_rows_of_one<L>(in, y, row); };
  dsp::sweep_channels<L, 1>(pair_rows, L::filters, 0, L::out_channels, out,
                            static_cast<std::uint32_t*>(scratch));
}

}  // namespace assay::kernels

// Depthwise 3x3 convolution with weights of fewer bits than a byte for cores with SMLAD: the
// filters of depthwise_3x3.hpp are put together in scratch memory, four channels at a time. L has
// the members of ../depthwise_fields.hpp and
//   std::int32_t bias[], multiplier[]   of every channel
// Scratch: the plane of depthwise_3x3.hpp, then four filters.
#pragma once

#include "targets/runtime/depthwise_fields.hpp"
#include "targets/runtime/dsp/depthwise_3x3.hpp"

namespace assay::kernels {

namespace dsp {

/// The filters of row_sweep.hpp of the four channels from `channel` on.
template <class L, class Taps>
__attribute__((noinline)) void unpack_sweep_filters(int channel, std::uint32_t* to) {
  for (int c = channel; c < channel + 4; ++c) {
    for (int column = 0; column < 3; ++column) {
      const auto byte = [=](int row) {
        return static_cast<std::uint32_t>(Taps::weight(3 * row + column, c)) & 0xff;
      };
      *to++ = byte(0) | byte(1) << 8 | byte(1) << 16 | byte(2) << 24;
    }
    *to++ = static_cast<std::uint32_t>(L::bias[c]);
    *to++ = static_cast<std::uint32_t>(L::multiplier[c]);
  }
}

template <class L, class Taps>
ASSAY_INLINE void sweep_packed(const std::int8_t* in, std::int8_t* out, void* scratch) {
  auto* const plane = static_cast<std::uint32_t*>(scratch);
  std::uint32_t* const filters = plane + row_pairs<L, 4>.plane_words();
  pad_columns<L>(reinterpret_cast<PairedInputs*>(plane));
  for (int block = 0; 4 * block < L::out_channels; ++block) {
    unpack_sweep_filters<L, Taps>(first_of_block<4>(block, L::out_channels), filters);
    sweep_block<L>(in, filters, block, out, plane);
  }
}

}  // namespace dsp

template <class L>
void depthwise_3x3_int4_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::sweep_packed<L, SmallTaps<L, 4>>(in, out, scratch);
}

template <class L>
void depthwise_3x3_ternary_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::sweep_packed<L, SmallTaps<L, 2>>(in, out, scratch);
}

template <class L>
void depthwise_3x3_codebook_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::sweep_packed<L, NumberedTaps<L>>(in, out, scratch);
}

}  // namespace assay::kernels

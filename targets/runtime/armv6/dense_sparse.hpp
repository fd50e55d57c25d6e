// Dense layer that meets only the weights that are not zero, for Armv6 cores. Single weights are
// multiplied by the inputs as they are, blocks of four by widened ones. L has the members
// conv_sparse.hpp names.
#pragma once

#include "targets/runtime/armv6/dense.hpp"
#include "targets/runtime/armv6/pair_table.hpp"
#include "targets/runtime/sparse_streams.hpp"

namespace assay::kernels {

namespace armv6 {

/// `Stream` gives the weights of every channel; add(position or block, weights, sum) returns the
/// sum with their products.
template <class L, class Stream, class Add>
ASSAY_INLINE void multiply_sparse(std::int8_t* out, Add add) {
  Stream stream;
  for (int channel = 0; channel < L::out_channels; ++channel) {
    std::int32_t sum = L::bias[channel];
    stream.next_channel(channel, [&](int position, auto weights)
                                     ASSAY_INLINE_LAMBDA { sum = add(position, weights, sum); });
    out[channel] = dsp::requantize<L>(sum, L::multiplier[channel]);
  }
}

template <class L, class Stream>
ASSAY_INLINE void multiply_singles(const std::int8_t* in, std::int8_t* out) {
  multiply_sparse<L, Stream>(out, [in](int position, std::int32_t weight, std::int32_t sum)
                                      ASSAY_INLINE_LAMBDA { return sum + weight * in[position]; });
}

/// sum + the products of the block (w0, w2), (w1, w3) with its widened inputs.
template <class L>
ASSAY_INLINE std::int32_t multiply_block(const DenseScratch<L>& inputs, int block,
                                         std::uint32_t even, std::uint32_t odd, std::int32_t sum) {
  const std::uint32_t* step = inputs.words + 2 * block;
  return dsp::smlad(step[1], odd, dsp::smlad(step[0], even, sum));
}

}  // namespace armv6

template <class L>
void dense_unstructured_armv6(const std::int8_t* in, std::int8_t* out, void*) {
  armv6::multiply_singles<L, SingleStream<L>>(in, out);
}

template <class L>
void dense_bitmap_armv6(const std::int8_t* in, std::int8_t* out, void*) {
  armv6::multiply_singles<L, BitmapStream<L, armv6::dense_layout<L>.row>>(in, out);
}

template <class L>
void dense_blocks_armv6(const std::int8_t* in, std::int8_t* out, void* memory) {
  auto& inputs = *static_cast<armv6::DenseScratch<L>*>(memory);
  armv6::widen_inputs<L>(in, inputs);
  armv6::multiply_sparse<L, BlockStream<L>>(
      out, [&](int block, const std::uint32_t* weights, std::int32_t sum) ASSAY_INLINE_LAMBDA {
        return armv6::multiply_block<L>(inputs, block, dsp::sxtb16(*weights),
                                        dsp::sxtb16_odd(*weights), sum);
      });
}

template <class L>
void dense_blocks_codebook16_armv6(const std::int8_t* in, std::int8_t* out, void* memory) {
  auto& scratch = *static_cast<armv6::NumberedScratch<L>*>(memory);
  armv6::widen_inputs<L>(in, scratch.inputs);
  armv6::prepare_pairs<L>(scratch.table);
  armv6::multiply_sparse<L, NumberedStream<L>>(
      out, [&](int block, const std::uint8_t* numbers, std::int32_t sum) ASSAY_INLINE_LAMBDA {
        return armv6::multiply_block<L>(scratch.inputs, block, scratch.table[numbers[0]],
                                        scratch.table[numbers[1]], sum);
      });
}

}  // namespace assay::kernels

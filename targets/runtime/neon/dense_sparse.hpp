// Dense layer that meets only the weights that are not zero. There is one window: single weights
// are multiplied in core registers, two blocks of four in a vector. L has the members
// conv_sparse.hpp names.
#pragma once

#include "targets/runtime/neon/products.hpp"
#include "targets/runtime/neon/whole_blocks.hpp"
#include "targets/runtime/sparse_streams.hpp"

namespace assay::kernels {

namespace neon {

/// ARITHMETIC.md's requantization of one sum.
template <class L>
ASSAY_INLINE std::int8_t requantize_one(std::int32_t sum, int channel) {
  const std::int32_t shifted = (sum + L::bias[channel]) >> L::accumulator_shift;
  const std::int32_t y = (shifted * L::multiplier[channel]) >> L::output_shift;
  return static_cast<std::int8_t>(y < L::clamp_min   ? L::clamp_min
                                  : y > L::clamp_max ? L::clamp_max
                                                     : y);
}

template <class L, class Stream>
ASSAY_INLINE void multiply_singles(const std::int8_t* in, std::int8_t* out) {
  Stream stream;
  for (int channel = 0; channel < L::out_channels; ++channel) {
    std::int32_t sum = 0;
    stream.next_channel(channel, [&](int position, std::int32_t weight)
                                     ASSAY_INLINE_LAMBDA { sum += weight * in[position]; });
    out[channel] = requantize_one<L>(sum, channel);
  }
}

ASSAY_INLINE std::uint32_t load_four(const std::int8_t* bytes) {
  std::uint32_t word;
  __builtin_memcpy(&word, bytes, sizeof word);
  return word;
}

/// Eight products, in pairs.
ASSAY_INLINE int32x4_t add_eight(int32x4_t sums, uint32x2_t inputs, uint32x2_t weights) {
  return vpadalq_s16(sums, vmull_s8(vreinterpret_s8_u32(inputs), vreinterpret_s8_u32(weights)));
}

}  // namespace neon

template <class L>
void dense_unstructured_neon(const std::int8_t* in, std::int8_t* out, void*) {
  neon::multiply_singles<L, SingleStream<L>>(in, out);
}

template <class L>
void dense_bitmap_neon(const std::int8_t* in, std::int8_t* out, void*) {
  neon::multiply_singles<L, BitmapStream<L, neon::dense_inputs<L>>>(in, out);
}

template <class L>
void dense_blocks_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  in = neon::whole_blocks<L>(in, scratch);
  BlockStream<L> stream;
  for (int channel = 0; channel < L::out_channels; ++channel) {
    int32x4_t sums = vdupq_n_s32(0);
    stream.visit_pairs(
        channel,
        [&](int block, const std::uint32_t* weights) ASSAY_INLINE_LAMBDA {
          const uint32x2_t inputs =
              vset_lane_u32(neon::load_four(in + 4 * block), vdup_n_u32(0), 0);
          sums = neon::add_eight(sums, inputs, vdup_n_u32(*weights));
        },
        [&](int first, int second, const std::uint32_t* weights) ASSAY_INLINE_LAMBDA {
          const uint32x2_t inputs = vset_lane_u32(neon::load_four(in + 4 * second),
                                                  vdup_n_u32(neon::load_four(in + 4 * first)), 1);
          sums = neon::add_eight(sums, inputs, vld1_u32(weights));
        });
    out[channel] = neon::requantize_one<L>(vaddvq_s32(sums), channel);
  }
}

}  // namespace assay::kernels

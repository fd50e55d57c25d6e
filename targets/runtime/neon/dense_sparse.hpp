// Dense layer that meets only the weights that are not zero. There is one window: single weights
// are multiplied in core registers, blocks four products at a time. L has the members
// conv_sparse.hpp names.
#pragma once

#include "targets/runtime/neon/products.hpp"
#include "targets/runtime/neon/sparse_streams.hpp"

namespace assay::kernels {

namespace neon {

template <class L>
inline constexpr int dense_inputs = L::in_height* L::in_width* L::in_channels;

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

/// Four bytes, in the low half of a vector.
ASSAY_INLINE int8x8_t load_four(const void* from) {
  std::uint32_t word;
  __builtin_memcpy(&word, from, sizeof word);
  return vreinterpret_s8_u32(vdup_n_u32(word));
}

}  // namespace neon

template <class L>
void dense_unstructured_neon(const std::int8_t* in, std::int8_t* out, void*) {
  neon::multiply_singles<L, neon::SingleStream<L>>(in, out);
}

template <class L>
void dense_bitmap_neon(const std::int8_t* in, std::int8_t* out, void*) {
  neon::multiply_singles<L, neon::BitmapStream<L, neon::dense_inputs<L>>>(in, out);
}

template <class L>
void dense_blocks_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  constexpr int inputs = neon::dense_inputs<L>;
  if constexpr (inputs % 4 != 0) {
    __builtin_memcpy(scratch, in, inputs);
    in = static_cast<const std::int8_t*>(scratch);
  }
  neon::BlockStream<L> stream;
  for (int channel = 0; channel < L::out_channels; ++channel) {
    int32x4_t sums = vdupq_n_s32(0);
    stream.next_channel(channel, [&](int position,
                                     const std::uint32_t* weights) ASSAY_INLINE_LAMBDA {
      const int16x8_t products = vmull_s8(neon::load_four(in + position), neon::load_four(weights));
      sums = vaddw_s16(sums, vget_low_s16(products));
    });
    out[channel] = neon::requantize_one<L>(vaddvq_s32(sums), channel);
  }
}

}  // namespace assay::kernels

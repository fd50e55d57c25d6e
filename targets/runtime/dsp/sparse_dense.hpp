// Dense layers with zeros among their weights, for cores with SMLAD. Each weight is used once, so
// that finding it costs as much as multiplying it: what is saved for certain is flash. L has,
// besides the members of layer.hpp:
//   std::int8_t stream[]       the non-zero weights of all channels; see sparse_layout.hpp
//   std::int32_t channels[]    [channel]{b', m}
#pragma once

#include "targets/runtime/dsp/sparse_products.hpp"
#include "targets/runtime/dsp/sparse_window.hpp"

namespace assay::kernels {

namespace dsp {

template <class L>
inline constexpr int dense_inputs = L::in_height* L::in_width* L::in_channels;

/// The runs of a bitmap.
template <int inputs>
ASSAY_INLINE const std::int8_t* add_bitmap(const std::int8_t* stream, const std::int8_t* in,
                                           std::int32_t& sum) {
  for (const std::int8_t* const end = in + inputs / bitmap_run * bitmap_run; in != end;
       in += bitmap_run) {
    const std::uint32_t bits = load_bits<bitmap_run>(stream);
    stream = add_marked_weights(stream + bitmap_bytes(bitmap_run), bits, in, sum);
  }
  if constexpr (constexpr int left = inputs % bitmap_run; left > 0)
    stream = add_marked_weights(stream + bitmap_bytes(left), load_bits<left>(stream), in, sum);
  return stream;
}

/// All channels; `add(stream, sum)` adds the products of one and returns what follows its weights.
template <class L, class Add>
ASSAY_INLINE void for_each_channel(std::int8_t* out, Add add) {
  const std::int8_t* stream = L::stream;
  const std::int32_t* channel = L::channels;
  for (std::int8_t* const end = out + L::out_channels; out != end; channel += 2) {
    std::int32_t sum = channel[0];
    stream = add(stream, sum);
    *out++ = requantize<L>(sum, channel[1]);
  }
}

}  // namespace dsp

template <class L>
void dense_blocks_dsp(const std::int8_t* in, std::int8_t* out, void* memory) {
  constexpr dsp::SparseTile tile = dsp::dense_tile(dsp::dense_inputs<L>, dsp::SparseForm::blocks);
  auto* inputs = static_cast<std::uint32_t*>(memory);
  dsp::expand_column<dsp::dense_inputs<L>, 1>(in, inputs);
  dsp::for_each_channel<L>(out, [&](const std::int8_t* stream, std::int32_t& sum) {
    std::int32_t sums[1] = {sum};
    stream = dsp::add_blocks<tile.unit_bytes()>(stream, inputs, sums);
    sum = sums[0];
    return stream;
  });
}

template <class L>
void dense_unstructured_dsp(const std::int8_t* in, std::int8_t* out, void*) {
  dsp::for_each_channel<L>(out, [&](const std::int8_t* stream, std::int32_t& sum) {
    return dsp::add_single_weights(stream, in, sum);
  });
}

template <class L>
void dense_bitmap_dsp(const std::int8_t* in, std::int8_t* out, void*) {
  dsp::for_each_channel<L>(out, [&](const std::int8_t* stream, std::int32_t& sum) {
    return dsp::add_bitmap<dsp::dense_inputs<L>>(stream, in, sum);
  });
}

}  // namespace assay::kernels

// Rows of the kernels for cores with SMLAD, and the packing of dense weights; formats are
// described in targets/runtime/dsp/.
#include <algorithm>

#include "targets/pack/dsp_packing.hpp"
#include "targets/pack/rows.hpp"
#include "targets/runtime/dsp/layout.hpp"

namespace assay {
namespace {

namespace dsp = kernels::dsp;

/// The word that holds inputs `first` and `first + 2` of two channels, h = 256 * w1 + w0 each.
std::int64_t pair_word(const PackedFilter& low, const PackedFilter& high, std::size_t first) {
  const auto half = [&](std::size_t i) { return (256 * high[i] + low[i]) & 0xffff; };
  return half(first) | half(first + 2) << 16;
}

dsp::DenseLayout dense_layout(const LayerView& view) {
  return {static_cast<int>(view.input.size()), view.output.channels};
}

PackedFilter dense_filter(const LayerView& view, int channel) {
  PackedFilter filter(static_cast<std::size_t>(4 * dense_layout(view).steps), 0);
  const auto first = view.layer.weights.begin() + channel * view.input.size();
  std::copy(first, first + view.input.size(), filter.begin());
  return filter;
}

/// Appends `count` channels from `first` on: b', weights and m as targets/runtime/dsp/dense.hpp
/// reads them.
void pack_dense_block(const LayerView& view, int first, int count, bool in_parts,
                      std::vector<std::int64_t>& words) {
  const Requantization& r = view.layer.requantization;
  std::vector<PackedFilter> filters;
  std::vector<std::int64_t> bias, multiplier;
  for (int c = first; c < first + count; ++c) {
    filters.push_back(dense_filter(view, c));
    bias.push_back(r.bias[static_cast<std::size_t>(c)]);
    multiplier.push_back(r.multiplier[static_cast<std::size_t>(c)]);
  }
  if (count % 2 != 0) {
    filters.emplace_back(filters.back().size(), 0);
    bias.push_back(0);
  }
  const auto add = [&words](std::int64_t word) { words.push_back(word & 0xffffffff); };
  for (std::size_t c = 0; c < bias.size(); c += 2)
    add(bias[c]);
  for (std::size_t c = 0; c < bias.size(); c += 2)
    add(in_parts ? bias[c + 1] : bias[c] + 256 * bias[c + 1]);
  for (std::size_t group = 0; group < filters[0].size(); group += 4)
    for (std::size_t word = 0; word < 2; ++word)
      for (std::size_t c = 0; c < filters.size(); c += 2)
        add(pair_word(filters[c], filters[c + 1], group + word));
  for (const std::int64_t m : multiplier)
    add(m);
}

std::vector<ConstantArray> pack_dense(const LayerView& view) {
  const dsp::DenseLayout layout = dense_layout(view);
  const int channels = view.output.channels;
  bool in_parts = false;
  for (int c = 0; c < channels; ++c)
    in_parts =
        in_parts || !sums_in_one_part(dense_filter(view, c),
                                      view.layer.requantization.bias[static_cast<std::size_t>(c)]);
  ConstantArray pairs{"pairs", "std::uint32_t", 4, {}};
  for (int block = 0; block < layout.blocks; ++block) {
    const int first = layout.first_channel(block, channels);
    pack_dense_block(view, first, 8, in_parts, pairs.values);
    pairs.values.push_back(layout.first_channel(block + 1, channels) - first);
  }
  if (layout.rest > 0)
    pack_dense_block(view, channels - layout.rest, layout.rest, in_parts, pairs.values);
  return {pairs, {"parts", "std::int32_t", 4, {in_parts ? layout.safe_parts() : 0}}};
}

Bytes dense_scratch(const LayerView& view) {
  return Bytes(static_cast<std::uint64_t>(8 * dense_layout(view).steps));
}

/// Where the faster kernel would need more scratch than it may take.
bool conv_is_wide(const LayerView& view) {
  return conv_dsp_scratch(view) > Bytes(kernels::scratch_limit);
}
bool dense_is_wide(const LayerView& view) {
  return dense_scratch(view) > Bytes(kernels::scratch_limit);
}

/// Sums of a window are held in 16 bits.
bool sums_fit_16_bits(const LayerView& view) {
  const Window& w = view.layer.window;
  return w.kernel_height * w.kernel_width <= 255;
}

}  // namespace

std::span<const KernelRow> dsp_kernels() {
  static const KernelRow rows[] = {
      {.name = "conv.dsp",
       .op = IntegerOp::convolution,
       .header = "targets/runtime/dsp/conv.hpp",
       .function = "assay::kernels::conv_dsp",
       .runs_on = has_dsp,
       .pack = pack_conv_dsp,
       .scratch = conv_dsp_scratch},
      {.name = "conv_wide.dsp",
       .op = IntegerOp::convolution,
       .header = "targets/runtime/dsp/wide.hpp",
       .function = "assay::kernels::conv_wide_dsp",
       .runs_on = has_dsp,
       .accepts = conv_is_wide,
       .pack = pack_wide_dsp,
       .scratch = pixel_window_scratch},
      {.name = "conv3x3_winograd.dsp",
       .op = IntegerOp::convolution,
       .header = "targets/runtime/dsp/winograd.hpp",
       .function = "assay::kernels::conv3x3_winograd_dsp",
       .runs_on = has_dsp,
       .accepts = accepts_winograd,
       .pack = pack_winograd,
       .scratch = winograd_scratch,
       .large_scratch = true,
       .most_scratch = Bytes(20 << 10)},
      {.name = "dense.dsp",
       .op = IntegerOp::dense,
       .header = "targets/runtime/dsp/dense.hpp",
       .function = "assay::kernels::dense_dsp",
       .runs_on = has_dsp,
       .pack = pack_dense,
       .scratch = dense_scratch},
      {.name = "dense_wide.dsp",
       .op = IntegerOp::dense,
       .header = "targets/runtime/dsp/wide.hpp",
       .function = "assay::kernels::dense_wide_dsp",
       .runs_on = has_dsp,
       .accepts = dense_is_wide,
       .pack = pack_wide_dsp,
       .scratch = pixel_window_scratch},
      {.name = "add.dsp",
       .op = IntegerOp::add,
       .form = WeightForm::none,
       .header = "targets/runtime/dsp/add.hpp",
       .function = "assay::kernels::add_dsp",
       .runs_on = has_dsp,
       .pack = pack_requantization,
       .in_place = always},
      {.name = "max_pool.dsp",
       .op = IntegerOp::max_pool,
       .form = WeightForm::none,
       .header = "targets/runtime/dsp/pool.hpp",
       .function = "assay::kernels::max_pool_dsp",
       .runs_on = has_dsp,
       .pack = no_constants,
       .in_place = pool_may_run_in_place},
      {.name = "average_pool.dsp",
       .op = IntegerOp::average_pool,
       .form = WeightForm::none,
       .header = "targets/runtime/dsp/pool.hpp",
       .function = "assay::kernels::average_pool_dsp",
       .runs_on = has_dsp,
       .accepts = sums_fit_16_bits,
       .pack = pack_requantization,
       .in_place = pool_may_run_in_place},
  };
  return rows;
}

}  // namespace assay

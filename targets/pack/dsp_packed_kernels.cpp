// Rows and packing of the kernels with packed weights for cores with SMLAD; the formats are
// described in targets/runtime/dsp/tile_layout.hpp and dense_packed_layout.hpp. Long
// windows are packed as those of dense layers.
#include <algorithm>

#include "targets/pack/filter_streams.hpp"
#include "targets/pack/group_packing.hpp"
#include "targets/pack/rows.hpp"
#include "targets/runtime/dsp/dense_packed_layout.hpp"
#include "targets/runtime/dsp/tile_layout.hpp"

namespace assay {
namespace {

namespace dsp = kernels::dsp;
using dsp::PackedForm;

/// Weights of one output channel in packed order; zero where a window is filled up.
using Filter = std::vector<std::int8_t>;

template <int bits>
LanePacker lanes(const LayerView&) {
  return LanePacker(bits);
}
CodebookPacker codebook(const LayerView& view) {
  return CodebookPacker(distinct_values(view.layer.weights));
}

template <int bits>
PackedForm lane_form(const LayerView&) {
  return {bits, false};
}
PackedForm codebook_form_of(const LayerView& view) {
  return codebook_form(view.layer.weights);
}

dsp::TileLayout tile_layout(const LayerView& view, PackedForm form) {
  const Window& w = view.layer.window;
  const int row = w.kernel_width * view.input.channels;
  return {w.kernel_height,
          w.kernel_width,
          view.input.channels,
          view.output.height * view.output.width,
          static_cast<int>(window_rows_scratch(view, row, 4).count()),
          form};
}

Filter conv_filter(const LayerView& view, const dsp::TileLayout& layout, int channel) {
  Filter filter(static_cast<std::size_t>(layout.inputs()), 0);
  if (channel < 0) return filter;
  const dsp::ConvLayout& conv = layout.conv;
  const std::int8_t* weights =
      view.layer.weights.data() + std::int64_t{channel} * conv.kernel_height * conv.row;
  for (int ky = 0; ky < conv.kernel_height; ++ky, weights += conv.row)
    std::copy_n(weights, conv.row, filter.begin() + ky * conv.row_stride);
  return filter;
}

/// A ChannelPair of dsp/simd.hpp; -1 stands for no channel.
void add_channel_pair(const Requantization& r, int low, int high, ConstantArray& channels) {
  const auto add = [&](const auto& values) {
    for (const int channel : {low, high})
      channels.values.push_back(channel < 0 ? 0 : values[static_cast<std::size_t>(channel)]);
  };
  add(r.bias);
  add(r.multiplier);
}

template <auto packer_of, auto form_of>
std::vector<ConstantArray> pack_conv(const LayerView& view) {
  const dsp::TileLayout layout = tile_layout(view, form_of(view));
  auto packer = packer_of(view);
  ConstantArray pairs{"channels", "std::int32_t", 4, {}};
  const int channels = view.output.channels;
  for (int pair = 0; pair < (channels + 1) / 2; ++pair) {
    const int low = dsp::conv_channel(pair, 0, channels);
    const int high = dsp::conv_channel(pair, 1, channels);
    const Filter low_filter = conv_filter(view, layout, low);
    const Filter high_filter = conv_filter(view, layout, high);
    for (std::size_t first = 0; first < low_filter.size(); first += 4)
      packer.add_group(group_of_two(low_filter, high_filter, first));
    add_channel_pair(view.layer.requantization, low, high, pairs);
  }
  std::vector<ConstantArray> arrays = packer.arrays();
  arrays.push_back(std::move(pairs));
  return arrays;
}

template <auto form_of>
Bytes conv_scratch(const LayerView& view) {
  return Bytes(static_cast<std::uint64_t>(tile_layout(view, form_of(view)).bytes()));
}

/// How a window is taken: the whole input of a dense layer, the pixels of a convolution.
struct Pieces {
  explicit Pieces(const LayerView& view)
      : count(view.layer.op == IntegerOp::dense
                  ? 1
                  : view.layer.window.kernel_height * view.layer.window.kernel_width),
        length(static_cast<int>(view.layer.weights.size()) / view.output.channels / count) {}
  /// Of one piece, filled up.
  int inputs() const { return 4 * dsp::ExpandedInputs::groups_of(length); }

  int count;
  int length;
};

/// The weights of a channel, every piece filled up with zeros to whole groups; zeros for channels
/// there are none of.
Filter dense_filter(const LayerView& view, int channel) {
  const Pieces pieces(view);
  Filter filter(static_cast<std::size_t>(pieces.count * pieces.inputs()), 0);
  if (channel >= view.output.channels) return filter;
  for (int piece = 0; piece < pieces.count; ++piece)
    std::copy_n(
        view.layer.weights.begin() + (std::int64_t{channel} * pieces.count + piece) * pieces.length,
        pieces.length, filter.begin() + piece * pieces.inputs());
  return filter;
}

/// Filters of the channels from `first` on.
std::vector<Filter> dense_filters(const LayerView& view, int first, int count) {
  std::vector<Filter> filters;
  for (int c = first; c < first + count; ++c)
    filters.push_back(dense_filter(view, c));
  return filters;
}

/// The number whose digits are the weights of `16 / bits` channels from `channel` on for an input.
std::int64_t digits_half(const std::vector<Filter>& filters, std::size_t channel, std::size_t input,
                         int bits) {
  std::int64_t half = 0;
  const auto digits = static_cast<std::size_t>(16 / bits);
  for (std::size_t i = 0; i < digits && channel + i < filters.size(); ++i) {
    const int offset = i + 1 == digits ? 0 : dsp::digit_offset(bits);
    half += std::int64_t{filters[channel + i][input] + offset} *
            (1 << i * static_cast<std::size_t>(bits));
  }
  return half & 0xffff;
}

template <int bits>
std::vector<ConstantArray> pack_digits(const LayerView& view) {
  ConstantArray packed{"packed", "std::uint32_t", 4, {}};
  const int channels = view.output.channels;
  for (int block = 0; block < channels; block += dsp::digit_channels) {
    const int count = std::min(dsp::digit_channels, channels - block);
    const std::vector<Filter> filters = dense_filters(view, block, count);
    for (std::size_t group = 0; group < filters[0].size(); group += 4)
      for (std::size_t input = group; input < group + 2; ++input)
        for (std::size_t c = 0; c < filters.size(); c += 16 / bits)
          packed.values.push_back(digits_half(filters, c, input, bits) |
                                  digits_half(filters, c, input + 2, bits) << 16);
  }
  return with_requantization(view, {packed});
}

std::vector<ConstantArray> pack_dense_codebook(const LayerView& view) {
  CodebookPacker packer = codebook(view);
  for (int block = 0; block < view.output.channels; block += dsp::codebook_channels) {
    const std::vector<Filter> filters = dense_filters(view, block, dsp::codebook_channels);
    for (std::size_t group = 0; group < filters[0].size(); group += 4)
      for (std::size_t c = 0; c < filters.size(); c += 2)
        packer.add_group(group_of_two(filters[c], filters[c + 1], group));
  }
  return with_requantization(view, packer.arrays());
}

/// Of the expanded inputs, what `form_of` needs to decode, and an outside pixel.
template <auto form_of>
Bytes dense_scratch(const LayerView& view) {
  const Pieces pieces(view);
  const int others =
      form_of(view).table_bytes() + static_cast<int>(pixel_window_scratch(view).count());
  const dsp::ExpandedInputs inputs(pieces.count, pieces.length, others);
  return Bytes(static_cast<std::uint64_t>(inputs.bytes() + others));
}

/// Whether the weights are such as the form holds, and take fewer bytes, with what decodes them,
/// than a byte each.
template <auto weights_fit, auto pack>
bool accepts(const LayerView& view) {
  if (!weights_fit(view)) return false;
  std::size_t bytes = 0;
  for (const ConstantArray& array : pack(view))
    if (array.name == "packed" || array.name == "values")
      bytes += array.values.size() * static_cast<std::size_t>(array.element_bytes);
  return bytes < view.layer.weights.size();
}

/// Convolutions whose windows are too long for a tile.
template <auto fits, auto form_of>
bool too_long_for_tile(const LayerView& view) {
  return fits(view) && conv_scratch<form_of>(view) > Bytes(kernels::scratch_limit);
}

constexpr RowFamily row{has_dsp};

template <auto weights_fit, auto packer_of, auto form_of>
KernelRow conv_row(std::string_view name, WeightForm form, std::string_view function) {
  constexpr auto pack = pack_conv<packer_of, form_of>;
  return row(name, IntegerOp::convolution, form, "targets/runtime/dsp/conv_tile.hpp", function,
             form == WeightForm::int8 ? any_layer : accepts<weights_fit, pack>, pack,
             conv_scratch<form_of>);
}

template <auto weights_fit, auto pack, auto form_of>
KernelRow dense_row(std::string_view name, WeightForm form, std::string_view function) {
  return row(name, IntegerOp::dense, form, "targets/runtime/dsp/dense_packed.hpp", function,
             accepts<weights_fit, pack>, pack, dense_scratch<form_of>);
}

template <auto weights_fit, auto pack, auto form_of>
KernelRow long_conv_row(std::string_view name, WeightForm form, std::string_view function) {
  return row(name, IntegerOp::convolution, form, "targets/runtime/dsp/conv_packed.hpp", function,
             too_long_for_tile<accepts<weights_fit, pack>, form_of>, pack, dense_scratch<form_of>);
}

}  // namespace

std::span<const KernelRow> dsp_packed_kernels() {
  static const KernelRow rows[] = {
      conv_row<any_layer, lanes<8>, lane_form<8>>("conv_tile.dsp", WeightForm::int8,
                                                  "assay::kernels::conv_tile_int8"),
      conv_row<within<7>, lanes<4>, lane_form<4>>("conv_int4.dsp", WeightForm::int4,
                                                  "assay::kernels::conv_tile_int4"),
      conv_row<within<1>, lanes<2>, lane_form<2>>("conv_ternary.dsp", WeightForm::ternary,
                                                  "assay::kernels::conv_tile_ternary"),
      conv_row<value_count_in<1, 16>, codebook, codebook_form_of>(
          "conv_codebook16.dsp", WeightForm::codebook16, "assay::kernels::conv_tile_codebook16"),
      conv_row<value_count_in<17, 128>, codebook, codebook_form_of>(
          "conv_codebook.dsp", WeightForm::codebook256, "assay::kernels::conv_tile_codebook"),
      long_conv_row<within<7>, pack_digits<4>, lane_form<4>>(
          "conv_packed_int4.dsp", WeightForm::int4, "assay::kernels::conv_packed_int4_dsp"),
      long_conv_row<within<1>, pack_digits<2>, lane_form<2>>(
          "conv_packed_ternary.dsp", WeightForm::ternary,
          "assay::kernels::conv_packed_ternary_dsp"),
      long_conv_row<value_count_in<1, 16>, pack_dense_codebook, codebook_form_of>(
          "conv_packed_codebook16.dsp", WeightForm::codebook16,
          "assay::kernels::conv_packed_codebook16_dsp"),
      long_conv_row<value_count_in<17, 128>, pack_dense_codebook, codebook_form_of>(
          "conv_packed_codebook.dsp", WeightForm::codebook256,
          "assay::kernels::conv_packed_codebook_dsp"),
      dense_row<within<7>, pack_digits<4>, lane_form<4>>("dense_int4.dsp", WeightForm::int4,
                                                         "assay::kernels::dense_int4_dsp"),
      dense_row<within<1>, pack_digits<2>, lane_form<2>>("dense_ternary.dsp", WeightForm::ternary,
                                                         "assay::kernels::dense_ternary_dsp"),
      dense_row<value_count_in<1, 16>, pack_dense_codebook, codebook_form_of>(
          "dense_codebook16.dsp", WeightForm::codebook16, "assay::kernels::dense_codebook16_dsp"),
      dense_row<value_count_in<17, 128>, pack_dense_codebook, codebook_form_of>(
          "dense_codebook.dsp", WeightForm::codebook256, "assay::kernels::dense_codebook_dsp"),
  };
  return rows;
}

}  // namespace assay

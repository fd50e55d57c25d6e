// Rows and packing of the kernels for Armv6 cores whose weights take less than a byte, or leave
// zeros out; the formats are described in targets/runtime/armv6/packed_layout.hpp,
// sparse_streams.hpp and depthwise_fields.hpp.
#include "targets/pack/armv6_packing.hpp"
#include "targets/pack/depthwise_fields.hpp"
#include "targets/pack/filter_streams.hpp"
#include "targets/pack/group_packing.hpp"
#include "targets/pack/numbered_blocks.hpp"
#include "targets/pack/rows.hpp"
#include "targets/runtime/armv6/packed_layout.hpp"

namespace assay {
namespace {

namespace armv6 = kernels::armv6;
using kernels::dsp::PackedForm;

Bytes bytes(int count) {
  return Bytes(static_cast<std::uint64_t>(count));
}

// Fields of less than a byte.

template <int bits>
LanePacker lane_packer(const LayerView&) {
  return LanePacker(bits);
}
CodebookPacker codebook_packer(const LayerView& view) {
  return CodebookPacker(view.layer.weights);
}

template <int bits>
PackedForm lane_form(const LayerView&) {
  return {bits, false};
}
PackedForm codebook_form_of(const LayerView& view) {
  return codebook_form(view.layer.weights);
}

/// The weights of a channel, filled up with zeros to so many steps; zeros for a channel there is
/// none of.
std::vector<std::int8_t> filter_of(const FilterRows& rows, std::size_t channel, int steps) {
  std::vector<std::int8_t> filter;
  if (channel < rows.count()) filter.assign(rows[channel].begin(), rows[channel].end());
  filter.resize(static_cast<std::size_t>(steps * armv6::step_inputs), 0);
  return filter;
}

/// `steps` of the channels, `block` of them at a time.
template <class Packer>
std::vector<ConstantArray> pack_steps(const LayerView& view, int steps, int block, Packer packer) {
  const FilterRows rows(view);
  for (int first = 0; first < view.output.channels; first += block) {
    std::vector<std::vector<std::int8_t>> filters;
    for (int c = first; c < first + block; ++c)
      filters.push_back(filter_of(rows, static_cast<std::size_t>(c), steps));
    for (std::size_t input = 0; input < filters[0].size(); input += armv6::step_inputs)
      for (std::size_t c = 0; c < filters.size(); c += 2)
        packer.add_group(group_of_two(filters[c], filters[c + 1], input));
  }
  return packer.arrays();
}

int conv_steps(const LayerView& view, PackedForm form) {
  return armv6::packed_steps(armv6_window(view), form);
}

template <auto packer_of, auto form_of>
std::vector<ConstantArray> conv_weights(const LayerView& view) {
  return pack_steps(view, conv_steps(view, form_of(view)), armv6::conv_channels, packer_of(view));
}

template <auto packer_of>
std::vector<ConstantArray> dense_numbers(const LayerView& view) {
  return pack_steps(view, armv6_window(view).steps(), armv6::dense_channels, packer_of(view));
}

/// Pairs of weights in words of halfwords: fields of so many bits, the first pair lowest.
class FieldWords {
 public:
  explicit FieldWords(int bits) : bits_(bits) {}

  void add(std::int8_t low, std::int8_t high) {
    if (shift_ == 0) words_.push_back(0);
    const int offset = armv6::field_offset(bits_);
    words_.back() |= std::int64_t{low + offset} << shift_ | std::int64_t{high + offset}
                                                                << (16 + shift_);
    shift_ = (shift_ + bits_) % 16;
  }
  std::vector<std::int64_t> finished() && { return std::move(words_); }

 private:
  int bits_;
  int shift_ = 0;  ///< of the next pair
  std::vector<std::int64_t> words_;
};

/// The member `packed` of dense_fields.hpp.
template <int bits>
std::vector<ConstantArray> dense_fields(const LayerView& view) {
  const FilterRows rows(view);
  const int steps = armv6_window(view).steps();
  FieldWords words(bits);
  for (int first = 0; first < view.output.channels; first += armv6::dense_channels) {
    std::vector<std::vector<std::int8_t>> filters;
    for (int c = first; c < first + armv6::dense_channels; ++c)
      filters.push_back(filter_of(rows, static_cast<std::size_t>(c), steps));
    for (std::size_t input = 0; input < filters[0].size(); input += armv6::step_inputs)
      for (const auto& filter : filters) {
        words.add(filter[input], filter[input + 2]);
        words.add(filter[input + 1], filter[input + 3]);
      }
  }
  return {{"packed", "std::uint32_t", 4, std::move(words).finished()}};
}

template <auto weights_of, int block>
std::vector<ConstantArray> pack_filters(const LayerView& view) {
  std::vector<ConstantArray> arrays = weights_of(view);
  for (ConstantArray& array : pack_armv6_requantization(view, block))
    arrays.push_back(std::move(array));
  return arrays;
}

/// Whether the weights suit the form and take fewer bytes so, filled up, than a byte each.
template <auto weights_fit, auto weights_of>
bool accepts_packed(const LayerView& view) {
  return weights_fit(view) && FilterRows(view).inputs() <= std::size_t{armv6::most_packed_inputs} &&
         bytes_of(weights_of(view)) < Bytes(view.layer.weights.size());
}

/// Of the decoder's table.
Bytes table_scratch(PackedForm form) {
  return bytes(form.table_bytes() + 4);
}

template <auto form_of>
Bytes conv_packed_scratch(const LayerView& view) {
  const PackedForm form = form_of(view);
  const int steps = conv_steps(view, form);
  const int tile = armv6::shared_pixels(steps) / 2 * steps * armv6::pixel_pair_words;
  return bytes(4 * (tile + steps * armv6::pair_words)) + table_scratch(form) +
         armv6_windows_scratch(view);
}

Bytes dense_decoded_scratch(const LayerView& view) {
  const int decoded = armv6::decoded_steps * armv6::dense_channels / 2 * armv6::pair_words;
  return armv6_dense_scratch(view) + table_scratch(codebook_form_of(view)) + bytes(4 * decoded);
}

Bytes depthwise_packed_scratch(const LayerView& view) {
  const Window& w = view.layer.window;
  return armv6_depthwise_scratch(view) + bytes(8 * w.kernel_height * w.kernel_width);
}

// Without zeros.

Bytes conv_singles_scratch(const LayerView& view) {
  return bytes(2 * armv6::single_pixels * armv6_window(view).window_bytes()) +
         armv6_windows_scratch(view);
}

Bytes conv_blocks_scratch(const LayerView& view) {
  return bytes(8 * armv6::block_pixels * armv6_window(view).steps()) + armv6_windows_scratch(view);
}

Bytes conv_numbered_scratch(const LayerView& view) {
  return conv_blocks_scratch(view) + bytes(4 * armv6::pair_table_words);
}

Bytes dense_numbered_scratch(const LayerView& view) {
  return armv6_dense_scratch(view) + bytes(4 * armv6::pair_table_words);
}

constexpr RowFamily row{is_armv6, linux_scratch};
constexpr RowFamily depthwise_row{
    is_armv6, linux_scratch, {accepts_armv6_depthwise, "layers of four channels or more"}};

template <auto weights_fit, auto packer_of, auto form_of>
KernelRow conv_row(std::string_view name, WeightForm form, std::string_view function) {
  constexpr auto weights = conv_weights<packer_of, form_of>;
  return row(name, IntegerOp::convolution, form, "targets/runtime/armv6/conv_packed.hpp", function,
             accepts_packed<weights_fit, weights>, pack_filters<weights, armv6::conv_channels>,
             conv_packed_scratch<form_of>);
}

template <auto weights_fit, auto weights, auto scratch>
KernelRow dense_row(std::string_view name, WeightForm form, std::string_view header,
                    std::string_view function) {
  return row(name, IntegerOp::dense, form, header, function, accepts_packed<weights_fit, weights>,
             pack_filters<weights, armv6::dense_channels>, scratch);
}

constexpr std::string_view fields_dense = "targets/runtime/armv6/dense_fields.hpp";
constexpr std::string_view packed_dense = "targets/runtime/armv6/dense_packed.hpp";
constexpr std::string_view sparse_conv = "targets/runtime/armv6/conv_sparse.hpp";
constexpr std::string_view packed_depthwise = "targets/runtime/armv6/depthwise_packed.hpp";
constexpr std::string_view sparse_dense = "targets/runtime/armv6/dense_sparse.hpp";

}  // namespace

std::span<const KernelRow> armv6_compressed_kernels() {
  constexpr IntegerOp conv = IntegerOp::convolution, depthwise = IntegerOp::depthwise,
                      dense = IntegerOp::dense;
  static const KernelRow rows[] = {
      conv_row<within<1>, lane_packer<2>, lane_form<2>>("conv_ternary.armv6", WeightForm::ternary,
                                                        "assay::kernels::conv_ternary_armv6"),
      conv_row<within<7>, lane_packer<4>, lane_form<4>>("conv_int4.armv6", WeightForm::int4,
                                                        "assay::kernels::conv_int4_armv6"),
      conv_row<value_count_in<1, 16>, codebook_packer, codebook_form_of>(
          "conv_codebook16.armv6", WeightForm::codebook16, "assay::kernels::conv_codebook16_armv6"),
      conv_row<value_count_in<17, 128>, codebook_packer, codebook_form_of>(
          "conv_codebook256.armv6", WeightForm::codebook256, "assay::kernels::conv_codebook_armv6"),
      dense_row<within<1>, dense_fields<2>, armv6_dense_scratch>(
          "dense_ternary.armv6", WeightForm::ternary, fields_dense,
          "assay::kernels::dense_ternary_armv6"),
      dense_row<within<7>, dense_fields<4>, armv6_dense_scratch>(
          "dense_int4.armv6", WeightForm::int4, fields_dense, "assay::kernels::dense_int4_armv6"),
      dense_row<value_count_in<1, 16>, dense_numbers<codebook_packer>, dense_numbered_scratch>(
          "dense_codebook16.armv6", WeightForm::codebook16, packed_dense,
          "assay::kernels::dense_codebook16_armv6"),
      dense_row<value_count_in<17, 128>, dense_numbers<codebook_packer>, dense_decoded_scratch>(
          "dense_codebook256.armv6", WeightForm::codebook256, packed_dense,
          "assay::kernels::dense_codebook_armv6"),
      depthwise_row("depthwise_ternary.armv6", depthwise, WeightForm::ternary, packed_depthwise,
                    "assay::kernels::depthwise_ternary_armv6",
                    accepts_depthwise_fields<WeightForm::ternary, accepts_armv6_depthwise>,
                    pack_depthwise_with<WeightForm::ternary, pack_requantization>,
                    depthwise_packed_scratch),
      depthwise_row("depthwise_int4.armv6", depthwise, WeightForm::int4, packed_depthwise,
                    "assay::kernels::depthwise_int4_armv6",
                    accepts_depthwise_fields<WeightForm::int4, accepts_armv6_depthwise>,
                    pack_depthwise_with<WeightForm::int4, pack_requantization>,
                    depthwise_packed_scratch),
      depthwise_row("depthwise_codebook16.armv6", depthwise, WeightForm::codebook16,
                    packed_depthwise, "assay::kernels::depthwise_codebook_armv6",
                    accepts_depthwise_fields<WeightForm::codebook16, accepts_armv6_depthwise>,
                    pack_depthwise_with<WeightForm::codebook16, pack_requantization>,
                    depthwise_packed_scratch),
      depthwise_row("depthwise_codebook256.armv6", depthwise, WeightForm::codebook256,
                    packed_depthwise, "assay::kernels::depthwise_codebook_armv6",
                    accepts_depthwise_fields<WeightForm::codebook256, accepts_armv6_depthwise>,
                    pack_depthwise_with<WeightForm::codebook256, pack_requantization>,
                    depthwise_packed_scratch),
      row("conv_blocks.armv6", conv, WeightForm::blocks, sparse_conv,
          "assay::kernels::conv_blocks_armv6", smaller_than_int8<pack_blocks>,
          pack_sparse<pack_blocks>, conv_blocks_scratch),
      row("conv_blocks_codebook16.armv6", conv, WeightForm::blocks_codebook16, sparse_conv,
          "assay::kernels::conv_blocks_codebook16_armv6", numbers_are_smaller,
          pack_sparse<pack_numbered_blocks>, conv_numbered_scratch),
      row("conv_unstructured.armv6", conv, WeightForm::unstructured, sparse_conv,
          "assay::kernels::conv_unstructured_armv6", smaller_than_int8<pack_scattered>,
          pack_sparse<pack_scattered>, conv_singles_scratch),
      row("conv_bitmap.armv6", conv, WeightForm::bitmap, sparse_conv,
          "assay::kernels::conv_bitmap_armv6", smaller_than_int8<pack_bitmap>,
          pack_sparse<pack_bitmap>, conv_singles_scratch),
      row("dense_blocks.armv6", dense, WeightForm::blocks, sparse_dense,
          "assay::kernels::dense_blocks_armv6", smaller_than_int8<pack_blocks>,
          pack_sparse<pack_blocks>, armv6_dense_scratch),
      row("dense_blocks_codebook16.armv6", dense, WeightForm::blocks_codebook16, sparse_dense,
          "assay::kernels::dense_blocks_codebook16_armv6", numbers_are_smaller,
          pack_sparse<pack_numbered_blocks>, dense_numbered_scratch),
      row("dense_unstructured.armv6", dense, WeightForm::unstructured, sparse_dense,
          "assay::kernels::dense_unstructured_armv6", smaller_than_int8<pack_scattered>,
          pack_sparse<pack_scattered>, no_scratch),
      row("dense_bitmap.armv6", dense, WeightForm::bitmap, sparse_dense,
          "assay::kernels::dense_bitmap_armv6", smaller_than_int8<pack_bitmap>,
          pack_sparse<pack_bitmap>, no_scratch),
  };
  return rows;
}

}  // namespace assay

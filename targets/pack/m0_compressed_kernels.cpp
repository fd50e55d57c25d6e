// Rows of the kernels for Armv6-M cores whose weights take less than a byte, or leave zeros out;
// the headers in targets/runtime/m0/ describe the formats.
#include <algorithm>
#include <numeric>
#include <utility>

#include "targets/pack/depthwise_fields.hpp"
#include "targets/pack/filter_streams.hpp"
#include "targets/pack/m0_packing.hpp"
#include "targets/pack/numbered_blocks.hpp"
#include "targets/pack/rows.hpp"
#include "targets/runtime/bit_fields.hpp"
#include "targets/runtime/m0/layout.hpp"
#include "targets/runtime/m0/numbered_pairs.hpp"

namespace assay {
namespace {

namespace m0 = kernels::m0;

std::size_t unsigned_of(int value) {
  return static_cast<std::size_t>(value);
}

// Convolutions.

m0::ConvLayout conv_layout(const LayerView& view) {
  const Window& window = view.layer.window;
  return {window.kernel_height, window.kernel_width, view.input.channels};
}

Bytes conv_scratch(const LayerView& view, int unpacked_bytes) {
  return Bytes(static_cast<std::uint64_t>(
      m0::conv_scratch_bytes(view.output.height * view.output.width, conv_layout(view),
                             view.input.channels, unpacked_bytes)));
}

std::size_t fields_per_row(const LayerView& view, int bits) {
  return unsigned_of(
      kernels::round_up(conv_layout(view).inputs(), kernels::FieldGroup(bits).fields));
}

template <int bits>
std::vector<ConstantArray> pack_conv_small(const LayerView& view) {
  return {pack_fields(FilterRows(view), bits, fields_per_row(view, bits), 0,
                      [](int weight) { return static_cast<std::uint32_t>(weight); }),
          pack_m0_channels(view)};
}

template <int bits>
Bytes conv_small_scratch(const LayerView& view) {
  return conv_scratch(view, kernels::FieldGroup(bits).unpacked_bytes(conv_layout(view).inputs()));
}

/// Bits that choose one of the values.
int codebook_bits(const LayerView& view) {
  return kernels::codebook_bits(static_cast<int>(distinct_values(view.layer.weights).size()));
}

std::vector<ConstantArray> pack_conv_codebook(const LayerView& view) {
  const int bits = codebook_bits(view);
  const std::vector<std::int8_t> values = distinct_values(view.layer.weights);
  return {pack_fields(FilterRows(view), bits, fields_per_row(view, bits), 0, number_in(values)),
          pack_codebook(values, bits), pack_m0_channels(view)};
}

Bytes conv_codebook_scratch(const LayerView& view) {
  return conv_scratch(
      view, kernels::FieldGroup(codebook_bits(view)).unpacked_bytes(conv_layout(view).inputs()));
}

template <auto pack_rows>
std::vector<ConstantArray> pack_conv_sparse(const LayerView& view) {
  std::vector<ConstantArray> arrays = pack_rows(FilterRows(view));
  arrays.push_back(pack_m0_channels(view));
  return arrays;
}

template <auto pack_rows>
Bytes conv_singles_scratch(const LayerView& view) {
  return conv_scratch(view, m0::singles_unpacked_bytes(largest_count(pack_rows(FilterRows(view)))));
}

Bytes conv_blocks_scratch(const LayerView& view) {
  return conv_scratch(view,
                      m0::blocks_unpacked_bytes(largest_count(pack_blocks(FilterRows(view)))));
}

std::vector<ConstantArray> pack_conv_numbered(const LayerView& view) {
  const NumberedBlocks blocks = number_blocks(FilterRows(view));
  std::vector<ConstantArray> arrays = blocks.arrays();
  arrays.push_back({"most", "std::int32_t", 4, {blocks.longest_channel()}});
  arrays.push_back(pack_m0_channels(view));
  return arrays;
}

Bytes conv_numbered_scratch(const LayerView& view) {
  return conv_scratch(view,
                      m0::blocks_unpacked_bytes(number_blocks(FilterRows(view)).longest_channel()));
}

// Depthwise convolutions.

std::vector<ConstantArray> pack_depthwise_channels(const LayerView& view) {
  return {pack_m0_channels(view)};
}

/// The plane, and a byte for each tap.
Bytes depthwise_packed_scratch(const LayerView& view) {
  const Window& w = view.layer.window;
  const int taps = w.kernel_height * w.kernel_width;
  return m0_depthwise_scratch(view) + Bytes(unsigned_of(kernels::round_up(taps, 4)));
}

// Dense layers.

Bytes dense_pairs_scratch(const LayerView& view) {
  return Bytes(4 * unsigned_of(m0::dense_pair_words(static_cast<int>(view.input.size()))));
}

Bytes dense_words_scratch(const LayerView& view) {
  return Bytes(4 * unsigned_of(kernels::round_up(static_cast<int>(view.input.size()), 4)));
}

Bytes dense_table_scratch(const LayerView& view) {
  return Bytes(4 * m0::pair_table_words) + dense_pairs_scratch(view);
}

std::size_t dense_fields_per_row(const LayerView& view, int multiple) {
  return unsigned_of(kernels::round_up(static_cast<int>(view.input.size()), multiple));
}

template <int bits, int largest>
std::vector<ConstantArray> pack_dense_small(const LayerView& view) {
  const FilterRows rows(view);
  auto arrays = with_requantization(
      view, {pack_fields(rows, bits, dense_fields_per_row(view, m0::dense_pairs_step), 0,
                         [](int weight) { return static_cast<std::uint32_t>(weight + largest); })});
  const auto bias = std::ranges::find(arrays, "bias", &ConstantArray::name);
  for (std::size_t r = 0; r < rows.count(); ++r)
    bias->values[r] -= m0::input_offset * std::accumulate(rows[r].begin(), rows[r].end(), 0);
  return arrays;
}

/// `bits` for the numbers of the codebook's values; rows are filled up to a multiple of fields.
std::vector<ConstantArray> pack_dense_codebook(const LayerView& view, int bits, int multiple) {
  const std::vector<std::int8_t> values = distinct_values(view.layer.weights);
  return with_requantization(
      view, {pack_fields(FilterRows(view), bits, dense_fields_per_row(view, multiple), 0,
                         number_in(values)),
             pack_codebook(values, bits)});
}

std::vector<ConstantArray> pack_dense_codebook16(const LayerView& view) {
  return pack_dense_codebook(view, 4, m0::dense_pairs_step);
}

std::vector<ConstantArray> pack_dense_codebook256(const LayerView& view) {
  const int bits = codebook_bits(view);
  return pack_dense_codebook(view, bits, kernels::FieldGroup(bits).fields);
}

constexpr RowFamily row{is_armv6m};
constexpr RowFamily depthwise_row{is_armv6m,
                                  Bytes(kernels::scratch_limit),
                                  {accepts_m0_depthwise, "windows of less than 32 rows"}};

constexpr std::string_view packed_conv = "targets/runtime/m0/conv_packed.hpp";
constexpr std::string_view sparse_conv = "targets/runtime/m0/conv_sparse.hpp";
constexpr std::string_view packed_depthwise = "targets/runtime/m0/depthwise_packed.hpp";
constexpr std::string_view packed_dense = "targets/runtime/m0/dense_packed.hpp";
constexpr std::string_view sparse_dense = "targets/runtime/m0/dense_sparse.hpp";
constexpr std::string_view numbered = "targets/runtime/m0/sparse_codebook.hpp";

}  // namespace

std::span<const KernelRow> m0_compressed_kernels() {
  constexpr IntegerOp conv = IntegerOp::convolution, depthwise = IntegerOp::depthwise,
                      dense = IntegerOp::dense;
  static const KernelRow rows[] = {
      row("conv_ternary.m0", conv, WeightForm::ternary, packed_conv,
          "assay::kernels::conv_ternary_m0", within<1>, pack_conv_small<2>, conv_small_scratch<2>),
      row("conv_int4.m0", conv, WeightForm::int4, packed_conv, "assay::kernels::conv_int4_m0",
          within<7>, pack_conv_small<4>, conv_small_scratch<4>),
      row("conv_codebook16.m0", conv, WeightForm::codebook16, packed_conv,
          "assay::kernels::conv_codebook_m0", value_count_in<1, 16>, pack_conv_codebook,
          conv_codebook_scratch),
      row("conv_codebook256.m0", conv, WeightForm::codebook256, packed_conv,
          "assay::kernels::conv_codebook_m0", value_count_in<1, 128>, pack_conv_codebook,
          conv_codebook_scratch),
      row("conv_blocks.m0", conv, WeightForm::blocks, sparse_conv, "assay::kernels::conv_blocks_m0",
          smaller_than_int8<pack_blocks>, pack_conv_sparse<pack_blocks>, conv_blocks_scratch),
      row("conv_blocks_codebook16.m0", conv, WeightForm::blocks_codebook16, numbered,
          "assay::kernels::conv_blocks_codebook16_m0", numbers_are_smaller, pack_conv_numbered,
          conv_numbered_scratch),
      row("conv_unstructured.m0", conv, WeightForm::unstructured, sparse_conv,
          "assay::kernels::conv_unstructured_m0", smaller_than_int8<pack_scattered>,
          pack_conv_sparse<pack_scattered>, conv_singles_scratch<pack_scattered>),
      row("conv_bitmap.m0", conv, WeightForm::bitmap, sparse_conv, "assay::kernels::conv_bitmap_m0",
          smaller_than_int8<pack_bitmap>, pack_conv_sparse<pack_bitmap>,
          conv_singles_scratch<pack_bitmap>),
      depthwise_row("depthwise_ternary.m0", depthwise, WeightForm::ternary, packed_depthwise,
                    "assay::kernels::depthwise_ternary_m0",
                    accepts_depthwise_fields<WeightForm::ternary, accepts_m0_depthwise>,
                    pack_depthwise_with<WeightForm::ternary, pack_depthwise_channels>,
                    depthwise_packed_scratch),
      depthwise_row("depthwise_int4.m0", depthwise, WeightForm::int4, packed_depthwise,
                    "assay::kernels::depthwise_int4_m0",
                    accepts_depthwise_fields<WeightForm::int4, accepts_m0_depthwise>,
                    pack_depthwise_with<WeightForm::int4, pack_depthwise_channels>,
                    depthwise_packed_scratch),
      depthwise_row("depthwise_codebook16.m0", depthwise, WeightForm::codebook16, packed_depthwise,
                    "assay::kernels::depthwise_codebook_m0",
                    accepts_depthwise_fields<WeightForm::codebook16, accepts_m0_depthwise>,
                    pack_depthwise_with<WeightForm::codebook16, pack_depthwise_channels>,
                    depthwise_packed_scratch),
      depthwise_row("depthwise_codebook256.m0", depthwise, WeightForm::codebook256,
                    packed_depthwise, "assay::kernels::depthwise_codebook_m0",
                    accepts_depthwise_fields<WeightForm::codebook256, accepts_m0_depthwise>,
                    pack_depthwise_with<WeightForm::codebook256, pack_depthwise_channels>,
                    depthwise_packed_scratch),
      row("dense_ternary.m0", dense, WeightForm::ternary, packed_dense,
          "assay::kernels::dense_ternary_m0", within<1>, pack_dense_small<2, 1>,
          dense_pairs_scratch),
      row("dense_int4.m0", dense, WeightForm::int4, packed_dense, "assay::kernels::dense_int4_m0",
          within<7>, pack_dense_small<4, 7>, dense_pairs_scratch),
      row("dense_codebook16.m0", dense, WeightForm::codebook16, packed_dense,
          "assay::kernels::dense_codebook16_m0", value_count_in<1, 16>, pack_dense_codebook16,
          dense_table_scratch),
      row("dense_codebook256.m0", dense, WeightForm::codebook256, packed_dense,
          "assay::kernels::dense_codebook256_m0", value_count_in<1, 128>, pack_dense_codebook256,
          no_scratch),
      row("dense_blocks.m0", dense, WeightForm::blocks, sparse_dense,
          "assay::kernels::dense_blocks_m0", smaller_than_int8<pack_blocks>,
          pack_sparse<pack_blocks>, dense_words_scratch),
      row("dense_blocks_codebook16.m0", dense, WeightForm::blocks_codebook16, numbered,
          "assay::kernels::dense_blocks_codebook16_m0", numbers_are_smaller,
          pack_sparse<pack_numbered_blocks>, dense_table_scratch),
      row("dense_unstructured.m0", dense, WeightForm::unstructured, sparse_dense,
          "assay::kernels::dense_unstructured_m0", smaller_than_int8<pack_scattered>,
          pack_sparse<pack_scattered>, no_scratch),
      row("dense_bitmap.m0", dense, WeightForm::bitmap, sparse_dense,
          "assay::kernels::dense_bitmap_m0", smaller_than_int8<pack_bitmap>,
          pack_sparse<pack_bitmap>, no_scratch),
  };
  return rows;
}

}  // namespace assay

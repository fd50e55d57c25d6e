// Rows and packing of the kernels for AArch64 cores whose weights take less than a byte, or leave
// zeros out; the formats are described in targets/runtime/neon/packed_layout.hpp, lane_layout.hpp
// and sparse_streams.hpp.
#include "targets/pack/filter_streams.hpp"
#include "targets/pack/lane_blocks.hpp"
#include "targets/pack/neon_packing.hpp"
#include "targets/pack/numbered_blocks.hpp"
#include "targets/pack/rows.hpp"
#include "targets/runtime/neon/packed_layout.hpp"

namespace assay {
namespace {

namespace neon = kernels::neon;

Bytes bytes(int count) {
  return Bytes(static_cast<std::uint64_t>(count));
}

// Fields of less than a byte.

/// Steps of a filter in whole units.
int packed_steps(const LayerView& view) {
  return neon::units_of(neon_window(view).steps()) * neon::unit_vectors / neon::block_channels;
}

/// Appends the planes of one unit of fields.
void pack_unit(std::span<const std::uint32_t> fields, int bits, std::vector<std::int64_t>& bytes) {
  for (int from = 0; from < bits; from += neon::plane_width(bits, from)) {
    const int width = neon::plane_width(bits, from);
    const std::size_t per_byte = static_cast<std::size_t>(8 / width);
    for (std::size_t vector = 0; vector < neon::unit_vectors; vector += per_byte)
      for (std::size_t i = 0; i < neon::step_inputs; ++i) {
        std::int64_t byte = 0;
        for (std::size_t k = 0; k < per_byte; ++k) {
          const std::uint32_t field = fields[(vector + k) * neon::step_inputs + i];
          byte |= std::int64_t{field >> from & ((1u << width) - 1)}
                  << (k * static_cast<std::size_t>(width));
        }
        bytes.push_back(byte);
      }
  }
}

/// What is packed, filled up to whole units.
std::vector<std::int8_t> filled_up_filters(const LayerView& view) {
  if (view.layer.op != IntegerOp::depthwise) return neon_filters(view, packed_steps(view));
  std::vector<std::int8_t> filters = neon_depthwise_filters(view);
  filters.resize(static_cast<std::size_t>(
      kernels::round_up(static_cast<int>(filters.size()), neon::unit_weights)));
  return filters;
}

int channel_block(const LayerView& view) {
  return view.layer.op == IntegerOp::depthwise ? neon::depthwise_channels : neon::block_channels;
}

/// The member `packed`; `to_field` gives the number of a weight, of the zeros that fill up, too.
template <class ToField>
ConstantArray pack_units(const LayerView& view, int bits, ToField to_field) {
  ConstantArray packed{"packed", "std::uint8_t", 1, {}};
  std::vector<std::uint32_t> fields;
  for (const std::int8_t weight : filled_up_filters(view))
    fields.push_back(to_field(weight));
  for (std::size_t unit = 0; unit < fields.size(); unit += neon::unit_weights)
    pack_unit(std::span(fields).subspan(unit, neon::unit_weights), bits, packed.values);
  return packed;
}

std::vector<ConstantArray> with_padded_requantization(const LayerView& view,
                                                      std::vector<ConstantArray> arrays) {
  for (ConstantArray& array : pack_neon_requantization(view, channel_block(view)))
    arrays.push_back(std::move(array));
  return arrays;
}

template <int bits>
std::vector<ConstantArray> pack_small(const LayerView& view) {
  return with_padded_requantization(view, {pack_units(view, bits, [](std::int8_t weight) {
                                      return static_cast<std::uint32_t>(weight);
                                    })});
}

/// Zeros that fill up filters are numbers of any value: they meet zeros, or make channels that do
/// not exist.
std::vector<ConstantArray> pack_numbers(const LayerView& view) {
  const std::vector<std::int8_t> values = distinct_values(view.layer.weights);
  const int bits = neon::codebook_bits(static_cast<int>(values.size()));
  return with_padded_requantization(
      view, {pack_units(view, bits, number_in(values)), pack_codebook(values, bits)});
}

Bytes filters_scratch(const LayerView& view) {
  return bytes(neon::units_of(neon_window(view).steps()) * neon::unit_weights);
}

int output_pixels(const LayerView& view) {
  return neon::shared_pixels_of(view.output.height * view.output.width);
}

Bytes conv_packed_scratch(const LayerView& view) {
  return filters_scratch(view) + neon_windows_scratch(view, output_pixels(view));
}

Bytes dense_packed_scratch(const LayerView& view) {
  return filters_scratch(view) + bytes(neon_window(view).steps() * neon::step_inputs);
}

Bytes depthwise_packed_scratch(const LayerView& view) {
  return bytes(static_cast<int>(filled_up_filters(view).size())) + padded_rows_scratch(view);
}

/// Whether the weights suit the form and take fewer bytes so, filled up, than a byte each.
template <auto weights_fit, auto pack>
bool accepts_packed(const LayerView& view) {
  if (!weights_fit(view)) return false;
  return bytes_of(pack(view)) < bytes_of(pack_neon_requantization(view, channel_block(view))) +
                                    Bytes(view.layer.weights.size());
}

// Without zeros.

Bytes conv_sparse_scratch(const LayerView& view) {
  const int row = neon::shared_pixels * static_cast<int>(sizeof(std::int16_t));
  return bytes(neon_window(view).steps() * neon::step_inputs * row) +
         neon_windows_scratch(view, output_pixels(view));
}

Bytes dense_blocks_scratch(const LayerView& view) {
  return bytes(kernels::round_up(static_cast<int>(view.input.size()), 4));
}

constexpr RowFamily row{has_neon, linux_scratch};

constexpr std::string_view packed_conv = "targets/runtime/neon/conv_packed.hpp";
constexpr std::string_view sparse_conv = "targets/runtime/neon/conv_sparse.hpp";
constexpr std::string_view packed_dense = "targets/runtime/neon/dense_packed.hpp";
constexpr std::string_view packed_depthwise = "targets/runtime/neon/depthwise_packed.hpp";
constexpr std::string_view sparse_dense = "targets/runtime/neon/dense_sparse.hpp";

constexpr auto takes_ternary = accepts_packed<within<1>, pack_small<2>>;
constexpr auto takes_int4 = accepts_packed<within<7>, pack_small<4>>;
constexpr auto takes_codebook16 = accepts_packed<value_count_in<1, 16>, pack_numbers>;
constexpr auto takes_codebook = accepts_packed<value_count_in<17, 128>, pack_numbers>;

}  // namespace

std::span<const KernelRow> neon_compressed_kernels() {
  constexpr IntegerOp conv = IntegerOp::convolution, depthwise = IntegerOp::depthwise,
                      dense = IntegerOp::dense;
  static const KernelRow rows[] = {
      row("conv_ternary.neon", conv, WeightForm::ternary, packed_conv,
          "assay::kernels::conv_ternary_neon", takes_ternary, pack_small<2>, conv_packed_scratch),
      row("conv_int4.neon", conv, WeightForm::int4, packed_conv, "assay::kernels::conv_int4_neon",
          takes_int4, pack_small<4>, conv_packed_scratch),
      row("conv_codebook16.neon", conv, WeightForm::codebook16, packed_conv,
          "assay::kernels::conv_codebook_neon", takes_codebook16, pack_numbers,
          conv_packed_scratch),
      row("conv_codebook256.neon", conv, WeightForm::codebook256, packed_conv,
          "assay::kernels::conv_codebook_neon", takes_codebook, pack_numbers, conv_packed_scratch),
      row("conv_blocks.neon", conv, WeightForm::blocks, sparse_conv,
          "assay::kernels::conv_blocks_neon", smaller_than_int8<pack_blocks>,
          pack_sparse<pack_blocks>, conv_sparse_scratch),
      row("conv_blocks_codebook16.neon", conv, WeightForm::blocks_codebook16, sparse_conv,
          "assay::kernels::conv_blocks_codebook16_neon", numbers_are_smaller,
          pack_sparse<pack_numbered_blocks>, conv_sparse_scratch),
      row("conv_unstructured.neon", conv, WeightForm::unstructured, sparse_conv,
          "assay::kernels::conv_unstructured_neon", smaller_than_int8<pack_scattered>,
          pack_sparse<pack_scattered>, conv_sparse_scratch),
      row("conv_bitmap.neon", conv, WeightForm::bitmap, sparse_conv,
          "assay::kernels::conv_bitmap_neon", smaller_than_int8<pack_bitmap>,
          pack_sparse<pack_bitmap>, conv_sparse_scratch),
      row("depthwise_ternary.neon", depthwise, WeightForm::ternary, packed_depthwise,
          "assay::kernels::depthwise_ternary_neon", takes_ternary, pack_small<2>,
          depthwise_packed_scratch),
      row("depthwise_int4.neon", depthwise, WeightForm::int4, packed_depthwise,
          "assay::kernels::depthwise_int4_neon", takes_int4, pack_small<4>,
          depthwise_packed_scratch),
      row("depthwise_codebook16.neon", depthwise, WeightForm::codebook16, packed_depthwise,
          "assay::kernels::depthwise_codebook_neon", takes_codebook16, pack_numbers,
          depthwise_packed_scratch),
      row("depthwise_codebook256.neon", depthwise, WeightForm::codebook256, packed_depthwise,
          "assay::kernels::depthwise_codebook_neon", takes_codebook, pack_numbers,
          depthwise_packed_scratch),
      row("dense_ternary.neon", dense, WeightForm::ternary, packed_dense,
          "assay::kernels::dense_ternary_neon", takes_ternary, pack_small<2>, dense_packed_scratch),
      row("dense_int4.neon", dense, WeightForm::int4, packed_dense,
          "assay::kernels::dense_int4_neon", takes_int4, pack_small<4>, dense_packed_scratch),
      row("dense_codebook16.neon", dense, WeightForm::codebook16, packed_dense,
          "assay::kernels::dense_codebook_neon", takes_codebook16, pack_numbers,
          dense_packed_scratch),
      row("dense_codebook256.neon", dense, WeightForm::codebook256, packed_dense,
          "assay::kernels::dense_codebook_neon", takes_codebook, pack_numbers,
          dense_packed_scratch),
      row("dense_blocks.neon", dense, WeightForm::blocks, sparse_dense,
          "assay::kernels::dense_blocks_neon", smaller_than_int8<pack_blocks>,
          pack_sparse<pack_blocks>, dense_blocks_scratch),
      row("dense_blocks_codebook16.neon", dense, WeightForm::blocks_codebook16,
          "targets/runtime/neon/dense_lanes.hpp", "assay::kernels::dense_blocks_codebook16_neon",
          accepts_lane_blocks, pack_lane_blocks, dense_blocks_scratch),
      row("dense_unstructured.neon", dense, WeightForm::unstructured, sparse_dense,
          "assay::kernels::dense_unstructured_neon", smaller_than_int8<pack_scattered>,
          pack_sparse<pack_scattered>, no_scratch),
      row("dense_bitmap.neon", dense, WeightForm::bitmap, sparse_dense,
          "assay::kernels::dense_bitmap_neon", smaller_than_int8<pack_bitmap>,
          pack_sparse<pack_bitmap>, no_scratch),
  };
  return rows;
}

}  // namespace assay

// Rows and weight packing of the kernels for AArch64 cores; the format is described in
// targets/runtime/neon/layout.hpp.
#include <algorithm>

#include "targets/pack/rows.hpp"
#include "targets/runtime/neon/layout.hpp"

namespace assay {
namespace {

namespace neon = kernels::neon;

bool has_neon(const Core& core) {
  return core.neon;
}
bool any_layer(const LayerView&) {
  return true;
}
bool never(const LayerView&) {
  return false;
}
Bytes no_scratch(const LayerView&) {
  return Bytes(0);
}

neon::WindowLayout conv_layout(const LayerView& view) {
  const Window& window = view.layer.window;
  return {window.kernel_height, window.kernel_width * view.input.channels};
}

neon::WindowLayout dense_layout(const LayerView& view) {
  return {1, static_cast<int>(view.input.size())};
}

/// b' and m, filled up with zeros to a multiple of `block` channels, behind `filters`.
std::vector<ConstantArray> with_requantization(std::vector<std::int64_t> filters,
                                               const LayerView& view, int block) {
  std::vector<ConstantArray> arrays = pack_requantization(view);
  const auto padded = kernels::round_up(view.output.channels, block);
  for (ConstantArray& array : arrays)
    array.values.resize(static_cast<std::size_t>(padded), 0);
  arrays.insert(arrays.begin(), {"filters", "std::int8_t", 1, std::move(filters)});
  return arrays;
}

/// Input `i` of channel `c`, zero beyond either's end.
std::int64_t weight_at(const LayerView& view, const neon::WindowLayout& layout, int c, int i) {
  const int inputs = layout.rows * layout.row;
  if (c >= view.output.channels || i >= inputs) return 0;
  return view.layer.weights[static_cast<std::size_t>(c) * static_cast<std::size_t>(inputs) +
                            static_cast<std::size_t>(i)];
}

std::vector<ConstantArray> pack_blocks(const LayerView& view, const neon::WindowLayout& layout) {
  std::vector<std::int64_t> filters;
  for (int block = 0; block < view.output.channels; block += neon::block_channels)
    for (int step = 0; step < layout.steps(); ++step)
      for (int c = 0; c < neon::block_channels; ++c)
        for (int i = 0; i < neon::step_inputs; ++i)
          filters.push_back(weight_at(view, layout, block + c, step * neon::step_inputs + i));
  return with_requantization(std::move(filters), view, neon::block_channels);
}

std::vector<ConstantArray> pack_conv(const LayerView& view) {
  return pack_blocks(view, conv_layout(view));
}

std::vector<ConstantArray> pack_dense(const LayerView& view) {
  return pack_blocks(view, dense_layout(view));
}

std::vector<ConstantArray> pack_depthwise(const LayerView& view) {
  const int channels = view.output.channels;
  const int padded = kernels::round_up(channels, neon::depthwise_channels);
  std::vector<std::int64_t> filters;
  for (auto from = view.layer.weights.begin(); from != view.layer.weights.end(); from += channels) {
    filters.insert(filters.end(), from, from + channels);
    filters.insert(filters.end(), static_cast<std::size_t>(padded - channels), 0);
  }
  return with_requantization(std::move(filters), view, neon::depthwise_channels);
}

Bytes conv_scratch(const LayerView& view) {
  const neon::WindowLayout layout = conv_layout(view);
  const int column = std::max(layout.column_bytes(), neon::step_inputs);
  return Bytes(static_cast<std::uint64_t>(neon::tile_pixels * column)) +
         window_rows_scratch(view, layout.row, neon::tile_pixels);
}

Bytes dense_scratch(const LayerView& view) {
  return Bytes(static_cast<std::uint64_t>(dense_layout(view).column_bytes()));
}

KernelRow row(std::string_view name, IntegerOp op, std::string_view header,
              std::string_view function, decltype(KernelRow::pack) pack,
              decltype(KernelRow::scratch) scratch) {
  return {.name = name,
          .op = op,
          .form = WeightForm::int8,
          .header = header,
          .function = function,
          .runs_on = has_neon,
          .accepts = any_layer,
          .pack = pack,
          .scratch = scratch,
          .in_place = never,
          .portable = false,
          .most_scratch = Bytes(1 << 20)};  // these cores run Linux
}

}  // namespace

std::span<const KernelRow> neon_kernels() {
  static const KernelRow rows[] = {
      row("conv.neon", IntegerOp::convolution, "targets/runtime/neon/conv.hpp",
          "assay::kernels::conv_neon", pack_conv, conv_scratch),
      row("depthwise.neon", IntegerOp::depthwise, "targets/runtime/neon/depthwise.hpp",
          "assay::kernels::depthwise_neon", pack_depthwise, no_scratch),
      row("dense.neon", IntegerOp::dense, "targets/runtime/neon/dense.hpp",
          "assay::kernels::dense_neon", pack_dense, dense_scratch),
  };
  return rows;
}

}  // namespace assay

// Rows and weight packing of the kernels for AArch64 cores; the format is described in
// targets/runtime/neon/layout.hpp.
#include <algorithm>

#include "targets/pack/neon_packing.hpp"
#include "targets/pack/rows.hpp"

namespace assay {
namespace {

namespace neon = kernels::neon;

std::vector<ConstantArray> with_filters(std::vector<std::int8_t> filters, const LayerView& view,
                                        int block) {
  std::vector<ConstantArray> arrays = pack_neon_requantization(view, block);
  arrays.insert(arrays.begin(), {"filters", "std::int8_t", 1, {filters.begin(), filters.end()}});
  return arrays;
}

std::vector<ConstantArray> pack_windows(const LayerView& view) {
  return with_filters(neon_filters(view, neon_window(view).steps()), view, neon::block_channels);
}

std::vector<ConstantArray> pack_depthwise(const LayerView& view) {
  return with_filters(neon_depthwise_filters(view), view, neon::depthwise_channels);
}

Bytes conv_scratch(const LayerView& view) {
  return neon_windows_scratch(view, neon::tile_pixels);
}

Bytes dense_scratch(const LayerView& view) {
  return Bytes(static_cast<std::uint64_t>(neon_window(view).column_bytes()));
}

constexpr RowFamily row{has_neon, linux_scratch};

}  // namespace

neon::WindowLayout neon_window(const LayerView& view) {
  const Window& window = view.layer.window;
  if (view.layer.op == IntegerOp::dense) return {1, static_cast<int>(view.input.size())};
  return {window.kernel_height, window.kernel_width * view.input.channels};
}

std::vector<std::int8_t> neon_filters(const LayerView& view, int steps) {
  const neon::WindowLayout layout = neon_window(view);
  const int inputs = layout.rows * layout.row;
  std::vector<std::int8_t> filters;
  for (int block = 0; block < view.output.channels; block += neon::block_channels)
    for (int first = 0; first < steps * neon::step_inputs; first += neon::step_inputs)
      for (int c = block; c < block + neon::block_channels; ++c)
        for (int i = first; i < first + neon::step_inputs; ++i) {
          const bool real = c < view.output.channels && i < inputs;
          filters.push_back(
              real ? view.layer.weights[static_cast<std::size_t>(std::int64_t{c} * inputs + i)]
                   : std::int8_t{0});
        }
  return filters;
}

std::vector<std::int8_t> neon_depthwise_filters(const LayerView& view) {
  const int channels = view.output.channels;
  const int padded = kernels::round_up(channels, neon::depthwise_channels);
  std::vector<std::int8_t> filters;
  for (auto from = view.layer.weights.begin(); from != view.layer.weights.end(); from += channels) {
    filters.insert(filters.end(), from, from + channels);
    filters.insert(filters.end(), static_cast<std::size_t>(padded - channels), 0);
  }
  return filters;
}

std::vector<ConstantArray> pack_neon_requantization(const LayerView& view, int block) {
  std::vector<ConstantArray> arrays = pack_requantization(view);
  const auto padded = kernels::round_up(view.output.channels, block);
  for (ConstantArray& array : arrays)
    array.values.resize(static_cast<std::size_t>(padded), 0);
  return arrays;
}

Bytes neon_windows_scratch(const LayerView& view, int pixels) {
  const neon::WindowLayout layout = neon_window(view);
  const int column = std::max(layout.column_bytes(), neon::step_inputs);
  return Bytes(static_cast<std::uint64_t>(pixels * column)) +
         window_rows_scratch(view, layout.row, pixels);
}

std::span<const KernelRow> neon_kernels() {
  static const KernelRow rows[] = {
      row("conv.neon", IntegerOp::convolution, WeightForm::int8, "targets/runtime/neon/conv.hpp",
          "assay::kernels::conv_neon", any_layer, pack_windows, conv_scratch),
      row("depthwise.neon", IntegerOp::depthwise, WeightForm::int8,
          "targets/runtime/neon/depthwise.hpp", "assay::kernels::depthwise_neon", any_layer,
          pack_depthwise, padded_rows_scratch),
      row("dense.neon", IntegerOp::dense, WeightForm::int8, "targets/runtime/neon/dense.hpp",
          "assay::kernels::dense_neon", any_layer, pack_windows, dense_scratch),
  };
  return rows;
}

}  // namespace assay

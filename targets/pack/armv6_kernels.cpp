// Rows and weight packing of the kernels for Armv6 cores (ARM1176); the format is described in
// targets/runtime/armv6/layout.hpp.
#include "targets/pack/armv6_packing.hpp"
#include "targets/pack/rows.hpp"
#include "targets/runtime/armv6/layout.hpp"

namespace assay {
namespace {

namespace armv6 = kernels::armv6;

Bytes bytes(int count) {
  return Bytes(static_cast<std::uint64_t>(count));
}

template <int block>
std::vector<ConstantArray> pack_blocks(const LayerView& view) {
  const armv6::WindowLayout layout = armv6_window(view);
  const int inputs = layout.rows * layout.row;
  ConstantArray filters{"filters", "std::uint32_t", 4, {}};
  const auto word_at = [&](int channel, int step) {
    std::int64_t word = 0;
    for (int i = 0; i < armv6::step_inputs; ++i) {
      const int input = step * armv6::step_inputs + i;
      if (channel >= view.output.channels || input >= inputs) continue;
      const auto at = static_cast<std::size_t>(std::int64_t{channel} * inputs + input);
      word |= std::int64_t{view.layer.weights[at] & 0xff} << 8 * i;
    }
    return word;
  };
  for (int first = 0; first < view.output.channels; first += block)
    for (int step = 0; step < layout.steps(); ++step)
      for (int c = first; c < first + block; ++c)
        filters.values.push_back(word_at(c, step));
  std::vector<ConstantArray> arrays = pack_armv6_requantization(view, block);
  arrays.insert(arrays.begin(), std::move(filters));
  return arrays;
}

std::vector<ConstantArray> pack_depthwise(const LayerView& view) {
  const int channels = view.output.channels;
  const int taps = view.layer.window.kernel_height * view.layer.window.kernel_width;
  ConstantArray filters{"filters", "std::uint32_t", 4, {}};
  for (int block = 0; 4 * block < channels; ++block)
    for (int tap = 0; tap < taps; ++tap) {
      const std::int8_t* w = view.layer.weights.data() + std::int64_t{tap} * channels +
                             kernels::first_of_block<4>(block, channels);
      for (std::size_t c = 0; c < 2; ++c)
        filters.values.push_back((w[c] & 0xffff) | std::int64_t{w[c + 2] & 0xffff} << 16);
    }
  std::vector<ConstantArray> arrays = pack_requantization(view);
  arrays.insert(arrays.begin(), std::move(filters));
  return arrays;
}

Bytes conv_scratch(const LayerView& view) {
  return bytes(4 * armv6_window(view).tile_words(armv6::tile_pixels)) + armv6_windows_scratch(view);
}

constexpr RowFamily row{is_armv6, linux_scratch};

}  // namespace

armv6::WindowLayout armv6_window(const LayerView& view) {
  const Window& window = view.layer.window;
  if (view.layer.op == IntegerOp::dense) return {1, static_cast<int>(view.input.size())};
  return {window.kernel_height, window.kernel_width * view.input.channels};
}

std::vector<ConstantArray> pack_armv6_requantization(const LayerView& view, int block) {
  const int padded = kernels::round_up(view.output.channels, block);
  std::vector<ConstantArray> arrays = pack_requantization(view);
  for (ConstantArray& array : arrays)
    array.values.resize(static_cast<std::size_t>(padded), 0);
  return arrays;
}

Bytes armv6_windows_scratch(const LayerView& view) {
  const armv6::WindowLayout layout = armv6_window(view);
  return bytes(layout.window_bytes()) + window_rows_scratch(view, layout.row, 1);
}

Bytes armv6_dense_scratch(const LayerView& view) {
  return bytes(8 * armv6_window(view).steps() + armv6::step_inputs);
}

bool accepts_armv6_depthwise(const LayerView& view) {
  return view.output.channels >= 4;
}

Bytes armv6_depthwise_scratch(const LayerView& view) {
  const Window& w = view.layer.window;
  const armv6::DepthwiseBand band(view.output.height, view.output.width, w.kernel_height,
                                  w.kernel_width, w.stride_height, w.stride_width);
  return bytes(4 * band.words());
}

std::span<const KernelRow> armv6_kernels() {
  static const KernelRow rows[] = {
      row("conv.armv6", IntegerOp::convolution, WeightForm::int8, "targets/runtime/armv6/conv.hpp",
          "assay::kernels::conv_armv6", any_layer, pack_blocks<armv6::conv_channels>, conv_scratch),
      row("depthwise_plane.armv6", IntegerOp::depthwise, WeightForm::int8,
          "targets/runtime/armv6/depthwise_plane.hpp", "assay::kernels::depthwise_plane_armv6",
          accepts_channel_plane, pack_weights_and_requantization, channel_plane_scratch),
      row("depthwise.armv6", IntegerOp::depthwise, WeightForm::int8,
          "targets/runtime/armv6/depthwise.hpp", "assay::kernels::depthwise_armv6",
          accepts_armv6_depthwise, pack_depthwise, armv6_depthwise_scratch),
      row("dense.armv6", IntegerOp::dense, WeightForm::int8, "targets/runtime/armv6/dense.hpp",
          "assay::kernels::dense_armv6", any_layer, pack_blocks<armv6::dense_channels>,
          armv6_dense_scratch),
  };
  return rows;
}

}  // namespace assay

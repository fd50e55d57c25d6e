// Rows and weight packing of the kernels for Armv6 cores (ARM1176); the format is described in
// targets/runtime/armv6/layout.hpp.
#include "targets/pack/rows.hpp"
#include "targets/runtime/armv6/layout.hpp"

namespace assay {
namespace {

namespace armv6 = kernels::armv6;

Bytes bytes(int count) {
  return Bytes(static_cast<std::uint64_t>(count));
}

/// The window of a convolution; of a dense layer, all its inputs.
armv6::WindowLayout window_of(const LayerView& view) {
  const Window& window = view.layer.window;
  if (view.layer.op == IntegerOp::dense) return {1, static_cast<int>(view.input.size())};
  return {window.kernel_height, window.kernel_width * view.input.channels};
}

template <int block>
std::vector<ConstantArray> pack_blocks(const LayerView& view) {
  const armv6::WindowLayout layout = window_of(view);
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
  std::vector<ConstantArray> arrays = pack_requantization(view);
  for (ConstantArray& array : arrays)
    array.values.resize(static_cast<std::size_t>(kernels::round_up(view.output.channels, block)),
                        0);
  arrays.insert(arrays.begin(), std::move(filters));
  return arrays;
}

/// Four channels make a word.
bool accepts_depthwise(const LayerView& view) {
  return view.output.channels >= 4;
}

std::vector<ConstantArray> pack_depthwise(const LayerView& view) {
  const int channels = view.output.channels;
  const int taps = view.layer.window.kernel_height * view.layer.window.kernel_width;
  ConstantArray filters{"filters", "std::uint32_t", 4, {}};
  for (int block = 0; 4 * block < channels; ++block)
    for (int tap = 0; tap < taps; ++tap) {
      const std::int8_t* w = view.layer.weights.data() + std::int64_t{tap} * channels +
                             armv6::depthwise_channel(block, channels);
      for (std::size_t c = 0; c < 2; ++c)
        filters.values.push_back((w[c] & 0xffff) | std::int64_t{w[c + 2] & 0xffff} << 16);
    }
  std::vector<ConstantArray> arrays = pack_requantization(view);
  arrays.insert(arrays.begin(), std::move(filters));
  return arrays;
}

Bytes depthwise_scratch(const LayerView& view) {
  const Window& w = view.layer.window;
  const armv6::DepthwiseBand band(view.output.height, view.output.width, w.kernel_height,
                                  w.kernel_width, w.stride_height, w.stride_width);
  return bytes(4 * band.words());
}

Bytes conv_scratch(const LayerView& view) {
  const armv6::WindowLayout layout = window_of(view);
  return bytes(4 * layout.tile_words() + layout.window_bytes()) +
         window_rows_scratch(view, layout.row, 1);
}

Bytes dense_scratch(const LayerView& view) {
  return bytes(8 * window_of(view).steps() + armv6::step_inputs);
}

KernelRow row(std::string_view name, IntegerOp op, std::string_view header,
              std::string_view function, decltype(KernelRow::accepts) accepts,
              decltype(KernelRow::pack) pack, decltype(KernelRow::scratch) scratch) {
  return {.name = name,
          .op = op,
          .form = WeightForm::int8,
          .header = header,
          .function = function,
          .runs_on = is_armv6,
          .accepts = accepts,
          .pack = pack,
          .scratch = scratch,
          .in_place = never,
          .portable = false,
          .most_scratch = linux_scratch};
}

}  // namespace

std::span<const KernelRow> armv6_kernels() {
  static const KernelRow rows[] = {
      row("conv.armv6", IntegerOp::convolution, "targets/runtime/armv6/conv.hpp",
          "assay::kernels::conv_armv6", any_layer, pack_blocks<armv6::conv_channels>, conv_scratch),
      row("depthwise.armv6", IntegerOp::depthwise, "targets/runtime/armv6/depthwise.hpp",
          "assay::kernels::depthwise_armv6", accepts_depthwise, pack_depthwise, depthwise_scratch),
      row("dense.armv6", IntegerOp::dense, "targets/runtime/armv6/dense.hpp",
          "assay::kernels::dense_armv6", any_layer, pack_blocks<armv6::dense_channels>,
          dense_scratch),
  };
  return rows;
}

}  // namespace assay

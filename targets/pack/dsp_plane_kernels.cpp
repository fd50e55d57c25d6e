// Rows of the kernels for cores with SMLAD that expand inputs to a plane once for all windows:
// depthwise convolutions, with weights of a byte or less, and 3x3 convolutions of a single channel.
// The formats are described in targets/runtime/dsp/.
#include "targets/pack/depthwise_fields.hpp"
#include "targets/pack/rows.hpp"
#include "targets/runtime/dsp/layout.hpp"

namespace assay {
namespace {

namespace dsp = kernels::dsp;

dsp::DepthwiseLayout depthwise_layout(const LayerView& view) {
  const Window& w = view.layer.window;
  return {view.output.height, view.output.width, w.kernel_height,
          w.kernel_width,     w.stride_height,   w.stride_width};
}

/// Four channels make a word, and offsets in the plane are immediates of the instructions.
bool accepts_depthwise(const LayerView& view) {
  const Window& w = view.layer.window;
  return view.output.channels >= 4 && w.kernel_width <= 16 && w.stride_width <= 16;
}

/// b' and m of four channels at a time.
std::vector<ConstantArray> pack_blocks_of_channels(const LayerView& view) {
  const int channels = view.output.channels;
  const Requantization& r = view.layer.requantization;
  ConstantArray blocks{"channels", "std::int32_t", 4, {}};
  for (int block = 0; 4 * block < channels; ++block) {
    const auto first = static_cast<std::size_t>(kernels::first_of_block<4>(block, channels));
    for (std::size_t c = first; c < first + 4; ++c)
      blocks.values.push_back(r.bias[c]);
    for (std::size_t c = first; c < first + 4; ++c)
      blocks.values.push_back(r.multiplier[c]);
  }
  return {blocks};
}

std::vector<ConstantArray> pack_depthwise(const LayerView& view) {
  const int channels = view.output.channels;
  const int taps = view.layer.window.kernel_height * view.layer.window.kernel_width;
  ConstantArray words{"taps", "std::uint32_t", 4, {}};
  for (int block = 0; 4 * block < channels; ++block)
    for (int tap = 0; tap < taps; ++tap) {
      const std::int8_t* w =
          view.layer.weights.data() + tap * channels + kernels::first_of_block<4>(block, channels);
      for (std::size_t c = 0; c < 2; ++c)
        words.values.push_back((w[c] & 0xffff) | std::int64_t{w[c + 2] & 0xffff} << 16);
    }
  std::vector<ConstantArray> arrays = pack_blocks_of_channels(view);
  arrays.insert(arrays.begin(), std::move(words));
  return arrays;
}

Bytes depthwise_scratch(const LayerView& view) {
  const dsp::DepthwiseLayout layout = depthwise_layout(view);
  return Bytes(static_cast<std::uint64_t>(layout.rows * layout.columns * 8));
}

/// With the taps of four channels.
Bytes depthwise_packed_scratch(const LayerView& view) {
  const Window& w = view.layer.window;
  const int taps = w.kernel_height * w.kernel_width;
  return depthwise_scratch(view) + Bytes(static_cast<std::uint64_t>(8 * taps));
}

/// `depth` channels in a plane: four of a depthwise convolution, the one of a convolution.
dsp::RowPairLayout row_pairs(const LayerView& view, int depth) {
  const Window& w = view.layer.window;
  return {view.output.height, view.output.width,    w.stride_height,
          w.stride_width,     view.output.channels, depth};
}

/// Offsets in the plane and between outputs are immediates of the instructions.
bool can_sweep(const LayerView& view, int depth) {
  const Window& w = view.layer.window;
  return w.kernel_height == 3 && w.kernel_width == 3 && w.stride_height <= 2 &&
         w.stride_width <= 2 && view.output.channels < 4096 &&
         row_pairs(view, depth).row_words() <= 800 &&
         2 * view.output.width * view.output.channels < 65536;
}

bool accepts_depthwise_3x3(const LayerView& view) {
  return view.output.channels >= 4 && can_sweep(view, 4);
}

bool accepts_one_channel(const LayerView& view) {
  return view.input.channels == 1 && can_sweep(view, 1);
}

/// Appends what row_sweep.hpp reads for a channel whose tap (row, column) is the weight
/// first + (3 * row + column) * step.
void put_sweep_filter(const LayerView& view, int channel, int first, int step,
                      std::vector<std::int64_t>& words) {
  const Requantization& r = view.layer.requantization;
  const auto weight = [&](int row, int column) {
    return view.layer.weights[static_cast<std::size_t>(first + (3 * row + column) * step)] &
           std::int64_t{0xff};
  };
  for (int x = 0; x < 3; ++x)
    words.push_back(weight(0, x) | weight(1, x) << 8 | weight(1, x) << 16 | weight(2, x) << 24);
  words.push_back(r.bias[static_cast<std::size_t>(channel)] & std::int64_t{0xffffffff});
  words.push_back(r.multiplier[static_cast<std::size_t>(channel)]);
}

std::vector<ConstantArray> pack_depthwise_3x3(const LayerView& view) {
  const int channels = view.output.channels;
  ConstantArray filters{"filters", "std::uint32_t", 4, {}};
  for (int block = 0; 4 * block < channels; ++block)
    for (int c = 0; c < 4; ++c) {
      const int channel = kernels::first_of_block<4>(block, channels) + c;
      put_sweep_filter(view, channel, channel, channels, filters.values);
    }
  return {filters};
}

Bytes depthwise_3x3_scratch(const LayerView& view) {
  return Bytes(static_cast<std::uint64_t>(4 * row_pairs(view, 4).plane_words()));
}

/// With four filters.
Bytes depthwise_3x3_packed_scratch(const LayerView& view) {
  return depthwise_3x3_scratch(view) + Bytes(4 * 4 * dsp::row_pair_filter);
}

std::vector<ConstantArray> pack_one_channel(const LayerView& view) {
  ConstantArray filters{"filters", "std::uint32_t", 4, {}};
  for (int channel = 0; channel < view.output.channels; ++channel)
    put_sweep_filter(view, channel, 9 * channel, 1, filters.values);
  return {filters};
}

Bytes one_channel_scratch(const LayerView& view) {
  return Bytes(static_cast<std::uint64_t>(4 * row_pairs(view, 1).plane_words()));
}

constexpr RowFamily row{has_dsp};
constexpr RowFamily depthwise_row{
    has_dsp,
    Bytes(kernels::scratch_limit),
    {accepts_depthwise,
     "layers of four channels or more whose windows and strides are at most 16 pixels wide"}};

constexpr std::string_view sweep_packed = "targets/runtime/dsp/depthwise_3x3_packed.hpp";
constexpr std::string_view tap_packed = "targets/runtime/dsp/depthwise_packed.hpp";

}  // namespace

std::span<const KernelRow> dsp_plane_kernels() {
  constexpr IntegerOp conv = IntegerOp::convolution, depthwise = IntegerOp::depthwise;
  static const KernelRow rows[] = {
      row("conv3x3_one_channel.dsp", conv, WeightForm::int8,
          "targets/runtime/dsp/conv_one_channel.hpp", "assay::kernels::conv_one_channel_dsp",
          accepts_one_channel, pack_one_channel, one_channel_scratch),
      row("depthwise_3x3.dsp", depthwise, WeightForm::int8, "targets/runtime/dsp/depthwise_3x3.hpp",
          "assay::kernels::depthwise_3x3_dsp", accepts_depthwise_3x3, pack_depthwise_3x3,
          depthwise_3x3_scratch),
      row("depthwise.dsp", depthwise, WeightForm::int8, "targets/runtime/dsp/depthwise.hpp",
          "assay::kernels::depthwise_dsp", accepts_depthwise, pack_depthwise, depthwise_scratch),
      row("depthwise_3x3_ternary.dsp", depthwise, WeightForm::ternary, sweep_packed,
          "assay::kernels::depthwise_3x3_ternary_dsp",
          accepts_depthwise_fields<WeightForm::ternary, accepts_depthwise_3x3>,
          pack_depthwise_with<WeightForm::ternary, pack_requantization>,
          depthwise_3x3_packed_scratch),
      row("depthwise_3x3_int4.dsp", depthwise, WeightForm::int4, sweep_packed,
          "assay::kernels::depthwise_3x3_int4_dsp",
          accepts_depthwise_fields<WeightForm::int4, accepts_depthwise_3x3>,
          pack_depthwise_with<WeightForm::int4, pack_requantization>, depthwise_3x3_packed_scratch),
      row("depthwise_3x3_codebook16.dsp", depthwise, WeightForm::codebook16, sweep_packed,
          "assay::kernels::depthwise_3x3_codebook_dsp",
          accepts_depthwise_fields<WeightForm::codebook16, accepts_depthwise_3x3>,
          pack_depthwise_with<WeightForm::codebook16, pack_requantization>,
          depthwise_3x3_packed_scratch),
      row("depthwise_3x3_codebook256.dsp", depthwise, WeightForm::codebook256, sweep_packed,
          "assay::kernels::depthwise_3x3_codebook_dsp",
          accepts_depthwise_fields<WeightForm::codebook256, accepts_depthwise_3x3>,
          pack_depthwise_with<WeightForm::codebook256, pack_requantization>,
          depthwise_3x3_packed_scratch),
      depthwise_row("depthwise_ternary.dsp", depthwise, WeightForm::ternary, tap_packed,
                    "assay::kernels::depthwise_ternary_dsp",
                    accepts_depthwise_fields<WeightForm::ternary, accepts_depthwise>,
                    pack_depthwise_with<WeightForm::ternary, pack_blocks_of_channels>,
                    depthwise_packed_scratch),
      depthwise_row("depthwise_int4.dsp", depthwise, WeightForm::int4, tap_packed,
                    "assay::kernels::depthwise_int4_dsp",
                    accepts_depthwise_fields<WeightForm::int4, accepts_depthwise>,
                    pack_depthwise_with<WeightForm::int4, pack_blocks_of_channels>,
                    depthwise_packed_scratch),
      depthwise_row("depthwise_codebook16.dsp", depthwise, WeightForm::codebook16, tap_packed,
                    "assay::kernels::depthwise_codebook_dsp",
                    accepts_depthwise_fields<WeightForm::codebook16, accepts_depthwise>,
                    pack_depthwise_with<WeightForm::codebook16, pack_blocks_of_channels>,
                    depthwise_packed_scratch),
      depthwise_row("depthwise_codebook256.dsp", depthwise, WeightForm::codebook256, tap_packed,
                    "assay::kernels::depthwise_codebook_dsp",
                    accepts_depthwise_fields<WeightForm::codebook256, accepts_depthwise>,
                    pack_depthwise_with<WeightForm::codebook256, pack_blocks_of_channels>,
                    depthwise_packed_scratch),
  };
  return rows;
}

}  // namespace assay

// Rows and weight packing of the kernels for cores with SMLAD; the format is described in
// targets/runtime/dsp/layout.hpp.
#include <algorithm>

#include "targets/pack/rows.hpp"
#include "targets/runtime/dsp/layout.hpp"

namespace assay {
namespace {

namespace dsp = kernels::dsp;

bool has_dsp(const Core& core) {
  return core.dsp;
}
bool any_layer(const LayerView&) {
  return true;
}
bool never(const LayerView&) {
  return false;
}

/// Weights of one output channel in packed order; zero where a window is filled up.
using Filter = std::vector<std::int64_t>;

/// The word that holds inputs `first` and `first + 2` of two channels, h = 256 * w1 + w0 each.
std::int64_t pair_word(const Filter& low, const Filter& high, std::size_t first) {
  const auto half = [&](std::size_t i) { return (256 * high[i] + low[i]) & 0xffff; };
  return half(first) | half(first + 2) << 16;
}

/// Whether 256 * (acc + b') of the channel stays in 32 bits for every input.
bool sums_in_one_part(const Filter& filter, std::int64_t bias) {
  std::int64_t low = bias, high = bias;
  for (const std::int64_t w : filter) {
    low += std::min(127 * w, -128 * w);
    high += std::max(127 * w, -128 * w);
  }
  return low >= -(1 << 23) && high < (1 << 23);
}

/// Collects the arrays of a layer whose channels are packed in pairs.
class PairPacker {
 public:
  explicit PairPacker(const LayerView& view) : requantization_(view.layer.requantization) {}

  /// Adds a pair's bias and multiplier; -1 stands for no channel.
  void add_channels(int low, int high, const Filter& high_filter) {
    const auto at = [](const std::vector<std::int32_t>& values, int channel) {
      return channel < 0 ? 0 : values[static_cast<std::size_t>(channel)];
    };
    channels_.push_back(at(requantization_.bias, low));
    channels_.push_back(at(requantization_.bias, high));
    channels_.push_back(at(requantization_.multiplier, low));
    channels_.push_back(at(requantization_.multiplier, high));
    in_one_part_ = in_one_part_ && sums_in_one_part(high_filter, at(requantization_.bias, high));
  }
  void add_word(std::int64_t word) { words_.push_back(word); }

  /// `step_inputs` inputs make a step of the loop.
  std::vector<ConstantArray> arrays(const kernels::Unrolled& loop, int step_inputs) const {
    const int safe = dsp::safe_inputs / step_inputs / loop.unroll * loop.unroll;
    return {{"pairs", "std::uint32_t", 4, words_},
            {"channels", "std::int32_t", 4, channels_},
            {"part_steps", "std::int32_t", 4, {in_one_part_ ? loop.steps : safe}}};
  }

 private:
  const Requantization& requantization_;
  std::vector<std::int64_t> words_;
  std::vector<std::int64_t> channels_;
  bool in_one_part_ = true;
};

dsp::ConvLayout conv_layout(const LayerView& view) {
  const Window& window = view.layer.window;
  return {window.kernel_height, window.kernel_width, view.input.channels};
}

Filter conv_filter(const LayerView& view, const dsp::ConvLayout& layout, int channel) {
  Filter filter(static_cast<std::size_t>(layout.inputs()), 0);
  if (channel < 0) return filter;
  const std::int8_t* weights =
      view.layer.weights.data() + std::int64_t{channel} * layout.kernel_height * layout.row;
  for (int ky = 0; ky < layout.kernel_height; ++ky)
    for (int i = 0; i < layout.row; ++i)
      filter[static_cast<std::size_t>(ky * layout.row_stride + i)] = *weights++;
  return filter;
}

std::vector<ConstantArray> pack_conv(const LayerView& view) {
  const dsp::ConvLayout layout = conv_layout(view);
  const int channels = view.output.channels;
  PairPacker packer(view);
  for (int pair = 0; pair < (channels + 1) / 2; ++pair) {
    const int low = dsp::conv_channel(pair, 0, channels);
    const int high = dsp::conv_channel(pair, 1, channels);
    const Filter low_filter = conv_filter(view, layout, low);
    const Filter high_filter = conv_filter(view, layout, high);
    packer.add_channels(low, high, high_filter);
    for (std::size_t group = 0; group < low_filter.size(); group += 4)
      for (std::size_t word = 0; word < 2; ++word)
        packer.add_word(pair_word(low_filter, high_filter, group + word));
  }
  return packer.arrays(layout.loop, 2);
}

Bytes conv_scratch(const LayerView& view) {
  const dsp::ConvLayout layout = conv_layout(view);
  return Bytes(static_cast<std::uint64_t>(layout.loop.steps * 16)) +
         window_rows_scratch(view, layout.row, 4);
}

dsp::DenseLayout dense_layout(const LayerView& view) {
  return dsp::DenseLayout(static_cast<int>(view.input.size()));
}

Filter dense_filter(const LayerView& view, int channel) {
  Filter filter(static_cast<std::size_t>(dense_layout(view).inputs()), 0);
  if (channel >= view.output.channels) return filter;
  const auto first = view.layer.weights.begin() + channel * view.input.size();
  std::copy(first, first + view.input.size(), filter.begin());
  return filter;
}

std::vector<ConstantArray> pack_dense(const LayerView& view) {
  const int channels = view.output.channels;
  PairPacker packer(view);
  for (int block = 0; block < channels; block += 8) {
    std::vector<Filter> filters;
    for (int c = block; c < std::min(block + 8, (channels + 1) / 2 * 2); ++c)
      filters.push_back(dense_filter(view, c));
    for (int c = 0; c < static_cast<int>(filters.size()); c += 2)
      packer.add_channels(block + c, block + c + 1 < channels ? block + c + 1 : -1,
                          filters[static_cast<std::size_t>(c + 1)]);
    for (std::size_t group = 0; group < filters[0].size(); group += 4)
      for (std::size_t word = 0; word < 2; ++word)
        for (std::size_t c = 0; c < filters.size(); c += 2)
          packer.add_word(pair_word(filters[c], filters[c + 1], group + word));
  }
  return packer.arrays(dense_layout(view).loop, 4);
}

Bytes dense_scratch(const LayerView& view) {
  return Bytes(static_cast<std::uint64_t>(2 * dense_layout(view).inputs()));
}

dsp::DepthwiseLayout depthwise_layout(const LayerView& view) {
  const Window& w = view.layer.window;
  return {view.output.height, view.output.width, w.kernel_height,
          w.kernel_width,     w.stride_height,   w.stride_width};
}

/// Four channels make a word, and offsets in the plane are immediates of the instructions.
bool accepts_depthwise(const LayerView& view) {
  const Window& w = view.layer.window;
  return view.output.channels >= 4 && w.kernel_width <= 16 && w.stride_width <= 16 &&
         depthwise_layout(view).columns * 8 < 4096;
}

std::vector<ConstantArray> pack_depthwise(const LayerView& view) {
  const int channels = view.output.channels;
  const int taps = view.layer.window.kernel_height * view.layer.window.kernel_width;
  const Requantization& r = view.layer.requantization;
  ConstantArray words{"taps", "std::uint32_t", 4, {}};
  ConstantArray blocks{"channels", "std::int32_t", 4, {}};
  for (int block = 0; 4 * block < channels; ++block) {
    const auto first = static_cast<std::size_t>(dsp::depthwise_channel(block, channels));
    for (std::size_t c = 0; c < 4; ++c)
      blocks.values.push_back(r.bias[first + c]);
    for (std::size_t c = 0; c < 4; ++c)
      blocks.values.push_back(r.multiplier[first + c]);
    for (int tap = 0; tap < taps; ++tap) {
      const std::int8_t* w = view.layer.weights.data() + tap * channels + first;
      for (std::size_t c = 0; c < 2; ++c)
        words.values.push_back((w[c] & 0xffff) | std::int64_t{w[c + 2] & 0xffff} << 16);
    }
  }
  return {words, blocks};
}

Bytes depthwise_scratch(const LayerView& view) {
  const dsp::DepthwiseLayout layout = depthwise_layout(view);
  return Bytes(static_cast<std::uint64_t>(layout.rows * layout.columns * 8));
}

Bytes no_scratch(const LayerView&) {
  return Bytes(0);
}
std::vector<ConstantArray> no_constants(const LayerView&) {
  return {};
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
       .accepts = any_layer,
       .pack = pack_conv,
       .scratch = conv_scratch,
       .in_place = never,
       .portable = false},
      {.name = "depthwise.dsp",
       .op = IntegerOp::depthwise,
       .header = "targets/runtime/dsp/depthwise.hpp",
       .function = "assay::kernels::depthwise_dsp",
       .runs_on = has_dsp,
       .accepts = accepts_depthwise,
       .pack = pack_depthwise,
       .scratch = depthwise_scratch,
       .in_place = never,
       .portable = false},
      {.name = "dense.dsp",
       .op = IntegerOp::dense,
       .header = "targets/runtime/dsp/dense.hpp",
       .function = "assay::kernels::dense_dsp",
       .runs_on = has_dsp,
       .accepts = any_layer,
       .pack = pack_dense,
       .scratch = dense_scratch,
       .in_place = never,
       .portable = false},
      {.name = "max_pool.dsp",
       .op = IntegerOp::max_pool,
       .form = WeightForm::none,
       .header = "targets/runtime/dsp/pool.hpp",
       .function = "assay::kernels::max_pool_dsp",
       .runs_on = has_dsp,
       .accepts = any_layer,
       .pack = no_constants,
       .scratch = no_scratch,
       .in_place = pool_may_run_in_place,
       .portable = false},
      {.name = "average_pool.dsp",
       .op = IntegerOp::average_pool,
       .form = WeightForm::none,
       .header = "targets/runtime/dsp/pool.hpp",
       .function = "assay::kernels::average_pool_dsp",
       .runs_on = has_dsp,
       .accepts = sums_fit_16_bits,
       .pack = pack_requantization,
       .scratch = no_scratch,
       .in_place = pool_may_run_in_place,
       .portable = false},
  };
  return rows;
}

}  // namespace assay

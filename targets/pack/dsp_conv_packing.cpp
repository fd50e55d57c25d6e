// Packing for the convolutions of cores with SMLAD: conv.dsp, conv_wide.dsp (dense_wide.dsp too)
// and conv3x3_winograd.dsp.
#include "targets/pack/dsp_packing.hpp"

#include <algorithm>
#include <array>

#include "targets/pack/rows.hpp"
#include "targets/runtime/dsp/winograd_layout.hpp"

namespace assay {
namespace {

namespace dsp = kernels::dsp;
using Filter = PackedFilter;

dsp::ConvShape conv_shape(const LayerView& view) {
  const Window& w = view.layer.window;
  return {view.input.height, view.input.width,     view.input.channels, view.output.height,
          view.output.width, view.output.channels, w.kernel_height,     w.kernel_width,
          w.stride_height,   w.stride_width,       w.pad_top,           w.pad_left};
}

/// Which weight of a filter each half of each step's word holds; -1 where there is none.
std::vector<std::array<int, 2>> conv_steps(const dsp::ConvPlan& plan) {
  std::vector<std::array<int, 2>> steps;
  if (!plan.by_patches) {
    const dsp::ConvLayout& columns = plan.columns;
    for (int step = 0; step < columns.loop.steps; ++step) {
      std::array<int, 2> taken{};
      for (int half = 0; half < 2; ++half) {
        const int input = step / 2 * 4 + dsp::input_in_group(step % 2, half);
        const int row = input / columns.row_stride, i = input % columns.row_stride;
        taken[static_cast<std::size_t>(half)] =
            row < columns.kernel_height && i < columns.row ? row * columns.row + i : -1;
      }
      steps.push_back(taken);
    }
    return steps;
  }
  const dsp::PatchLayout& patch = plan.patch;
  const dsp::ConvShape& shape = patch.shape;
  for (int row = 0; row < shape.kernel_height; ++row)
    for (int word = 0; word < patch.words; ++word)
      for (int tap = 0; tap < patch.taps(); ++tap) {
        const auto input = [&](int column, int channel) {
          const bool exists = column < shape.kernel_width && channel >= 0;
          return exists ? (row * shape.kernel_width + column) * shape.channels + channel : -1;
        };
        if (patch.columns_per_word == 2)
          steps.push_back({input(2 * tap, 0), input(2 * tap + 1, 0)});
        else
          steps.push_back({input(tap, dsp::patch_channel(word, 0, shape.channels)),
                           input(tap, dsp::patch_channel(word, 1, shape.channels))});
      }
  return steps;
}

/// The same for the pieces of wide.hpp, each filled up to groups of four.
std::vector<std::array<int, 2>> wide_steps(int pieces, int length) {
  std::vector<std::array<int, 2>> steps;
  for (int piece = 0; piece < pieces; ++piece)
    for (int group = 0; group < length; group += 4)
      for (int word = 0; word < 2; ++word) {
        const auto input = [&](int half) {
          const int i = group + dsp::input_in_group(word, half);
          return i < length ? piece * length + i : -1;
        };
        steps.push_back({input(0), input(1)});
      }
  return steps;
}

/// The weights of an output channel, step by step; zeros for channel -1.
Filter conv_filter(const LayerView& view, const std::vector<std::array<int, 2>>& steps,
                   int channel) {
  const auto size = static_cast<std::int64_t>(view.layer.weights.size()) / view.output.channels;
  Filter filter;
  for (const auto& step : steps)
    for (const int i : step)
      filter.push_back(channel < 0 || i < 0
                           ? 0
                           : view.layer.weights[static_cast<std::size_t>(channel * size + i)]);
  return filter;
}

/// A word of weights of two channels: h = 256 * w1 + w0 in each half, or their bytes.
std::int64_t conv_word(const Filter& low, const Filter& high, std::size_t step, bool separate) {
  std::int64_t word = 0;
  for (std::size_t half = 0; half < 2; ++half) {
    const std::int64_t first = low[2 * step + half], second = high[2 * step + half];
    const std::int64_t both =
        separate ? (first & 0xff) + 256 * (second & 0xff) : first + 256 * second;
    word |= (both & 0xffff) << (16 * half);
  }
  return word;
}

}  // namespace

bool sums_in_one_part(const PackedFilter& filter, std::int64_t bias) {
  std::int64_t low = bias, high = bias;
  for (const std::int64_t w : filter) {
    low += std::min(127 * w, -128 * w);
    high += std::max(127 * w, -128 * w);
  }
  return low >= -(1 << 23) && high < (1 << 23);
}

std::vector<ConstantArray> pack_conv_dsp(const LayerView& view) {
  const dsp::ConvPlan plan(conv_shape(view));
  const auto steps = conv_steps(plan);
  const int channels = view.output.channels;
  const Requantization& r = view.layer.requantization;
  const auto at = [](const auto& values, int channel) -> std::int64_t {
    return channel < 0 ? 0 : values[static_cast<std::size_t>(channel)];
  };
  std::vector<Filter> filters;
  for (int channel = 0; channel < channels; ++channel)
    filters.push_back(conv_filter(view, steps, channel));
  bool separate = false;
  for (int channel = 0; channel < channels; ++channel)
    separate = separate ||
               !sums_in_one_part(filters[static_cast<std::size_t>(channel)], at(r.bias, channel));
  filters.push_back(conv_filter(view, steps, -1));
  ConstantArray pairs{"pairs", "std::uint32_t", 4, {}};
  const auto add = [&pairs](std::int64_t word) { pairs.values.push_back(word & 0xffffffff); };
  for (int pair = 0; pair < (channels + 1) / 2; ++pair) {
    const int low = dsp::conv_channel(pair, 0, channels);
    const int high = dsp::conv_channel(pair, 1, channels);
    const Filter& low_filter = filters[static_cast<std::size_t>(low)];
    const Filter& high_filter = high < 0 ? filters.back() : filters[static_cast<std::size_t>(high)];
    add(at(r.bias, low));
    add(separate ? at(r.bias, high) : at(r.bias, low) + 256 * at(r.bias, high));
    for (std::size_t step = 0; step < steps.size(); ++step)
      add(conv_word(low_filter, high_filter, step, separate));
    if (channels % 2 != 0) add(pair < 2 ? pair : 2);
    add(at(r.multiplier, low));
    add(at(r.multiplier, high));
  }
  return {pairs, {"separate", "std::int32_t", 4, {separate}}};
}

Bytes conv_dsp_scratch(const LayerView& view) {
  return Bytes(static_cast<std::uint64_t>(dsp::ConvPlan(conv_shape(view)).bytes()));
}

std::vector<ConstantArray> pack_wide_dsp(const LayerView& view) {
  const Window& w = view.layer.window;
  const auto steps = view.layer.op == IntegerOp::dense
                         ? wide_steps(1, static_cast<int>(view.input.size()))
                         : wide_steps(w.kernel_height * w.kernel_width, view.input.channels);
  const int channels = view.output.channels;
  const Requantization& r = view.layer.requantization;
  ConstantArray blocks{"blocks", "std::uint32_t", 4, {}};
  const auto add = [&blocks](std::int64_t word) { blocks.values.push_back(word & 0xffffffff); };
  for (int first = 0; first < channels; first += 8) {
    const int end = std::min(first + 8, channels);
    const auto existing = [&](int channel) { return channel < end ? channel : -1; };
    std::vector<Filter> filters;
    for (int channel = first; channel < kernels::round_up(end, 2); ++channel)
      filters.push_back(conv_filter(view, steps, existing(channel)));
    for (int half = 0; half < 2; ++half)
      for (int channel = first + half; channel < kernels::round_up(end, 2); channel += 2)
        add(channel < end ? r.bias[static_cast<std::size_t>(channel)] : 0);
    for (std::size_t step = 0; step < steps.size(); ++step)
      for (std::size_t low = 0; low < filters.size(); low += 2)
        add(conv_word(filters[low], filters[low + 1], step, false));
    for (int channel = first; channel < end; ++channel)
      add(r.multiplier[static_cast<std::size_t>(channel)]);
  }
  return {blocks};
}

bool accepts_winograd(const LayerView& view) {
  return dsp::WinogradLayout(conv_shape(view)).possible();
}

std::vector<ConstantArray> pack_winograd(const LayerView& view) {
  const int inputs = view.input.channels;
  const Requantization& r = view.layer.requantization;
  ConstantArray taps{"taps", "std::uint32_t", 4, {}};
  ConstantArray channels{"channels", "std::int32_t", 4, {}};
  for (int channel = 0; channel < view.output.channels; ++channel) {
    const std::int8_t* filter = view.layer.weights.data() + std::int64_t{channel} * 9 * inputs;
    for (int group = 0; group < inputs; group += 4)
      for (int tap = 0; tap < 9; ++tap) {
        std::int64_t word = 0;
        for (int i = 0; i < 4; ++i)
          word |= (filter[tap * inputs + group + i] & std::int64_t{0xff}) << (8 * i);
        taps.values.push_back(word);
      }
    channels.values.push_back(r.bias[static_cast<std::size_t>(channel)]);
    channels.values.push_back(r.multiplier[static_cast<std::size_t>(channel)]);
  }
  return {taps, channels};
}

Bytes winograd_scratch(const LayerView& view) {
  return Bytes(static_cast<std::uint64_t>(dsp::WinogradLayout(conv_shape(view)).bytes()));
}

}  // namespace assay

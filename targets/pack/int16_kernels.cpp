// Rows and weight packing of the optimized kernels over int16 tensors; formats are described in
// targets/runtime/int16/layout.hpp.
#include <algorithm>

#include "targets/pack/rows.hpp"
#include "targets/runtime/int16/layout.hpp"

namespace assay {
namespace {

namespace int16 = kernels::int16;

/// Four windows of 3000 inputs.
constexpr Bytes large_scratch{24 << 10};

/// Four weights as the bytes of a word, in the order SXTB16 widens them.
template <class WeightAt>
std::int64_t word_of(WeightAt weight_at) {
  std::int64_t word = 0;
  for (int i = 0; i < 4; ++i)
    word |= std::int64_t{weight_at(i) & 0xff} << 8 * int16::byte_of[i];
  return word;
}

int16::ConvLayout conv_layout(const LayerView& view) {
  const Window& window = view.layer.window;
  return {window.kernel_height, window.kernel_width * view.input.channels};
}

std::vector<ConstantArray> pack_conv(const LayerView& view) {
  const int16::ConvLayout layout = conv_layout(view);
  const int channels = view.output.channels;
  const auto weight = [&](int channel, int step, int i) -> int {
    const int ky = step / layout.row_pairs(), input = step % layout.row_pairs() * 2 + i;
    if (channel >= channels || ky >= layout.kernel_height || input >= layout.row) return 0;
    return view.layer.weights[static_cast<std::size_t>(
        (std::int64_t{channel} * layout.kernel_height + ky) * layout.row + input)];
  };
  ConstantArray packed{"packed", "std::uint32_t", 4, {}};
  for (int pair = 0; 2 * pair < channels; ++pair)
    for (int step = 0; step < layout.loop().steps; ++step)
      packed.values.push_back(word_of([&](int i) {
        return weight(kernels::first_of_block<2>(pair, channels) + i / 2, step, i % 2);
      }));
  std::vector<ConstantArray> arrays = pack_requantization(view);
  for (ConstantArray& array : arrays)
    array.values.resize(static_cast<std::size_t>(std::max(channels, 2)), 0);
  arrays.insert(arrays.begin(), std::move(packed));
  return arrays;
}

Bytes conv_scratch(const LayerView& view) {
  return Bytes(static_cast<std::uint64_t>(conv_layout(view).scratch_bytes()));
}

/// Whether four windows take more than kernels may without being asked for.
bool has_long_window(const LayerView& view) {
  return conv_scratch(view) > Bytes(kernels::scratch_limit);
}

std::vector<ConstantArray> pack_dense(const LayerView& view) {
  const int channels = view.output.channels, inputs = static_cast<int>(view.input.size());
  ConstantArray packed{"packed", "std::uint32_t", 4, {}};
  for (int block = 0; 4 * block < channels; ++block)
    for (int step = 0; step < int16::dense_steps(inputs); ++step)
      for (int c = 0; c < 4; ++c) {
        const std::int64_t row = kernels::first_of_block<4>(block, channels) + c;
        packed.values.push_back(word_of([&](int i) -> int {
          const int input = 4 * step + i;
          if (input >= inputs) return 0;
          return view.layer.weights[static_cast<std::size_t>(row * inputs + input)];
        }));
      }
  std::vector<ConstantArray> arrays = pack_requantization(view);
  arrays.insert(arrays.begin(), std::move(packed));
  return arrays;
}

std::vector<ConstantArray> pack_depthwise(const LayerView& view) {
  const int channels = view.output.channels;
  const int positions = view.layer.window.kernel_height * view.layer.window.kernel_width;
  ConstantArray packed{"packed", "std::uint32_t", 4, {}};
  for (int block = 0; 4 * block < channels; ++block)
    for (int position = 0; position < positions; ++position)
      packed.values.push_back(word_of([&](int i) -> int {
        return view.layer.weights[static_cast<std::size_t>(
            position * channels + kernels::first_of_block<4>(block, channels) + i)];
      }));
  std::vector<ConstantArray> arrays = pack_requantization(view);
  arrays.insert(arrays.begin(), std::move(packed));
  return arrays;
}

bool has_four_channels(const LayerView& view) {
  return view.output.channels >= 4;
}

int filter_inputs(const LayerView& view) {
  const int filters = view.output.channels;
  return static_cast<int>(view.layer.weights.size()) / filters;
}

/// w + 128 of four channels for every input in turn.
std::vector<ConstantArray> pack_m0(const LayerView& view) {
  const int channels = view.output.channels, inputs = filter_inputs(view);
  ConstantArray packed{"packed", "std::uint8_t", 1, {}};
  for (int block = 0; 4 * block < channels; ++block)
    for (int i = 0; i < kernels::round_up(inputs, int16::inputs_together); ++i)
      for (int c = 0; c < 4; ++c) {
        const std::int64_t row = kernels::first_of_block<4>(block, channels) + c;
        packed.values.push_back(
            i < inputs ? view.layer.weights[static_cast<std::size_t>(row * inputs + i)] + 128
                       : 128);
      }
  std::vector<ConstantArray> arrays = pack_requantization(view);
  arrays.insert(arrays.begin(), std::move(packed));
  return arrays;
}

/// A window as words.
Bytes words_scratch(const LayerView& view) {
  return Bytes(static_cast<std::uint64_t>(
      4 * kernels::round_up(filter_inputs(view), int16::inputs_together)));
}

std::vector<ConstantArray> pack_padded(const LayerView& view) {
  const auto inputs = static_cast<std::size_t>(filter_inputs(view));
  const auto padded = static_cast<std::size_t>(int16::padded_inputs(filter_inputs(view)));
  ConstantArray packed{"packed", "std::int8_t", 1, {}};
  const auto& weights = view.layer.weights;
  for (std::size_t first = 0; first < weights.size(); first += inputs) {
    const auto filter = weights.begin() + static_cast<std::ptrdiff_t>(first);
    packed.values.insert(packed.values.end(), filter, filter + static_cast<std::ptrdiff_t>(inputs));
    packed.values.resize(packed.values.size() + padded - inputs, 0);
  }
  std::vector<ConstantArray> arrays = pack_requantization(view);
  arrays.insert(arrays.begin(), std::move(packed));
  return arrays;
}

/// The columns of up to four windows, but for pixels whose channels fill them.
Bytes padded_scratch(const LayerView& view) {
  const int inputs = filter_inputs(view), padded = int16::padded_inputs(inputs);
  const bool one_pixel = inputs == view.input.channels && pixel_window_scratch(view) == Bytes(0);
  const bool whole = view.layer.op == IntegerOp::dense || one_pixel;
  if (whole && inputs == padded) return Bytes(0);
  const int pixels = std::min(view.output.height * view.output.width, 4);
  return Bytes(static_cast<std::uint64_t>(pixels * padded) * size_of(Element::int16));
}

/// The inputs of one window.
Bytes column_scratch(const LayerView& view) {
  const int inputs = view.layer.window.kernel_height * conv_layout(view).row;
  return Bytes(static_cast<std::uint64_t>(inputs) * size_of(Element::int16));
}

bool has_long_column(const LayerView& view) {
  return column_scratch(view) > Bytes(kernels::scratch_limit);
}

bool has_small_window(const LayerView& view) {
  const Window& window = view.layer.window;
  return window.kernel_height * window.kernel_width <= int16::part_inputs;
}

bool has_small_window_and_four_channels(const LayerView& view) {
  return has_small_window(view) && has_four_channels(view);
}

bool has_small_window_and_eight_channels(const LayerView& view) {
  return has_small_window(view) && view.output.channels >= 8;
}

/// A row for the cores without SMLAD, with the constants of the reference kernel.
KernelRow plain(std::string_view name, IntegerOp op, std::string_view header,
                std::string_view function, decltype(KernelRow::accepts) accepts,
                decltype(KernelRow::scratch) scratch) {
  return {.name = name,
          .op = op,
          .element = Element::int16,
          .header = header,
          .function = function,
          .runs_on = lacks_smlad,
          .accepts = accepts,
          .pack = pack_weights_and_requantization,
          .scratch = scratch};
}

}  // namespace

std::span<const KernelRow> int16_kernels() {
  static const KernelRow rows[] = {
      {.name = "conv.int16.smlad",
       .op = IntegerOp::convolution,
       .element = Element::int16,
       .header = "targets/runtime/int16/conv_smlad.hpp",
       .function = "assay::kernels::conv_int16_smlad",
       .runs_on = has_smlad,
       .pack = pack_conv,
       .scratch = conv_scratch},
      {.name = "conv_large.int16.smlad",
       .op = IntegerOp::convolution,
       .element = Element::int16,
       .header = "targets/runtime/int16/conv_smlad.hpp",
       .function = "assay::kernels::conv_int16_smlad",
       .runs_on = has_smlad,
       .accepts = has_long_window,
       .pack = pack_conv,
       .scratch = conv_scratch,
       .large_scratch = true,
       .most_scratch = large_scratch},
      {.name = "conv_long.int16.plain",
       .op = IntegerOp::convolution,
       .element = Element::int16,
       .header = "targets/runtime/int16/plain.hpp",
       .function = "assay::kernels::conv_int16_plain",
       .runs_on = has_smlad,
       .accepts = has_long_window,
       .pack = pack_weights_and_requantization,
       .scratch = column_scratch},
      {.name = "conv_large.int16.plain",
       .op = IntegerOp::convolution,
       .element = Element::int16,
       .header = "targets/runtime/int16/plain.hpp",
       .function = "assay::kernels::conv_int16_plain",
       .runs_on = any_core,
       .accepts = has_long_column,
       .pack = pack_weights_and_requantization,
       .scratch = column_scratch,
       .large_scratch = true,
       .most_scratch = large_scratch},
      {.name = "depthwise_plane.int16.smlad",
       .op = IntegerOp::depthwise,
       .element = Element::int16,
       .header = "targets/runtime/int16/depthwise_plane.hpp",
       .function = "assay::kernels::depthwise_plane_int16_smlad",
       .runs_on = has_smlad,
       .accepts = accepts_channel_plane,
       .pack = pack_weights_and_requantization,
       .scratch = channel_plane_scratch},
      {.name = "depthwise.int16.smlad",
       .op = IntegerOp::depthwise,
       .element = Element::int16,
       .header = "targets/runtime/int16/depthwise_smlad.hpp",
       .function = "assay::kernels::depthwise_int16_smlad",
       .runs_on = has_smlad,
       .accepts = has_small_window_and_four_channels,
       .pack = pack_depthwise,
       .scratch = pixel_window_scratch},
      {.name = "dense.int16.smlad",
       .op = IntegerOp::dense,
       .element = Element::int16,
       .header = "targets/runtime/int16/dense_smlad.hpp",
       .function = "assay::kernels::dense_int16_smlad",
       .runs_on = has_smlad,
       .accepts = has_four_channels,
       .pack = pack_dense},
      {.name = "conv.int16.neon",
       .op = IntegerOp::convolution,
       .element = Element::int16,
       .header = "targets/runtime/int16/conv_neon.hpp",
       .function = "assay::kernels::conv_int16_neon",
       .runs_on = has_neon,
       .accepts = has_four_channels,
       .pack = pack_padded,
       .scratch = padded_scratch,
       .most_scratch = linux_scratch},
      {.name = "dense.int16.neon",
       .op = IntegerOp::dense,
       .element = Element::int16,
       .header = "targets/runtime/int16/conv_neon.hpp",
       .function = "assay::kernels::dense_int16_neon",
       .runs_on = has_neon,
       .accepts = has_four_channels,
       .pack = pack_padded,
       .scratch = padded_scratch,
       .most_scratch = linux_scratch},
      {.name = "depthwise.int16.neon",
       .op = IntegerOp::depthwise,
       .element = Element::int16,
       .header = "targets/runtime/int16/depthwise_neon.hpp",
       .function = "assay::kernels::depthwise_int16_neon",
       .runs_on = has_neon,
       .accepts = has_small_window_and_eight_channels,
       .pack = pack_weights_and_requantization,
       .scratch = padded_rows_scratch,
       .most_scratch = linux_scratch},
      {.name = "conv.int16.m0",
       .op = IntegerOp::convolution,
       .element = Element::int16,
       .header = "targets/runtime/int16/conv_m0.hpp",
       .function = "assay::kernels::conv_int16_m0",
       .runs_on = is_armv6m,
       .accepts = has_four_channels,
       .pack = pack_m0,
       .scratch = words_scratch},
      {.name = "dense.int16.m0",
       .op = IntegerOp::dense,
       .element = Element::int16,
       .header = "targets/runtime/int16/conv_m0.hpp",
       .function = "assay::kernels::dense_int16_m0",
       .runs_on = is_armv6m,
       .accepts = has_four_channels,
       .pack = pack_m0,
       .scratch = words_scratch},
      plain("conv.int16.plain", IntegerOp::convolution, "targets/runtime/int16/plain.hpp",
            "assay::kernels::conv_int16_plain", any_layer, column_scratch),
      plain("depthwise.int16.plain", IntegerOp::depthwise,
            "targets/runtime/int16/depthwise_plain.hpp", "assay::kernels::depthwise_int16_plain",
            has_small_window, no_scratch),
      plain("dense.int16.plain", IntegerOp::dense, "targets/runtime/int16/plain.hpp",
            "assay::kernels::dense_int16_plain", any_layer, no_scratch),
  };
  return rows;
}

}  // namespace assay

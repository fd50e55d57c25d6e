// Rows and weight packing of the kernels for Armv6-M cores; the format is described in
// targets/runtime/m0/layout.hpp.
#include <algorithm>

#include "targets/pack/m0_packing.hpp"
#include "targets/pack/rows.hpp"
#include "targets/runtime/m0/layout.hpp"

namespace assay {
namespace {

namespace m0 = kernels::m0;

m0::ConvLayout conv_layout(const LayerView& view) {
  const Window& window = view.layer.window;
  return {window.kernel_height, window.kernel_width, view.input.channels};
}

std::vector<ConstantArray> pack_conv(const LayerView& view) {
  const m0::ConvLayout layout = conv_layout(view);
  const auto filter = static_cast<std::size_t>(layout.filter);
  ConstantArray filters{"filters", "std::int8_t", 1, {}};
  for (std::size_t c = 0; c < static_cast<std::size_t>(view.output.channels); ++c)
    for (std::size_t i = 0; i < static_cast<std::size_t>(layout.inputs()); ++i)
      filters.values.push_back(i < filter ? view.layer.weights[c * filter + i] : 0);
  return {filters, pack_m0_channels(view)};
}

/// Groups of four pixels in a tile within `limit` bytes of scratch, and what that takes.
int groups_within(const LayerView& view, int limit) {
  const m0::ConvLayout layout = conv_layout(view);
  const int pixels = view.output.height * view.output.width;
  const int unpacked = m0::int8_unpacked_bytes(pixels, layout, view.input.channels, limit);
  return m0::ConvTile(pixels, layout, view.input.channels, unpacked, limit).groups;
}
Bytes scratch_within(const LayerView& view, int limit) {
  const m0::ConvLayout layout = conv_layout(view);
  const int pixels = view.output.height * view.output.width;
  const int unpacked = m0::int8_unpacked_bytes(pixels, layout, view.input.channels, limit);
  return Bytes(static_cast<std::uint64_t>(
      m0::conv_scratch_bytes(pixels, layout, view.input.channels, unpacked, limit)));
}

Bytes conv_scratch(const LayerView& view) {
  return scratch_within(view, kernels::scratch_limit);
}

Bytes conv_large_scratch(const LayerView& view) {
  return scratch_within(view, m0::large_scratch_limit);
}

/// Where tiles become larger with more scratch.
bool accepts_conv_large(const LayerView& view) {
  return groups_within(view, m0::large_scratch_limit) > groups_within(view, kernels::scratch_limit);
}

/// Kernels that multiply at four pixels at a time cost less for three too than one at a time.
bool has_three_pixels(const LayerView& view) {
  return view.output.height * view.output.width >= 3;
}

m0::PartsLayout parts_layout(const LayerView& view) {
  const Window& window = view.layer.window;
  return {window.kernel_height * window.kernel_width, view.input.channels, view.output.channels};
}

/// Where the window's columns are too long for scratch memory.
bool accepts_parts(const LayerView& view) {
  return has_three_pixels(view) && conv_scratch(view) > Bytes(kernels::scratch_limit) &&
         parts_layout(view).positions > 0;
}

/// One or two pixels, and where an outside pixel leaves no room for parts.
bool conv_is_wide(const LayerView& view) {
  return !has_three_pixels(view) ||
         (conv_scratch(view) > Bytes(kernels::scratch_limit) && !accepts_parts(view));
}

/// Weights of a window lie in the order of its positions and their channels, so a part of several
/// positions, too, is one piece of them.
std::vector<ConstantArray> pack_parts(const LayerView& view) {
  const m0::PartsLayout layout = parts_layout(view);
  const auto in_channels = static_cast<std::size_t>(view.input.channels);
  const auto most = static_cast<std::size_t>(layout.positions * layout.channels);
  ConstantArray filters{"filters", "std::int8_t", 1, {}};
  const std::span<const std::int8_t> weights = view.layer.weights;
  const std::size_t pieces = most < in_channels ? in_channels : most;  // that parts end with
  for (std::size_t piece = 0; piece < weights.size(); piece += pieces)
    for (std::size_t first = 0; first < pieces; first += most) {
      const std::size_t end = filters.values.size() + static_cast<std::size_t>(layout.inputs());
      for (const std::int8_t weight :
           weights.subspan(piece + first, std::min(most, pieces - first)))
        filters.values.push_back(weight);
      filters.values.resize(end, 0);
    }
  return {filters, pack_m0_channels(view)};
}

Bytes parts_scratch(const LayerView& view) {
  return Bytes(static_cast<std::uint64_t>(parts_layout(view).scratch_bytes(view.input.channels)));
}

/// Of a dense layer, or of each window of a convolution.
std::vector<ConstantArray> pack_dense(const LayerView& view) {
  const auto channels = static_cast<std::size_t>(view.output.channels);
  const std::size_t inputs = view.layer.weights.size() / channels;
  const m0::DenseLayout layout(view.output.channels);
  ConstantArray blocks{"blocks", "std::uint8_t", 1, {}};
  ConstantArray singles{"singles", "std::int8_t", 1, {}};
  const auto in_blocks = static_cast<std::size_t>(8 * layout.blocks);
  for (std::size_t block = 0; block < in_blocks; block += 8)
    for (std::size_t i = 0; i < inputs; ++i)
      for (std::size_t c = block; c < block + 8; ++c)
        blocks.values.push_back(m0::weight_offset +
                                (c < channels ? view.layer.weights[c * inputs + i] : 0));
  for (std::size_t c = in_blocks; c < channels; ++c)
    for (std::size_t i = 0; i < inputs; ++i)
      singles.values.push_back(view.layer.weights[c * inputs + i]);
  std::vector<ConstantArray> arrays = pack_requantization(view);
  for (ConstantArray& array : arrays)
    array.values.resize(std::max(channels, in_blocks), 0);
  for (ConstantArray* array : {&blocks, &singles}) {
    if (array->values.empty()) array->values.push_back(0);  // C++ has no empty arrays
    arrays.push_back(*array);
  }
  return arrays;
}

Bytes dense_scratch(const LayerView& view) {
  const auto inputs = static_cast<int>(view.input.size());
  return Bytes(4 * static_cast<std::uint64_t>(m0::dense_input_words(inputs, view.output.channels)));
}

std::vector<ConstantArray> pack_depthwise(const LayerView& view) {
  const auto channels = static_cast<std::size_t>(view.output.channels);
  const std::size_t taps = view.layer.weights.size() / channels;
  ConstantArray filters{"filters", "std::int8_t", 1, {}};
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t tap = 0; tap < taps; ++tap)
      filters.values.push_back(view.layer.weights[tap * channels + c]);
  return {filters, pack_m0_channels(view)};
}

}  // namespace

bool accepts_m0_depthwise(const LayerView& view) {
  return view.layer.window.kernel_height < 32;
}

Bytes m0_depthwise_scratch(const LayerView& view) {
  const Window& w = view.layer.window;
  const m0::DepthwiseLayout layout(view.output.height, view.output.width, w.kernel_height,
                                   w.kernel_width, w.stride_height, w.stride_width);
  return Bytes(static_cast<std::uint64_t>(layout.rows * layout.columns * 4));
}

ConstantArray pack_m0_channels(const LayerView& view) {
  const Requantization& r = view.layer.requantization;
  ConstantArray channels{"channels", "std::int32_t", 4, {}};
  for (std::size_t c = 0; c < r.bias.size(); ++c) {
    channels.values.push_back(r.bias[c]);
    channels.values.push_back(r.multiplier[c]);
  }
  return channels;
}

std::span<const KernelRow> m0_kernels() {
  static const KernelRow rows[] = {
      {.name = "conv.m0",
       .op = IntegerOp::convolution,
       .header = "targets/runtime/m0/conv.hpp",
       .function = "assay::kernels::conv_m0",
       .runs_on = is_armv6m,
       .accepts = has_three_pixels,
       .pack = pack_conv,
       .scratch = conv_scratch},
      {.name = "conv_large.m0",
       .op = IntegerOp::convolution,
       .header = "targets/runtime/m0/conv.hpp",
       .function = "assay::kernels::conv_large_m0",
       .runs_on = is_armv6m,
       .accepts = accepts_conv_large,
       .pack = pack_conv,
       .scratch = conv_large_scratch,
       .large_scratch = true,
       .most_scratch = Bytes(m0::large_scratch_limit)},
      {.name = "conv_parts.m0",
       .op = IntegerOp::convolution,
       .header = "targets/runtime/m0/conv_parts.hpp",
       .function = "assay::kernels::conv_parts_m0",
       .runs_on = is_armv6m,
       .accepts = accepts_parts,
       .pack = pack_parts,
       .scratch = parts_scratch},
      {.name = "conv_wide.m0",
       .op = IntegerOp::convolution,
       .header = "targets/runtime/m0/dense.hpp",
       .function = "assay::kernels::conv_wide_m0",
       .runs_on = is_armv6m,
       .accepts = conv_is_wide,
       .pack = pack_dense,
       .scratch = pixel_window_scratch},
      {.name = "depthwise.m0",
       .op = IntegerOp::depthwise,
       .header = "targets/runtime/m0/depthwise.hpp",
       .function = "assay::kernels::depthwise_m0",
       .runs_on = is_armv6m,
       .accepts = accepts_m0_depthwise,
       .pack = pack_depthwise,
       .scratch = m0_depthwise_scratch},
      {.name = "dense.m0",
       .op = IntegerOp::dense,
       .header = "targets/runtime/m0/dense.hpp",
       .function = "assay::kernels::dense_m0",
       .runs_on = is_armv6m,
       .pack = pack_dense,
       .scratch = dense_scratch},
      {.name = "max_pool.m0",
       .op = IntegerOp::max_pool,
       .form = WeightForm::none,
       .header = "targets/runtime/m0/pool.hpp",
       .function = "assay::kernels::max_pool_m0",
       .runs_on = is_armv6m,
       .pack = no_constants,
       .in_place = pool_may_run_in_place},
      {.name = "average_pool.m0",
       .op = IntegerOp::average_pool,
       .form = WeightForm::none,
       .header = "targets/runtime/m0/pool.hpp",
       .function = "assay::kernels::average_pool_m0",
       .runs_on = is_armv6m,
       .pack = pack_requantization,
       .in_place = pool_may_run_in_place},
  };
  return rows;
}

}  // namespace assay

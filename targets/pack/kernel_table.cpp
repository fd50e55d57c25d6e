#include <algorithm>
#include <bit>
#include <cassert>

#include "targets/pack/rows.hpp"
#include "targets/runtime/channel_plane.hpp"
#include "targets/runtime/outside_pixel.hpp"
#include "targets/runtime/padded_rows.hpp"
#include "targets/runtime/window_rows.hpp"

namespace assay {

std::span<const KernelRow> kernel_table() {
  static const std::vector<KernelRow> table = [] {
    std::vector<KernelRow> rows;
    for (auto family :
         {dsp_plane_kernels(), dsp_kernels(), dsp_packed_kernels(), dsp_sparse_kernels(),
          m0_kernels(), m0_compressed_kernels(), neon_kernels(), neon_compressed_kernels(),
          armv6_kernels(), armv6_compressed_kernels(), int16_kernels(), int16_weightless_kernels(),
          float_kernels(), portable_kernels(), reference_kernels()})
      rows.insert(rows.end(), family.begin(), family.end());
    return rows;
  }();
  return table;
}

bool has_weights(IntegerOp op) {
  return op == IntegerOp::convolution || op == IntegerOp::depthwise || op == IntegerOp::dense;
}

WeightForm stored_form(const LayerView& view) {
  if (!has_weights(view.layer.op)) return WeightForm::none;
  const FloatParameters& real = view.layer.real;
  if (real.weights.empty()) return WeightForm::int8;
  return real.half ? WeightForm::float16 : WeightForm::float32;
}

bool takes(const KernelRow& row, const LayerView& view) {
  return row.op == view.layer.op && row.element == view.input.element && row.accepts(view) &&
         row.scratch(view) <= row.most_scratch;
}

const KernelRow* find_kernel(const LayerView& view, const Core& core, WeightForm form) {
  for (const KernelRow& row : kernel_table())
    if (row.form == form && (!row.large_scratch || core.linux_tools) && row.runs_on(core) &&
        takes(row, view))
      return &row;
  return nullptr;
}

const KernelRow* find_kernel_named(const LayerView& view, const Core& core, std::string_view name) {
  for (const KernelRow& row : kernel_table())
    if (row.name == name && row.runs_on(core) && takes(row, view)) return &row;
  return nullptr;
}

const KernelRow& choose_kernel(const LayerView& view, const Core& core) {
  if (const KernelRow* row = find_kernel(view, core, stored_form(view))) return *row;
  return reference_kernel(view);
}

std::vector<const KernelRow*> candidate_kernels(const LayerView& view, const Core& core) {
  const KernelRow& reference = reference_kernel(view);
  std::vector<const KernelRow*> rows{&choose_kernel(view, core)};
  for (const KernelRow& row : kernel_table())
    if (row.name != reference.name && &row != rows.front() && row.runs_on(core) && takes(row, view))
      rows.push_back(&row);
  return rows;
}

const KernelRow* kernel_named(std::string_view name) {
  const auto table = kernel_table();
  const auto found = std::ranges::find(table, name, &KernelRow::name);
  return found == table.end() ? nullptr : &*found;
}

KernelRow RowFamily::operator()(std::string_view name, IntegerOp op, WeightForm form,
                                std::string_view header, std::string_view function,
                                decltype(KernelRow::accepts) accepts,
                                decltype(KernelRow::pack) pack,
                                decltype(KernelRow::scratch) scratch) const {
  return {.name = name,
          .op = op,
          .form = form,
          .header = header,
          .function = function,
          .runs_on = runs_on,
          .accepts = accepts,
          .pack = pack,
          .scratch = scratch,
          .most_scratch = most_scratch,
          .shapes = shapes};
}

const KernelRow& reference_kernel(IntegerOp op, Element element) {
  for (const KernelRow& row : reference_kernels())
    if (row.op == op && row.element == element) return row;
  assert(false && "every operator has a reference row");
  return reference_kernels().front();
}

const KernelRow& reference_kernel(const LayerView& view) {
  return view.input.element == Element::float32
             ? float_reference_kernel(view)
             : reference_kernel(view.layer.op, view.input.element);
}

ConstantArray float_array(std::string name, std::span<const float> values) {
  ConstantArray array{std::move(name), "float", sizeof(float), {}};
  for (const float value : values)
    array.values.push_back(std::bit_cast<std::uint32_t>(value));
  return array;
}

float float_of_bits(std::int64_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

namespace {

bool pads_width(const LayerView& view) {
  const Window& w = view.layer.window;
  return kernels::reaches_outside(view.input.width, view.output.width, w.kernel_width,
                                  w.stride_width, w.pad_left);
}

bool pads_height(const LayerView& view) {
  const Window& w = view.layer.window;
  return kernels::reaches_outside(view.input.height, view.output.height, w.kernel_height,
                                  w.stride_height, w.pad_top);
}

kernels::ChannelPlane channel_plane(const LayerView& view) {
  const Window& w = view.layer.window;
  return {view.output.height, view.output.width, w.kernel_height,
          w.kernel_width,     w.stride_height,   w.stride_width};
}

}  // namespace

Bytes window_rows_scratch(const LayerView& view, int row, int pixels) {
  return Bytes(static_cast<std::uint64_t>(
      kernels::window_rows_bytes(row, pixels, pads_width(view), pads_height(view))));
}

Bytes pixel_window_scratch(const LayerView& view) {
  const bool pads = view.layer.op != IntegerOp::dense && (pads_width(view) || pads_height(view));
  const int pixel = view.input.channels * static_cast<int>(size_of(view.input.element));
  return Bytes(static_cast<std::uint64_t>(kernels::outside_pixel_bytes(pixel, pads)));
}

Bytes padded_rows_scratch(const LayerView& view) {
  const Window& w = view.layer.window;
  const auto elements = static_cast<std::size_t>(kernels::padded_rows_elements(
      view.output.width, w.kernel_height, w.kernel_width, w.stride_width, view.input.channels,
      pads_width(view) || pads_height(view)));
  return Bytes(elements * size_of(view.input.element));
}

bool accepts_channel_plane(const LayerView& view) {
  constexpr int most_taps = 64, least_outputs = 16, channels_together = 4;
  const Window& w = view.layer.window;
  const bool pays = view.output.height * view.output.width >= least_outputs &&
                    w.kernel_height >= 2 && w.stride_width <= 2;
  return w.kernel_width >= 2 && w.kernel_height * w.kernel_width <= most_taps &&
         (w.stride_width == 1 || w.stride_width % 2 == 0) &&
         (pays || view.output.channels < channels_together) && channel_plane(view).band() > 0;
}

Bytes channel_plane_scratch(const LayerView& view) {
  return Bytes(static_cast<std::uint64_t>(channel_plane(view).scratch_bytes()));
}

}  // namespace assay

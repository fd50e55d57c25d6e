#include <algorithm>
#include <cassert>

#include "targets/pack/rows.hpp"
#include "targets/runtime/outside_pixel.hpp"
#include "targets/runtime/window_rows.hpp"

namespace assay {

std::span<const KernelRow> kernel_table() {
  static const std::vector<KernelRow> table = [] {
    std::vector<KernelRow> rows;
    for (auto family : {dsp_kernels(), dsp_packed_kernels(), dsp_sparse_kernels(), m0_kernels(),
                        m0_compressed_kernels(), neon_kernels(), neon_compressed_kernels(),
                        armv6_kernels(), reference_kernels()})
      rows.insert(rows.end(), family.begin(), family.end());
    return rows;
  }();
  return table;
}

bool has_weights(IntegerOp op) {
  return op == IntegerOp::convolution || op == IntegerOp::depthwise || op == IntegerOp::dense;
}

bool takes(const KernelRow& row, const LayerView& view) {
  return row.op == view.layer.op && row.accepts(view) && row.scratch(view) <= row.most_scratch;
}

const KernelRow* find_kernel(const LayerView& view, const Core& core, WeightForm form) {
  for (const KernelRow& row : kernel_table())
    if (row.form == form && !row.large_scratch && row.runs_on(core) && takes(row, view))
      return &row;
  return nullptr;
}

const KernelRow* find_kernel_named(const LayerView& view, const Core& core, std::string_view name) {
  for (const KernelRow& row : kernel_table())
    if (row.name == name && row.runs_on(core) && takes(row, view)) return &row;
  return nullptr;
}

const KernelRow& choose_kernel(const LayerView& view, const Core& core) {
  const WeightForm form = has_weights(view.layer.op) ? WeightForm::int8 : WeightForm::none;
  if (const KernelRow* row = find_kernel(view, core, form)) return *row;
  return reference_kernel(view.layer.op);
}

std::vector<const KernelRow*> candidate_kernels(const LayerView& view, const Core& core) {
  const KernelRow& reference = reference_kernel(view.layer.op);
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

const KernelRow& reference_kernel(IntegerOp op) {
  for (const KernelRow& row : reference_kernels())
    if (row.op == op) return row;
  assert(false && "every operator has a reference row");
  return reference_kernels().front();
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

}  // namespace

Bytes window_rows_scratch(const LayerView& view, int row, int pixels) {
  return Bytes(static_cast<std::uint64_t>(
      kernels::window_rows_bytes(row, pixels, pads_width(view), pads_height(view))));
}

Bytes pixel_window_scratch(const LayerView& view) {
  const bool pads =
      view.layer.op == IntegerOp::convolution && (pads_width(view) || pads_height(view));
  return Bytes(static_cast<std::uint64_t>(kernels::outside_pixel_bytes(view.input.channels, pads)));
}

}  // namespace assay

#include <cassert>

#include "targets/pack/rows.hpp"

namespace assay {

std::span<const KernelRow> kernel_table() {
  static const std::vector<KernelRow> table = [] {
    std::vector<KernelRow> rows;
    for (auto family : {dsp_kernels(), m0_kernels(), reference_kernels()})
      rows.insert(rows.end(), family.begin(), family.end());
    return rows;
  }();
  return table;
}

const KernelRow& choose_kernel(const LayerView& view, const Core& core) {
  for (const KernelRow& row : kernel_table())
    if (row.op == view.layer.op && row.runs_on(core) && row.accepts(view)) return row;
  return reference_kernel(view.layer.op);
}

const KernelRow& reference_kernel(IntegerOp op) {
  for (const KernelRow& row : reference_kernels())
    if (row.op == op) return row;
  assert(false && "every operator has a reference row");
  return reference_kernels().front();
}

}  // namespace assay

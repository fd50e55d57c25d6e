// Rows of kernels for any core that are faster than the reference kernels.
#include "targets/pack/rows.hpp"

namespace assay {

std::span<const KernelRow> portable_kernels() {
  static const KernelRow rows[] = {{.name = "concat.parts",
                                    .op = IntegerOp::concat,
                                    .form = WeightForm::none,
                                    .header = "targets/runtime/concat.hpp",
                                    .function = "assay::kernels::concat_parts",
                                    .runs_on = any_core,
                                    .pack = pack_concat,
                                    .portable = true}};
  return rows;
}

}  // namespace assay

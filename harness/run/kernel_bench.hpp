// Instructions and cycles per multiply-accumulate of kernels, by putting one-layer networks through
// the whole way: generated code, firmware, flash, board, logits checked against the host.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "boards/station/desk.hpp"
#include "harness/core/element.hpp"
#include "targets/pack/weight_form.hpp"

namespace assay {

/// One kernel on one shape.
struct KernelFigure {
  std::string shape;   ///< "conv 3x3 16->16 16x16"
  std::string kernel;  ///< row of the kernel table
  WeightForm form = WeightForm::int8;
  Element element = Element::int8;  ///< of the tensors
  double macs = 0;                  ///< nominal, of one inference
  double instructions = 0;          ///< executed between the markers, counted
  /// Counted like them; LDM counts each word, a byte counts as one. Absent under Linux.
  std::optional<double> words_loaded;
  std::optional<double> cycles;
  double code_bytes = 0;  ///< the layer's code in flash
  double scratch_bytes = 0;
  double weights = 0;         ///< of the layer; 0 where the operator has none
  double constant_bytes = 0;  ///< weights with what decodes and requantizes them, in flash
  /// CMSIS-NN's instructions per MAC on this core; absent where it does not run.
  std::optional<double> cmsis_nn;
};

/// Measures, on a virtual board or under QEMU's user mode, the reference kernel and the kernel of
/// its form for every benchmark shape that the board's core has such a kernel for: two figures a
/// shape. Of the shapes only those whose name contains `only`. Errors: bad_input where none does;
/// failed_verdict when a logit differs from the host's; those of building and the board.
Result<std::vector<KernelFigure>> bench_kernels(const Board& board, std::string_view only,
                                                const std::filesystem::path& scratch_folder,
                                                std::stop_token stop);

}  // namespace assay

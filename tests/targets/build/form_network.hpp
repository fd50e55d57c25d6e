// A network whose weights suit one form, and the kernels of that form for a core.
#pragma once

#include <array>

#include "harness/core/part.hpp"
#include "targets/graph/integer_graph.hpp"
#include "targets/pack/deployment.hpp"

namespace assay::test {

/// Every form that weights can be packed in.
inline constexpr std::array weight_forms{WeightForm::int8,        WeightForm::int4,
                                         WeightForm::ternary,     WeightForm::codebook16,
                                         WeightForm::codebook256, WeightForm::unstructured,
                                         WeightForm::blocks,      WeightForm::blocks_codebook16,
                                         WeightForm::bitmap};

/// Input 11 x 10 x 2, ten logits; odd channels, lopsided padding, a stride: convolutions of a
/// window and of a pixel, a depthwise one, a pool and a dense layer, with random weights that the
/// form takes.
IntegerGraph form_network(WeightForm form);

/// The core's kernel of that form for every layer that has one; the others keep their first.
KernelChoice kernels_of_form(const IntegerGraph& graph, const Core& core, WeightForm form);

}  // namespace assay::test

// The oracle's layers over float32 tensors (targets/runtime/ARITHMETIC.md, "Floating point"). Inner
// part of reference_run. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "targets/graph/integer_graph.hpp"

namespace assay {

/// Runs one layer: reads and writes `values`, the bytes of every tensor, indexed like
/// graph.tensors.
void run_float_layer(const IntegerGraph& graph, const IntegerLayer& layer,
                     std::vector<std::vector<std::int8_t>>& values);

}  // namespace assay

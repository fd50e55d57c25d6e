// The oracle: runs a network with plain loops on the host. Tensors are the bytes of their elements,
// int8, int16 or float32. Slow, boring, thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "targets/graph/integer_graph.hpp"

namespace assay {

/// The network's output (NHWC) for one input of graph.tensors[graph.input].bytes() bytes.
std::vector<std::int8_t> run_reference(const IntegerGraph& graph,
                                       std::span<const std::int8_t> input);

/// Every tensor of the network for one input, indexed like graph.tensors.
std::vector<std::vector<std::int8_t>> run_reference_tensors(const IntegerGraph& graph,
                                                            std::span<const std::int8_t> input);

/// Runs one layer: reads and writes `values`, which is indexed like graph.tensors.
void run_reference_layer(const IntegerGraph& graph, const IntegerLayer& layer,
                         std::vector<std::vector<std::int8_t>>& values);

}  // namespace assay

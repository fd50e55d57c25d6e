// A small integer network with seeded weights: convolution, max pool, dense. Enough to exercise
// code generation, linking and a board; its logits come from run_reference.
#pragma once

#include <cstdint>
#include <vector>

#include "targets/build/generate.hpp"
#include "targets/graph/integer_graph.hpp"

namespace assay::test {

/// Input 12 x 12 x 1, ten logits. `channels`: of the convolution, a multiple of 4 or not.
IntegerGraph small_network(int channels = 8);

/// Inputs of a network, one behind the other: bytes of int8 or float32 elements.
std::vector<std::int8_t> seeded_inputs(const IntegerGraph& graph, int count);

/// Generated code, which must succeed.
GeneratedModel generate_for(const IntegerGraph& graph, const Core& core);

}  // namespace assay::test

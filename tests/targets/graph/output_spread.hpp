// Shifts for layers with made-up weights, so that what they compute is worth comparing.
#pragma once

#include <cstdint>
#include <vector>

#include "targets/graph/integer_graph.hpp"

namespace assay::test {

/// What an output channel of a layer with weights may sum up to.
struct SumRange {
  std::int64_t low = 0;
  std::int64_t high = 0;
  double deviation = 0;  ///< for inputs all over int8
};

std::vector<SumRange> sum_ranges(const IntegerLayer& layer);

/// The P that ARITHMETIC.md demands for the layer's weights and b', and the R for which outputs
/// spread over int8 with its m.
void spread_outputs(IntegerLayer& layer);

}  // namespace assay::test

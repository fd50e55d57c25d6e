// The ways in which a network can run in strips.
#pragma once

#include <vector>

#include "targets/graph/strips.hpp"

namespace assay::test {

/// Every range of layers at every height of strip.
std::vector<StripPlan> all_strip_plans(const IntegerGraph& graph);

}  // namespace assay::test

#include "tests/targets/graph/strip_ranges.hpp"

namespace assay::test {

std::vector<StripPlan> all_strip_plans(const IntegerGraph& graph) {
  std::vector<StripPlan> plans;
  for (std::size_t first = 0; first < graph.layers.size(); ++first)
    for (std::size_t last = first; last < graph.layers.size(); ++last)
      for (int rows = 1; rows < graph.tensors[graph.layers[last].output].height; ++rows)
        if (auto plan = plan_strips(graph, {first, last, rows})) plans.push_back(*plan);
  return plans;
}

}  // namespace assay::test

#include "tests/targets/graph/output_spread.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace assay::test {

std::vector<SumRange> sum_ranges(const IntegerLayer& layer) {
  const std::size_t filters = layer.requantization.bias.size();
  const std::size_t filter = layer.weights.size() / filters;
  std::vector<SumRange> ranges(filters);
  for (std::size_t i = 0; i < layer.weights.size(); ++i) {
    SumRange& range = ranges[layer.op == IntegerOp::depthwise ? i % filters : i / filter];
    const int w = layer.weights[i];
    range.low += std::min(127 * w, -128 * w);
    range.high += std::max(127 * w, -128 * w);
    range.deviation = std::hypot(range.deviation, 74.0 * w);
  }
  return ranges;
}

void spread_outputs(IntegerLayer& layer) {
  Requantization& r = layer.requantization;
  double widest = 1;
  std::int64_t farthest = 0;
  const std::vector<SumRange> ranges = sum_ranges(layer);
  for (std::size_t c = 0; c < ranges.size(); ++c) {
    farthest = std::max(
        {farthest, std::abs(ranges[c].low + r.bias[c]), std::abs(ranges[c].high + r.bias[c])});
    widest = std::max(widest, ranges[c].deviation * r.multiplier[c]);
  }
  r.accumulator_shift = 0;
  while (farthest >> r.accumulator_shift >= (1 << 16) - 1)
    ++r.accumulator_shift;
  r.output_shift = 1;
  while (r.output_shift < 23 && std::ldexp(widest, -r.accumulator_shift - r.output_shift) > 70)
    ++r.output_shift;
}

}  // namespace assay::test

#include "compress/methods/segments.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace assay {

SortedValues::SortedValues(std::span<const float> sorted) {
  assert(std::ranges::is_sorted(sorted));
  std::vector<double> counts;
  for (const float value : sorted) {
    if (values_.empty() || values_.back() != double(value)) {
      values_.push_back(value);
      counts.push_back(0);
    }
    ++counts.back();
  }
  if (!sorted.empty())
    centre_ = std::accumulate(sorted.begin(), sorted.end(), 0.0) / double(sorted.size());
  counts_ = sums_ = squares_ = {0};
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const double distance = values_[i] - centre_;
    counts_.push_back(counts_.back() + counts[i]);
    sums_.push_back(sums_.back() + counts[i] * distance);
    squares_.push_back(squares_.back() + counts[i] * distance * distance);
  }
}

double SortedValues::mean(std::size_t begin, std::size_t end) const {
  const double mean = centre_ + (sums_[end] - sums_[begin]) / (counts_[end] - counts_[begin]);
  // Rounding must not move a mean out of its segment, nor to the other side of 0.
  return std::clamp(mean, values_[begin], values_[end - 1]);
}

std::size_t SortedValues::first_above(double limit) const {
  return std::size_t(std::ranges::upper_bound(values_, limit) - values_.begin());
}

std::vector<double> means_of(const SortedValues& values, const Segments& segments) {
  std::vector<double> means;
  for (std::size_t i = 0; i < segments.size(); ++i)
    means.push_back(values.mean(segments[i], end_of(values, segments, i)));
  return means;
}

std::vector<std::size_t> nearest_starts(const SortedValues& values,
                                        std::span<const double> centroids) {
  std::vector<std::size_t> starts{0};
  for (std::size_t i = 1; i < centroids.size(); ++i)
    starts.push_back(values.first_above(std::midpoint(centroids[i - 1], centroids[i])));
  return starts;
}

Segments refill(const SortedValues& values, std::vector<std::size_t> starts, std::size_t count) {
  assert(count >= 1 && count <= values.distinct());
  std::erase(starts, values.distinct());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  while (starts.size() < count) {
    // A segment of one value is never split, even where rounding makes all costs 0.
    std::size_t worst = 0;
    double worst_cost = -1;
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const std::size_t end = end_of(values, starts, i);
      if (end - starts[i] > 1 && values.cost(starts[i], end) > worst_cost) {
        worst = i;
        worst_cost = values.cost(starts[i], end);
      }
    }
    const std::size_t begin = starts[worst];
    const std::size_t end = end_of(values, starts, worst);
    const std::size_t split =
        std::clamp(values.first_above(values.mean(begin, end)), begin + 1, end - 1);
    starts.insert(starts.begin() + std::ptrdiff_t(worst) + 1, split);
  }
  return starts;
}

}  // namespace assay

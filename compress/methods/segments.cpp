#include "compress/methods/segments.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace assay {

namespace {

constexpr double largest_integer = 127;

std::vector<Weighted> of_equal_importance(std::span<const float> values) {
  std::vector<Weighted> weighted;
  for (const float value : values)
    weighted.push_back({value, 1});
  return weighted;
}

}  // namespace

double nearest_integer(double centroid) {
  return std::clamp(std::round(centroid), -largest_integer, largest_integer);
}

SortedValues::SortedValues(std::span<const float> sorted)
    : SortedValues(of_equal_importance(sorted)) {}

SortedValues::SortedValues(std::span<const Weighted> sorted, Centroids centroids)
    : centroids_(centroids) {
  assert(std::ranges::is_sorted(sorted, {}, &Weighted::value));
  double mass = 0;
  for (const Weighted& number : sorted) {
    mass += number.importance;
    centre_ += number.importance * double(number.value);
  }
  if (mass > 0) centre_ /= mass;
  counts_ = {0};
  masses_ = sums_ = squares_ = {0};
  for (std::size_t i = 0; i < sorted.size();) {
    const double value = sorted[i].value;
    mass = 0;
    for (; i < sorted.size() && double(sorted[i].value) == value; ++i)
      mass += sorted[i].importance;
    const double distance = value - centre_;
    values_.push_back(value);
    counts_.push_back(i);
    masses_.push_back(masses_.back() + mass);
    sums_.push_back(sums_.back() + mass * distance);
    squares_.push_back(squares_.back() + mass * distance * distance);
  }
}

double SortedValues::mean(std::size_t begin, std::size_t end) const {
  const double mass = masses_[end] - masses_[begin];
  // Beside much larger masses this one can be lost in rounding.
  if (!(mass > 0)) return values_[begin];
  const double mean = centre_ + (sums_[end] - sums_[begin]) / mass;
  // Rounding must not move a mean out of its segment, nor to the other side of 0.
  return std::clamp(mean, values_[begin], values_[end - 1]);
}

double SortedValues::cost(std::size_t begin, std::size_t end) const {
  const double mass = masses_[end] - masses_[begin];
  if (!(mass > 0)) return 0;
  const double sum = sums_[end] - sums_[begin];
  const double about_mean = std::max(squares_[end] - squares_[begin] - sum * sum / mass, 0.0);
  if (centroids_ == Centroids::real) return about_mean;
  const double mean = this->mean(begin, end);
  const double moved = mean - nearest_integer(mean);
  return about_mean + mass * moved * moved;
}

std::size_t SortedValues::first_above(double limit) const {
  return std::size_t(std::ranges::upper_bound(values_, limit) - values_.begin());
}

std::vector<double> centroids_of(const SortedValues& values, const Segments& segments) {
  std::vector<double> centroids;
  for (std::size_t i = 0; i < segments.size(); ++i)
    centroids.push_back(values.centroid(segments[i], end_of(values, segments, i)));
  return centroids;
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

// Clusters of sorted numbers. In one dimension every cluster of a best clustering is a run of
// neighbours, so a clustering is a list of where its segments start. Pure functions and const
// members, thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace assay {

/// Sorted distinct values, each with how often it occurs. Sums over a run of them take constant
/// time; they are kept in double and about the mean, so that large offsets do not cost digits.
class SortedValues {
 public:
  /// `sorted` is ascending and finite; equal values become one.
  explicit SortedValues(std::span<const float> sorted);

  std::size_t distinct() const { return values_.size(); }
  std::size_t total() const { return static_cast<std::size_t>(counts_.back()); }
  double value(std::size_t index) const { return values_[index]; }
  double count(std::size_t index) const { return counts_[index + 1] - counts_[index]; }
  /// How many of the numbers are among the first `end` distinct values.
  double count_before(std::size_t end) const { return counts_[end]; }
  double mean(std::size_t begin, std::size_t end) const;
  /// Sum of squared distances to the mean; of the values [begin, end), which are not none.
  double cost(std::size_t begin, std::size_t end) const {
    const double sum = sums_[end] - sums_[begin];
    const double squares = squares_[end] - squares_[begin];
    const double cost = squares - sum * sum / (counts_[end] - counts_[begin]);
    return cost > 0 ? cost : 0;
  }
  /// The first value above `limit`, or distinct().
  std::size_t first_above(double limit) const;

 private:
  std::vector<double> values_;
  double centre_ = 0;
  std::vector<double> counts_, sums_, squares_;  // of the first i distinct values, about centre_
};

/// Where each segment starts: 0 first, strictly ascending. The last ends with the values.
using Segments = std::vector<std::size_t>;

/// The end of segment `index`.
inline std::size_t end_of(const SortedValues& values, const Segments& segments, std::size_t index) {
  return index + 1 < segments.size() ? segments[index + 1] : values.distinct();
}

/// The mean of each segment, ascending.
std::vector<double> means_of(const SortedValues& values, const Segments& segments);

/// The segments of the values nearest to each of the ascending `centroids`; of two equally near the
/// lower. A centroid without values starts where its upper neighbour does, so this may repeat.
std::vector<std::size_t> nearest_starts(const SortedValues& values,
                                        std::span<const double> centroids);

/// Removes empty segments and then splits, at its mean, the segment of the largest cost until there
/// are `count` of them; at most as many as distinct values.
Segments refill(const SortedValues& values, std::vector<std::size_t> starts, std::size_t count);

}  // namespace assay

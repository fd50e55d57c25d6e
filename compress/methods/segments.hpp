// Clusters of sorted numbers. In one dimension every cluster of a best clustering is a run of
// neighbours, so a clustering is a list of where its segments start. Pure functions and const
// members, thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace assay {

/// A number and how much its squared distances count, above 0.
struct Weighted {
  float value = 0;
  double importance = 1;
};

/// What the values of a segment may stand for.
enum class Centroids {
  real,
  integer,  ///< within [-127, 127]
};

/// The nearest integer that a centroid may be, of halves the one away from 0.
double nearest_integer(double centroid);

/// Sorted distinct values, each with how often it occurs and what that counts for. Sums over a run
/// of them take constant time; they are kept in double and about the mean, so that large offsets do
/// not cost digits.
class SortedValues {
 public:
  /// `sorted` is ascending and finite; equal values become one.
  explicit SortedValues(std::span<const Weighted> sorted, Centroids centroids = Centroids::real);
  /// Each number counts for 1.
  explicit SortedValues(std::span<const float> sorted);

  std::size_t distinct() const { return values_.size(); }
  std::size_t total() const { return counts_.back(); }
  double value(std::size_t index) const { return values_[index]; }
  /// How many of the numbers are among the first `end` distinct values.
  std::size_t count_before(std::size_t end) const { return counts_[end]; }
  /// What the numbers of one distinct value count for together, and those of the first `end`.
  double mass(std::size_t index) const { return masses_[index + 1] - masses_[index]; }
  double mass_before(std::size_t end) const { return masses_[end]; }
  double mean(std::size_t begin, std::size_t end) const;
  /// The best centroid of the values [begin, end): their mean, or the integer nearest to it.
  double centroid(std::size_t begin, std::size_t end) const {
    const double mean = this->mean(begin, end);
    return centroids_ == Centroids::real ? mean : nearest_integer(mean);
  }
  /// Sum of squared distances to that centroid; of the values [begin, end), which are not none.
  double cost(std::size_t begin, std::size_t end) const;
  /// The first value above `limit`, or distinct().
  std::size_t first_above(double limit) const;

 private:
  std::vector<double> values_;
  Centroids centroids_ = Centroids::real;
  double centre_ = 0;
  std::vector<std::size_t> counts_;              // of the first i distinct values
  std::vector<double> masses_, sums_, squares_;  // of the same, about centre_
};

/// Where each segment starts: 0 first, strictly ascending. The last ends with the values.
using Segments = std::vector<std::size_t>;

/// The end of segment `index`.
inline std::size_t end_of(const SortedValues& values, const Segments& segments, std::size_t index) {
  return index + 1 < segments.size() ? segments[index + 1] : values.distinct();
}

/// The centroid of each segment, ascending.
std::vector<double> centroids_of(const SortedValues& values, const Segments& segments);

/// The segments of the values nearest to each of the ascending `centroids`; of two equally near the
/// lower. A centroid without values starts where its upper neighbour does, so this may repeat.
std::vector<std::size_t> nearest_starts(const SortedValues& values,
                                        std::span<const double> centroids);

/// Removes empty segments and then splits, at its mean, the segment of the largest cost until there
/// are `count` of them; at most as many as distinct values.
Segments refill(const SortedValues& values, std::vector<std::size_t> starts, std::size_t count);

}  // namespace assay

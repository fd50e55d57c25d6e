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

namespace {

using Indices = std::vector<std::size_t>;

/// Row minima of a totally monotone matrix given by entry(row, column): columns[r] becomes the
/// leftmost column with the least entry of row r.
template <class Entry>
class RowMinima {
 public:
  RowMinima(const Entry& entry, std::size_t rows) : entry_(entry), minima_(rows) {}

  Indices find(const Indices& rows, const Indices& columns) && {
    search(rows, columns);
    return std::move(minima_);
  }

 private:
  /// Drops columns that hold no row's minimum until there are no more than rows.
  Indices reduce(const Indices& rows, const Indices& columns) const {
    Indices kept;
    for (const std::size_t column : columns) {
      while (!kept.empty()) {
        const std::size_t row = rows[kept.size() - 1];
        if (entry_(row, kept.back()) <= entry_(row, column)) break;
        kept.pop_back();
      }
      if (kept.size() < rows.size()) kept.push_back(column);
    }
    return kept;
  }

  void search(const Indices& rows, const Indices& all_columns) {
    if (rows.empty()) return;
    const Indices columns = reduce(rows, all_columns);
    Indices odd_rows;
    for (std::size_t i = 1; i < rows.size(); i += 2)
      odd_rows.push_back(rows[i]);
    search(odd_rows, columns);
    // The minimum of an even row lies between those of its neighbours.
    std::size_t column = 0;
    for (std::size_t i = 0; i < rows.size(); i += 2) {
      const std::size_t last = i + 1 < rows.size() ? minima_[rows[i + 1]] : columns.back();
      std::size_t best = columns[column];
      double least = entry_(rows[i], best);
      while (columns[column] != last) {
        const double candidate = entry_(rows[i], columns[++column]);
        if (candidate >= least) continue;
        least = candidate;
        best = columns[column];
      }
      minima_[rows[i]] = best;
    }
  }

  const Entry& entry_;
  Indices minima_;
};

constexpr double impossible = 1e300;

/// Segments of the values [begin, end), appended to `starts`.
void append_best(const SortedValues& values, std::size_t begin, std::size_t end, std::size_t count,
                 Segments& starts) {
  if (count == 1) return starts.push_back(begin);
  const std::size_t size = end - begin;
  if (count == size) {
    for (std::size_t i = begin; i < end; ++i)
      starts.push_back(i);
    return;
  }
  const std::size_t half = count / 2;
  // costs[i]: of the first i + segments values in `segments` segments; there are `slack` + 1 such
  // i, since every later segment needs a value too. middle[i]: values in the first `half` of them.
  const std::size_t slack = size - count;
  Indices rows(slack + 1);
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<double> costs(slack + 1), next(slack + 1);
  Indices middle(slack + 1), next_middle(slack + 1);
  for (std::size_t i = 0; i <= slack; ++i) {
    costs[i] = values.cost(begin, begin + i + 1);
    middle[i] = i + 1;
  }
  for (std::size_t segments = 2; segments <= count; ++segments) {
    const std::size_t base = begin + segments;
    const auto entry = [&](std::size_t row, std::size_t column) {
      if (column > row) return impossible;
      return costs[column] + values.cost(base - 1 + column, base + row);
    };
    const Indices chosen = RowMinima(entry, slack + 1).find(rows, rows);
    for (std::size_t i = 0; i <= slack; ++i) {
      next[i] = entry(i, chosen[i]);
      next_middle[i] = segments <= half ? i + segments : middle[chosen[i]];
    }
    costs.swap(next);
    middle.swap(next_middle);
  }
  const std::size_t boundary = begin + middle[slack];
  append_best(values, begin, boundary, half, starts);
  append_best(values, boundary, end, count - half, starts);
}

}  // namespace

Segments best_segments(const SortedValues& values, std::size_t count) {
  assert(count >= 1 && count <= values.distinct());
  Segments starts;
  append_best(values, 0, values.distinct(), count, starts);
  return starts;
}

}  // namespace assay

#include "compress/methods/best_segments.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <deque>
#include <numeric>

namespace assay {
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

/// The last segments of the best segmentations of all prefixes.
class PenalizedSearch {
 public:
  PenalizedSearch(const SortedValues& values, double penalty)
      : values_(values),
        penalty_(penalty),
        best_(values.distinct() + 1, 0),
        starts_(values.distinct() + 1, 0) {}

  Segments run() {
    const std::size_t size = values_.distinct();
    queue_ = {{0, 1}};
    for (std::size_t end = 1; end <= size; ++end) {
      while (queue_.size() > 1 && queue_[1].first_end <= end)
        queue_.pop_front();
      starts_[end] = queue_.front().start;
      best_[end] = total(starts_[end], end);
      if (end < size) push(end);
    }
    Segments segments;
    for (std::size_t end = size; end > 0; end = starts_[end])
      segments.push_back(starts_[end]);
    std::ranges::reverse(segments);
    return segments;
  }

 private:
  /// `start` is the best start of a last segment for the ends from first_end to the next entry's.
  struct Run {
    std::size_t start;
    std::size_t first_end;
  };

  double total(std::size_t start, std::size_t end) const {
    return best_[start] + values_.cost(start, end) + penalty_;
  }

  /// Gives a new start the ends it is best for: all from some end on, or none.
  void push(std::size_t start) {
    const auto beats_last_at = [&](std::size_t end) {
      return total(start, end) < total(queue_.back().start, end);
    };
    while (queue_.back().first_end > start && beats_last_at(queue_.back().first_end))
      queue_.pop_back();
    std::size_t low = std::max(queue_.back().first_end, start);
    std::size_t high = values_.distinct() + 1;
    while (high - low > 1) {
      const std::size_t middle = std::midpoint(low, high);
      (beats_last_at(middle) ? high : low) = middle;
    }
    if (high <= values_.distinct()) queue_.push_back({start, high});
  }

  const SortedValues& values_;
  double penalty_;
  std::vector<double> best_;  // of each prefix, with penalties
  Indices starts_;            // of the last segment of each prefix
  std::deque<Run> queue_;
};

}  // namespace

Segments penalized_segments(const SortedValues& values, double penalty) {
  return PenalizedSearch(values, penalty).run();
}

Segments segments_by_rows(const SortedValues& values, std::size_t count) {
  assert(count >= 1 && count <= values.distinct());
  Segments starts;
  append_best(values, 0, values.distinct(), count, starts);
  return starts;
}

Segments best_segments(const SortedValues& values, std::size_t count) {
  assert(count >= 1 && count <= values.distinct());
  // A smooth density has k segments at penalties from some size to about 1 + 3 / k times that, so
  // bisecting the exponent soon meets one.
  double low = -60;
  double high = 1;
  const double scale = values.cost(0, values.distinct());
  for (int step = 0; step < 30 && count > 1 && count < values.distinct(); ++step) {
    const double middle = std::midpoint(low, high);
    Segments segments = penalized_segments(values, scale * std::exp2(middle));
    if (segments.size() == count) return segments;
    (segments.size() > count ? low : high) = middle;
  }
  return segments_by_rows(values, count);
}

}  // namespace assay

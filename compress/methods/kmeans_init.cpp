#include "compress/methods/kmeans_init.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace assay {
namespace {

/// `count` numbers, evenly from `first` to `last`; one alone is `first`.
std::vector<double> evenly(double first, double last, std::size_t count) {
  std::vector<double> numbers{first};
  for (std::size_t i = 1; i < count; ++i)
    numbers.push_back(first + (last - first) * double(i) / double(count - 1));
  return numbers;
}

/// The distinct value that the weight number `rank` of all in order has.
std::size_t value_at_rank(const SortedValues& values, std::uint64_t rank) {
  std::size_t low = 0;
  std::size_t high = values.distinct();
  while (high - low > 1) {
    const std::size_t middle = std::midpoint(low, high);
    (values.count_before(middle) <= double(rank) ? low : high) = middle;
  }
  return low;
}

/// Deals weights as from a shuffled pack until k different ones are out.
std::vector<double> drawn(const SortedValues& values, std::size_t k, Random& random) {
  std::vector<std::uint32_t> ranks(values.total());
  std::iota(ranks.begin(), ranks.end(), 0);
  std::vector<bool> taken(values.distinct(), false);
  std::vector<double> centroids;
  for (std::size_t i = 0; centroids.size() < k; ++i) {
    std::swap(ranks[i], ranks[i + random.below(ranks.size() - i)]);
    const std::size_t index = value_at_rank(values, ranks[i]);
    if (taken[index]) continue;
    taken[index] = true;
    centroids.push_back(values.value(index));
  }
  std::ranges::sort(centroids);
  return centroids;
}

/// F(v_i) is the share of weights up to v_i; between values F is linear, below the first it is
/// constant.
double inverse_distribution(const SortedValues& values, double share) {
  const double rank = share * double(values.total());
  std::size_t index = 0;
  while (index + 1 < values.distinct() && values.count_before(index + 1) < rank)
    ++index;
  if (index == 0) return values.value(0);
  const double above = (rank - values.count_before(index)) / values.count(index);
  return std::lerp(values.value(index - 1), values.value(index), std::min(above, 1.0));
}

std::vector<double> by_density(const SortedValues& values, std::size_t k) {
  std::vector<double> centroids;
  for (const double share : evenly(0.01, 1, k))
    centroids.push_back(inverse_distribution(values, share));
  return centroids;
}

std::vector<double> spread(const SortedValues& values, std::size_t k, Random& random) {
  std::vector<double> centroids;
  std::vector<double> mass(values.distinct(), std::numeric_limits<double>::infinity());
  std::size_t chosen = value_at_rank(values, random.below(values.total()));
  for (;;) {
    centroids.push_back(values.value(chosen));
    if (centroids.size() == k) break;
    double total = 0;
    for (std::size_t i = 0; i < mass.size(); ++i) {
      const double distance = values.value(i) - centroids.back();
      mass[i] = std::min(mass[i], values.count(i) * distance * distance);
      total += mass[i];
    }
    // The last value with any mass stands for a draw that rounding puts beyond the total.
    double left = random.unit() * total;
    for (std::size_t i = 0; i < mass.size(); ++i) {
      if (mass[i] > 0) chosen = i;
      left -= mass[i];
      if (left < 0) break;
    }
  }
  std::ranges::sort(centroids);
  return centroids;
}

}  // namespace

std::vector<double> initial_centroids(const SortedValues& values, std::size_t k, KmeansInit init,
                                      Random& random) {
  switch (init) {
    case KmeansInit::random:
      return drawn(values, k, random);
    case KmeansInit::density:
      return by_density(values, k);
    case KmeansInit::plus_plus:
      return spread(values, k, random);
    case KmeansInit::linear:
    case KmeansInit::exact:
      break;
  }
  return evenly(values.value(0), values.value(values.distinct() - 1), k);
}

}  // namespace assay

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
    (values.count_before(middle) <= rank ? low : high) = middle;
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

/// F(v_i) is the share of the mass up to v_i; between values F is linear, below the first it is
/// constant.
double inverse_distribution(const SortedValues& values, double share) {
  const double limit = share * values.mass_before(values.distinct());
  std::size_t index = 0;
  while (index + 1 < values.distinct() && values.mass_before(index + 1) < limit)
    ++index;
  if (index == 0) return values.value(0);
  const double above = (limit - values.mass_before(index)) / values.mass(index);
  return std::lerp(values.value(index - 1), values.value(index), std::min(above, 1.0));
}

std::vector<double> by_density(const SortedValues& values, std::size_t k) {
  std::vector<double> centroids;
  for (const double share : evenly(0.01, 1, k))
    centroids.push_back(inverse_distribution(values, share));
  return centroids;
}

/// A place drawn in proportion to what it has. The last one with anything stands for a draw that
/// rounding puts beyond the total.
std::size_t draw(const std::vector<double>& shares, Random& random) {
  double left = random.unit() * std::accumulate(shares.begin(), shares.end(), 0.0);
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] > 0) chosen = i;
    left -= shares[i];
    if (left < 0) break;
  }
  return chosen;
}

std::vector<double> spread(const SortedValues& values, std::size_t k, Random& random) {
  std::vector<double> masses;
  for (std::size_t i = 0; i < values.distinct(); ++i)
    masses.push_back(values.mass(i));
  std::vector<double> centroids{values.value(draw(masses, random))};
  std::vector<double> errors(masses.size(), std::numeric_limits<double>::infinity());
  while (centroids.size() < k) {
    for (std::size_t i = 0; i < errors.size(); ++i) {
      const double distance = values.value(i) - centroids.back();
      errors[i] = std::min(errors[i], masses[i] * distance * distance);
    }
    centroids.push_back(values.value(draw(errors, random)));
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

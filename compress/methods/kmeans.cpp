#include "compress/methods/kmeans.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "compress/methods/best_segments.hpp"
#include "compress/methods/kmeans_init.hpp"
#include "compress/methods/segments.hpp"

namespace assay {
namespace {

/// How many weights have each sign, and how many centroids each sign gets.
struct Signs {
  std::size_t negative = 0;
  std::size_t zero = 0;
  std::size_t positive = 0;
};

Signs count_signs(std::span<const float> weights) {
  Signs signs;
  for (const float weight : weights)
    ++(weight < 0 ? signs.negative : weight > 0 ? signs.positive : signs.zero);
  return signs;
}

Signs share_centroids(const Signs& weights, int k) {
  const std::size_t both = weights.negative + weights.positive;
  if (both == 0) return {0, 1, 0};
  const auto others = std::size_t(k - 1);
  const auto share =
      std::size_t(std::llround(double(others) * double(weights.negative) / double(both)));
  const std::size_t least = weights.negative > 0 ? 1 : 0;
  const std::size_t most = weights.positive > 0 ? others - 1 : others;
  const std::size_t negative = std::clamp(share, least, most);
  return {negative, 1, others - negative};
}

/// Centroids of sorted weights; none for no weights.
struct Side {
  std::vector<double> centroids;
  int merged = 0;
  int iterations = 0;
};

/// How many integers the values round to.
std::size_t count_integers(const SortedValues& values) {
  std::size_t count = 1;
  for (std::size_t i = 1; i < values.distinct(); ++i)
    count += nearest_integer(values.value(i)) != nearest_integer(values.value(i - 1));
  return count;
}

Side best_side(std::span<const Weighted> sorted, std::size_t k, bool integers) {
  const SortedValues values(sorted, integers ? Centroids::integer : Centroids::real);
  const std::size_t wanted = std::min(k, values.distinct());
  const std::size_t useful = integers ? std::min(wanted, count_integers(values)) : wanted;
  return {centroids_of(values, best_segments(values, useful)), int(wanted - useful), 0};
}

// Each iteration lowers the error, so it ends by itself; the limit guards against rounding.
constexpr int most_iterations = 100'000;

Side cluster_side(std::span<const Weighted> sorted, std::size_t k, const KmeansOptions& options,
                  Random& random) {
  if (sorted.empty()) return {};
  if (options.init == KmeansInit::exact) return best_side(sorted, k, options.integers);
  const SortedValues values(sorted);
  k = std::min(k, values.distinct());
  Side side{initial_centroids(values, k, options.init, random), 0, 0};
  Segments segments;
  while (side.iterations < most_iterations) {
    Segments moved = refill(values, nearest_starts(values, side.centroids), k);
    if (moved == segments) break;
    segments = std::move(moved);
    side.centroids = centroids_of(values, segments);
    ++side.iterations;
  }
  return side;
}

/// The index among the ascending centroids [first, last); of two equally near the lower.
std::uint32_t nearest(const std::vector<double>& centroids, double value, std::size_t first,
                      std::size_t last) {
  const auto begin = centroids.begin() + std::ptrdiff_t(first);
  const auto end = centroids.begin() + std::ptrdiff_t(last);
  auto found = std::lower_bound(begin, end, value);
  const bool below_is_nearer =
      found == end || (found != begin && value <= std::midpoint(*(found - 1), *found));
  if (below_is_nearer) --found;
  return std::uint32_t(found - centroids.begin());
}

/// Each weight's centroid, among those of its sign when the centroid `zero` belongs to the zeros.
void assign(std::span<const float> weights, std::optional<std::size_t> zero, Clusters& clusters) {
  const std::size_t k = clusters.centroids.size();
  for (const float weight : weights) {
    if (zero && weight == 0)
      clusters.assignment.push_back(std::uint32_t(*zero));
    else if (zero && weight < 0)
      clusters.assignment.push_back(nearest(clusters.centroids, weight, 0, *zero));
    else
      clusters.assignment.push_back(nearest(clusters.centroids, weight, zero ? *zero + 1 : 0, k));
  }
}

/// Makes integers of the centroids, one of equal ones, and none of one whose weights are as near to
/// its neighbour and went there.
void round_centroids(Clusters& clusters) {
  std::vector<bool> used(clusters.centroids.size(), false);
  for (const std::uint32_t index : clusters.assignment)
    used[index] = true;
  std::vector<double> rounded;
  std::vector<std::uint32_t> place;  // of each old centroid
  for (std::size_t i = 0; i < clusters.centroids.size(); ++i) {
    const double integer = nearest_integer(clusters.centroids[i]);
    if (used[i] && (rounded.empty() || rounded.back() != integer)) rounded.push_back(integer);
    place.push_back(std::uint32_t(rounded.empty() ? 0 : rounded.size() - 1));
  }
  clusters.merged += int(clusters.centroids.size() - rounded.size());
  for (std::uint32_t& index : clusters.assignment)
    index = place[index];
  clusters.centroids = std::move(rounded);
}

double squared_error(std::span<const float> weights, std::span<const double> importance,
                     const Clusters& clusters) {
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double distance = double(weights[i]) - clusters.centroids[clusters.assignment[i]];
    sum += (importance.empty() ? 1 : importance[i]) * distance * distance;
  }
  return sum;
}

std::vector<Weighted> in_order(std::span<const float> weights, std::span<const double> importance) {
  std::vector<Weighted> sorted;
  for (std::size_t i = 0; i < weights.size(); ++i)
    sorted.push_back({weights[i], importance.empty() ? 1 : importance[i]});
  std::ranges::stable_sort(sorted, {}, &Weighted::value);
  return sorted;
}

}  // namespace

std::optional<std::string> why_not_clusterable(std::span<const float> weights,
                                               const KmeansOptions& options) {
  if (options.k < 1) return fmt::format("{} clusters are fewer than one", options.k);
  if (std::size_t(options.k) > weights.size())
    return fmt::format("{} weights are fewer than {} clusters", weights.size(), options.k);
  const Signs signs = count_signs(weights);
  const int needed = 1 + (signs.negative > 0) + (signs.positive > 0);
  if (options.preserve_zeros && signs.zero > 0 && options.k < needed)
    return fmt::format(
        "{} clusters are too few to keep zeros apart from weights of {}, which takes "
        "{}",
        options.k, needed == 3 ? "both signs" : "one sign", needed);
  return std::nullopt;
}

Result<Clusters> cluster_weights(std::span<const float> weights, const KmeansOptions& options,
                                 std::span<const double> importance) {
  assert(importance.empty() || importance.size() == weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (!std::isfinite(weights[i]))
      return fail(ErrorKind::bad_input,
                  fmt::format("cannot cluster weights of which number {} is {}", i, weights[i]));
  if (const auto why = why_not_clusterable(weights, options))
    return fail(ErrorKind::bad_input, "cannot cluster: " + *why);

  const std::vector<Weighted> sorted = in_order(weights, importance);
  const std::span<const Weighted> all(sorted);
  const Signs signs = count_signs(weights);
  Random random(options.seed);
  Clusters clusters;
  std::optional<std::size_t> zero;
  if (options.preserve_zeros && signs.zero > 0) {
    const Signs shares = share_centroids(signs, options.k);
    const Side below = cluster_side(all.first(signs.negative), shares.negative, options, random);
    const Side above = cluster_side(all.last(signs.positive), shares.positive, options, random);
    clusters.centroids = below.centroids;
    zero = clusters.centroids.size();
    clusters.centroids.push_back(0);
    clusters.centroids.insert(clusters.centroids.end(), above.centroids.begin(),
                              above.centroids.end());
    clusters.merged = below.merged + above.merged;
    clusters.iterations = std::max(below.iterations, above.iterations);
  } else {
    Side side = cluster_side(all, std::size_t(options.k), options, random);
    clusters.merged = side.merged;
    clusters.centroids = std::move(side.centroids);
    clusters.iterations = side.iterations;
  }
  assign(weights, zero, clusters);
  if (options.zero_smallest)
    *std::ranges::min_element(clusters.centroids, {}, [](double c) { return std::abs(c); }) = 0;
  if (options.integers) round_centroids(clusters);
  clusters.squared_error = squared_error(weights, importance, clusters);
  return clusters;
}

}  // namespace assay

// One-dimensional k-means over the weights of a layer. Pure functions, thread-safe; the same input
// and seed give the same result everywhere but for the rounding of doubles.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/methods/settings.hpp"
#include "harness/core/result.hpp"

namespace assay {

/// Where the centroids start. All but `exact` are then moved by Lloyd's iteration until no weight
/// changes its cluster.
enum class KmeansInit {
  linear,     ///< evenly from the least to the greatest weight (Han et al., 2016, section 3)
  random,     ///< k weights drawn without replacement, all different (Forgy)
  density,    ///< F^-1(y), y evenly from 0.01 to 1, F the empirical distribution, interpolated
  plus_plus,  ///< each next one drawn in proportion to its squared error (Arthur, 2007)
  exact,      ///< the least sum of squared errors there is (best_segments.hpp)
};

/// The words of JSON.
constexpr Words<KmeansInit, 5> kmeans_inits{{
    {KmeansInit::linear, "linear"},
    {KmeansInit::random, "random"},
    {KmeansInit::density, "density"},
    {KmeansInit::plus_plus, "k-means++"},
    {KmeansInit::exact, "exact"},
}};

struct KmeansOptions {
  int k = 16;
  KmeansInit init = KmeansInit::exact;
  /// When there are zeros, one centroid is 0, and the zeros and nothing else belong to it. Of the
  /// other k - 1, round((k - 1) * negative / (negative + positive)) are negative, at least one for
  /// each sign there is; each sign is clustered by itself, so `exact` is exact given that split.
  /// Without zeros there is nothing to preserve and all k centroids are free.
  bool preserve_zeros = false;
  /// The centroid nearest to 0 becomes 0 in the end, the lower of two equally near; its weights
  /// stay with it and count in the error.
  bool zero_smallest = false;
  /// Centroids are integers in [-127, 127]: `exact` finds the best of those, the others round their
  /// means in the end, halves away from 0. Those that become equal are merged, and their weights
  /// with them (a small centroid may so join the zeros).
  bool integers = false;
  std::uint64_t seed = 1;  ///< of random and plus_plus
};

struct Clusters {
  std::vector<double> centroids;  ///< ascending and different; fewer than k distinct weights
                                  ///< have one each
  std::vector<std::uint32_t> assignment;  ///< index of each weight's centroid; none is unused
  int merged = 0;            ///< fewer centroids than there would be if they were not integers
  double squared_error = 0;  ///< sum over the weights, each times its importance
  int iterations = 0;        ///< of Lloyd's, the more of the two signs; 0 for exact
};

/// Why these weights cannot have k clusters, as a sentence: k is below 1 or above their number, or
/// the zeros to preserve leave too few for the signs there are. Nothing when they can.
std::optional<std::string> why_not_clusterable(std::span<const float> weights,
                                               const KmeansOptions& options);

/// `importance` is how much the squared error of each weight counts, above 0; none: all alike. It
/// counts in the means, the errors and what density and plus_plus start from. Centroids are means
/// of their weights in double, or integers. A cluster that becomes empty takes part of the
/// one with the largest error, split at its mean. Time for n weights: O(n log n) to sort, then
/// O(k log n) an iteration; plus_plus O(k n); exact some ten times O(n log n), at worst O(k n):
/// seconds for n = 400 000 and k = 256 (best_segments.hpp).
/// Errors: bad_input as above, or for a weight that is not finite.
Result<Clusters> cluster_weights(std::span<const float> weights, const KmeansOptions& options,
                                 std::span<const double> importance = {});

}  // namespace assay

// Clusters against ones found by hand and by trying every partition.
#include "compress/methods/kmeans.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>

namespace assay {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr KmeansInit moving_inits[] = {KmeansInit::linear, KmeansInit::random, KmeansInit::density,
                                       KmeansInit::plus_plus};

std::vector<float> normal_weights(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.02F, 0.1F);
  std::vector<float> weights(count);
  for (float& weight : weights)
    weight = normal(random);
  return weights;
}

/// Few different values, zeros among them.
std::vector<float> coarse_weights(std::size_t count, std::mt19937& random) {
  std::vector<float> weights(count);
  for (float& weight : weights)
    weight = float(int(random() % 21) - 10);
  return weights;
}

double error_of(std::span<const double> values) {
  double mean = 0, error = 0;
  for (const double value : values)
    mean += value / double(values.size());
  for (const double value : values)
    error += (value - mean) * (value - mean);
  return error;
}

/// The least error of any partition of sorted values into at most k runs.
double least_error(std::span<const double> sorted, int k) {
  if (sorted.empty()) return 0;
  if (k == 1) return error_of(sorted);
  double least = error_of(sorted);
  for (std::size_t last = 1; last < sorted.size(); ++last)
    least = std::min(least, least_error(sorted.first(sorted.size() - last), k - 1) +
                                error_of(sorted.last(last)));
  return least;
}

double least_error_of(const std::vector<float>& weights, int k) {
  std::vector<double> sorted(weights.begin(), weights.end());
  std::ranges::sort(sorted);
  return least_error(sorted, k);
}

/// What holds for every result: ascending centroids, all in use, each weight with its nearest, and
/// the error that one adds up.
void expect_consistent(const std::vector<float>& weights, const Clusters& clusters) {
  ASSERT_EQ(clusters.assignment.size(), weights.size());
  EXPECT_TRUE(std::ranges::is_sorted(clusters.centroids, std::ranges::less_equal{}) ||
              clusters.centroids.size() == 1);
  std::vector<std::vector<double>> members(clusters.centroids.size());
  double error = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double own = std::abs(weights[i] - clusters.centroids[clusters.assignment[i]]);
    for (const double centroid : clusters.centroids)
      EXPECT_LE(own, std::abs(weights[i] - centroid) + 1e-12);
    members[clusters.assignment[i]].push_back(weights[i]);
    error += own * own;
  }
  EXPECT_NEAR(clusters.squared_error, error, 1e-9 * (1 + error));
  for (std::size_t i = 0; i < members.size(); ++i) {
    ASSERT_FALSE(members[i].empty());
    double mean = 0;
    for (const double value : members[i])
      mean += value / double(members[i].size());
    EXPECT_NEAR(clusters.centroids[i], mean, 1e-9);
  }
}

TEST(Kmeans, FindsTwoPairs) {
  const std::vector<float> weights{9, 1, 11, 3};
  for (const KmeansInit init : {KmeansInit::linear, KmeansInit::plus_plus, KmeansInit::exact}) {
    const auto clusters = cluster_weights(weights, {.k = 2, .init = init});
    ASSERT_TRUE(clusters) << clusters.error().message;
    EXPECT_THAT(clusters->centroids, ElementsAre(2, 10));
    EXPECT_THAT(clusters->assignment, ElementsAre(1, 0, 1, 0));
    EXPECT_EQ(clusters->squared_error, 4);
  }
}

TEST(Kmeans, OneClusterIsTheMean) {
  const std::vector<float> weights{1, 2, 6};
  for (const KmeansInit init : moving_inits) {
    const auto clusters = cluster_weights(weights, {.k = 1, .init = init});
    ASSERT_TRUE(clusters);
    EXPECT_THAT(clusters->centroids, ElementsAre(3));
    EXPECT_EQ(clusters->squared_error, 14);
  }
}

// Linear starts at 0, 50, 100: the middle one has no weight and takes over half of {0, 1, 2, 3}.
TEST(Kmeans, AnEmptyClusterSplitsTheWorst) {
  const auto clusters =
      cluster_weights(std::vector<float>{0, 1, 2, 3, 100}, {.k = 3, .init = KmeansInit::linear});
  ASSERT_TRUE(clusters);
  EXPECT_THAT(clusters->centroids, ElementsAre(0.5, 2.5, 100));
  EXPECT_EQ(clusters->squared_error, 1);
}

TEST(Kmeans, FewDifferentWeightsHaveACentroidEach) {
  for (const KmeansInit init : {KmeansInit::linear, KmeansInit::random, KmeansInit::density,
                                KmeansInit::plus_plus, KmeansInit::exact}) {
    const auto three =
        cluster_weights(std::vector<float>{5, -1, 5, 2, -1, 5}, {.k = 5, .init = init});
    ASSERT_TRUE(three);
    EXPECT_THAT(three->centroids, ElementsAre(-1, 2, 5));
    EXPECT_THAT(three->assignment, ElementsAre(2, 0, 2, 1, 0, 2));
    EXPECT_EQ(three->squared_error, 0);
    const auto one = cluster_weights(std::vector<float>(6, 0.3F), {.k = 4, .init = init});
    ASSERT_TRUE(one);
    EXPECT_THAT(one->centroids, ElementsAre(DoubleEq(0.3F)));
    EXPECT_EQ(one->squared_error, 0);
  }
  const auto zeros = cluster_weights(std::vector<float>{0.0F, -0.0F}, {.k = 2});
  ASSERT_TRUE(zeros);
  EXPECT_THAT(zeros->centroids, ElementsAre(0));
}

TEST(Kmeans, ExactIsTheBestOfAllPartitions) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 200; ++trial) {
    const auto count = std::size_t(1 + random() % 11);
    const auto weights =
        trial % 2 ? coarse_weights(count, random) : normal_weights(count, unsigned(trial));
    const int k = 1 + int(random() % std::min<std::size_t>(count, 6));
    const auto clusters = cluster_weights(weights, {.k = k});
    ASSERT_TRUE(clusters);
    const double least = least_error_of(weights, k);
    EXPECT_NEAR(clusters->squared_error, least, 1e-9 * (1 + least)) << trial;
    expect_consistent(weights, *clusters);
  }
}

// The quadratic recurrence, which needs neither SMAWK nor the halving.
TEST(Kmeans, ExactIsTheBestOfManyWeightsToo) {
  auto weights = normal_weights(400, 6);
  std::vector<double> sorted(weights.begin(), weights.end());
  std::ranges::sort(sorted);
  const std::size_t size = sorted.size();
  std::vector<std::vector<double>> cost(size + 1, std::vector<double>(size + 1, 0));
  for (std::size_t begin = 0; begin < size; ++begin) {
    double mean = 0, error = 0;
    for (std::size_t end = begin + 1; end <= size; ++end) {  // Welford's update
      const double distance = sorted[end - 1] - mean;
      mean += distance / double(end - begin);
      error += distance * (sorted[end - 1] - mean);
      cost[begin][end] = error;
    }
  }
  std::vector<double> best = cost[0];
  for (int k = 2; k <= 40; ++k) {
    std::vector<double> next = best;
    for (std::size_t end = 1; end <= size; ++end)
      for (std::size_t begin = 1; begin < end; ++begin)
        next[end] = std::min(next[end], best[begin] + cost[begin][end]);
    best = next;
    if (k % 13 != 3 && k != 2) continue;
    const auto clusters = cluster_weights(weights, {.k = k});
    ASSERT_TRUE(clusters);
    EXPECT_THAT(clusters->centroids, SizeIs(k));
    EXPECT_NEAR(clusters->squared_error, best[size], 1e-10) << k;
    expect_consistent(weights, *clusters);
  }
}

TEST(Kmeans, NoStartEndsBelowTheExactError) {
  std::mt19937 random(7);
  for (int trial = 0; trial < 60; ++trial) {
    const auto weights =
        trial % 3 ? normal_weights(300, unsigned(trial)) : coarse_weights(300, random);
    const int k = 2 + int(random() % 16);
    const bool preserve = trial % 2 == 0 && k > 2;
    const auto exact = cluster_weights(weights, {.k = k, .preserve_zeros = preserve});
    ASSERT_TRUE(exact);
    for (const KmeansInit init : moving_inits) {
      const auto clusters = cluster_weights(
          weights,
          {.k = k, .init = init, .preserve_zeros = preserve, .seed = std::uint64_t(trial)});
      ASSERT_TRUE(clusters);
      EXPECT_GE(clusters->squared_error, exact->squared_error * (1 - 1e-9) - 1e-12);
      EXPECT_EQ(clusters->centroids.size(), exact->centroids.size());
      if (!preserve) expect_consistent(weights, *clusters);
    }
  }
}

TEST(Kmeans, SurvivesALargeOffset) {
  std::vector<float> weights;
  for (int i = 0; i < 64; ++i)
    weights.push_back(16384.0F + 0.25F * float(i % 8) + (i % 2 ? 1024.0F : 0.0F));
  const auto clusters = cluster_weights(weights, {.k = 8});
  ASSERT_TRUE(clusters);
  EXPECT_THAT(clusters->centroids, SizeIs(8));
  EXPECT_EQ(clusters->squared_error, 0);
}

TEST(Kmeans, StartsAreDrawnFromTheSeed) {
  const auto weights = normal_weights(2000, 8);
  for (const KmeansInit init : {KmeansInit::random, KmeansInit::plus_plus}) {
    std::set<double> errors;
    for (const std::uint64_t seed : {1, 2, 3, 1}) {
      const auto clusters = cluster_weights(weights, {.k = 16, .init = init, .seed = seed});
      ASSERT_TRUE(clusters);
      errors.insert(clusters->squared_error);
    }
    EXPECT_THAT(errors, SizeIs(3));
  }
}

// 9 negative and 3 positive weights: of 7 centroids round(7 * 9 / 12) = 5 are negative.
TEST(Kmeans, PreservedZerosShareNoCentroid) {
  const std::vector<float> weights{-9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 0, 0, 1e-6F, 5, 7};
  for (const KmeansInit init : {KmeansInit::linear, KmeansInit::random, KmeansInit::density,
                                KmeansInit::plus_plus, KmeansInit::exact}) {
    const auto clusters = cluster_weights(weights, {.k = 8, .init = init, .preserve_zeros = true});
    ASSERT_TRUE(clusters);
    ASSERT_THAT(clusters->centroids, SizeIs(8));
    EXPECT_EQ(clusters->centroids[5], 0);
    EXPECT_LT(clusters->centroids[4], 0);
    EXPECT_GT(clusters->centroids[6], 0);
    for (std::size_t i = 0; i < weights.size(); ++i)
      EXPECT_EQ(clusters->assignment[i] == 5, weights[i] == 0) << i;
  }
}

TEST(Kmeans, EachSignHasACentroid) {
  std::vector<float> weights(100, -1);
  weights.push_back(0);
  weights.push_back(3);
  const auto clusters = cluster_weights(weights, {.k = 3, .preserve_zeros = true});
  ASSERT_TRUE(clusters);
  EXPECT_THAT(clusters->centroids, ElementsAre(-1, 0, 3));
}

TEST(Kmeans, WithoutZerosThereIsNothingToPreserve) {
  const auto clusters =
      cluster_weights(std::vector<float>{-2, -1, 4, 5}, {.k = 2, .preserve_zeros = true});
  ASSERT_TRUE(clusters);
  EXPECT_THAT(clusters->centroids, ElementsAre(-1.5, 4.5));
}

TEST(Kmeans, PreservesOneSignAndNothingElse) {
  const auto positive =
      cluster_weights(std::vector<float>{0, 1, 2, 9}, {.k = 3, .preserve_zeros = true});
  ASSERT_TRUE(positive);
  EXPECT_THAT(positive->centroids, ElementsAre(0, 1.5, 9));
  const auto negative =
      cluster_weights(std::vector<float>{0, -1, -2, -9}, {.k = 2, .preserve_zeros = true});
  ASSERT_TRUE(negative);
  EXPECT_THAT(negative->centroids, ElementsAre(-4, 0));
  const auto zeros = cluster_weights(std::vector<float>{0, 0, 0}, {.k = 2, .preserve_zeros = true});
  ASSERT_TRUE(zeros);
  EXPECT_THAT(zeros->centroids, ElementsAre(0));
}

TEST(Kmeans, TheSmallestCentroidBecomesZero) {
  const std::vector<float> weights{-10, -9, 1, 2, 10, 11};
  const auto clusters = cluster_weights(weights, {.k = 3, .zero_smallest = true});
  ASSERT_TRUE(clusters);
  EXPECT_THAT(clusters->centroids, ElementsAre(-9.5, 0, 10.5));
  EXPECT_THAT(clusters->assignment, ElementsAre(0, 0, 1, 1, 2, 2));
  EXPECT_EQ(clusters->squared_error, 0.5 + 1 + 4 + 0.5);
  const auto tie = cluster_weights(std::vector<float>{-2, 2}, {.k = 2, .zero_smallest = true});
  ASSERT_TRUE(tie);
  EXPECT_THAT(tie->centroids, ElementsAre(0, 2));
}

TEST(Kmeans, SaysWhatItCannotCluster) {
  const auto message = [](std::vector<float> weights, KmeansOptions options) {
    const auto clusters = cluster_weights(weights, options);
    EXPECT_FALSE(clusters);
    if (clusters) return std::string();
    EXPECT_EQ(clusters.error().kind, ErrorKind::bad_input);
    return clusters.error().message;
  };
  EXPECT_THAT(message({1, 2}, {.k = 0}), HasSubstr("0 clusters are fewer than one"));
  EXPECT_THAT(message({1, 2}, {.k = 3}), HasSubstr("2 weights are fewer than 3 clusters"));
  EXPECT_THAT(message({}, {.k = 1}), HasSubstr("0 weights are fewer than 1 clusters"));
  EXPECT_THAT(message({1, NAN}, {.k = 1}), HasSubstr("number 1 is nan"));
  EXPECT_THAT(message({-std::numeric_limits<float>::infinity()}, {.k = 1}),
              HasSubstr("number 0 is -inf"));
  EXPECT_THAT(message({-1, 0, 1}, {.k = 2, .preserve_zeros = true}),
              HasSubstr("2 clusters are too few to keep zeros apart from weights of both signs"));
  EXPECT_THAT(message({0, 1}, {.k = 1, .preserve_zeros = true}),
              HasSubstr("one sign, which takes 2"));
}

}  // namespace
}  // namespace assay

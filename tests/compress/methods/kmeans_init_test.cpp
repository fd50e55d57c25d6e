// Starts of k-means against ones computed by hand.
#include "compress/methods/kmeans_init.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>

namespace assay {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::SizeIs;

std::vector<double> start(std::vector<float> sorted, std::size_t k, KmeansInit init,
                          std::uint64_t seed = 1) {
  Random random(seed);
  return initial_centroids(SortedValues(sorted), k, init, random);
}

TEST(KmeansInit, LinearIsEven) {
  EXPECT_THAT(start({-1, 0, 0, 5}, 4, KmeansInit::linear), ElementsAre(-1, 1, 3, 5));
  EXPECT_THAT(start({-1, 5}, 1, KmeansInit::linear), ElementsAre(-1));
}

// F is 1/4 at 1, 2/4 at 2, 4/4 at 4. It reaches 0.505 a hundredth of the way from 2 to 4.
TEST(KmeansInit, DensityFollowsTheDistribution) {
  EXPECT_THAT(start({1, 2, 4, 4}, 3, KmeansInit::density),
              ElementsAre(1, DoubleNear(2.02, 1e-12), 4));
  EXPECT_THAT(start({1, 2, 4, 4}, 2, KmeansInit::density), ElementsAre(1, 4));
}

TEST(KmeansInit, RandomTakesDifferentWeights) {
  const std::vector<float> weights{1, 1, 1, 1, 1, 1, 2, 3, 4};
  std::map<double, int> first;
  for (std::uint64_t seed = 0; seed < 900; ++seed) {
    const auto three = start(weights, 3, KmeansInit::random, seed);
    EXPECT_THAT(std::set<double>(three.begin(), three.end()), SizeIs(3));
    ++first[start(weights, 1, KmeansInit::random, seed)[0]];
  }
  // Six of nine weights are 1: 600 of 900 draws, with a standard deviation of 14.
  EXPECT_NEAR(first[1], 600, 70);
  EXPECT_NEAR(first[4], 100, 50);
  EXPECT_THAT(start(weights, 4, KmeansInit::random), ElementsAre(1, 2, 3, 4));
}

TEST(KmeansInit, PlusPlusDrawsBySquaredDistance) {
  std::map<std::vector<double>, int> pairs;
  for (std::uint64_t seed = 0; seed < 3000; ++seed)
    ++pairs[start({0, 1, 3}, 2, KmeansInit::plus_plus, seed)];
  // Each weight is first in a third of the draws. After 0: 1 with 1/10, 3 with 9/10; after 1: 0
  // with 1/5, 3 with 4/5; after 3: 0 with 9/13, 1 with 4/13.
  EXPECT_NEAR((pairs[{0, 1}]), 1000 * (0.1 + 0.2), 80);
  EXPECT_NEAR((pairs[{0, 3}]), 1000 * (0.9 + 9.0 / 13), 120);
  EXPECT_NEAR((pairs[{1, 3}]), 1000 * (0.8 + 4.0 / 13), 120);
}

TEST(Random, IsTheGeneratorOfTheStandard) {
  // The 10 000th draw of a default-seeded std::mt19937_64, as the standard requires it.
  Random random(5489);
  for (int i = 0; i < 9999; ++i)
    random.unit();
  EXPECT_EQ(random.unit(), double(9981545732273789042ULL >> 11) / 9007199254740992.0);
}

TEST(Random, DrawsEveryNumberBelow) {
  Random random(1);
  std::map<std::uint64_t, int> counts;
  for (int i = 0; i < 6000; ++i)
    ++counts[random.below(6)];
  ASSERT_THAT(counts, SizeIs(6));
  for (const auto& [number, count] : counts)
    EXPECT_NEAR(count, 1000, 150) << number;
}

}  // namespace
}  // namespace assay

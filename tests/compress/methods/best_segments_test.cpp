// The two exact algorithms against each other and against trying every segmentation.
#include "compress/methods/best_segments.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

namespace assay {
namespace {

using ::testing::ElementsAre;

double cost_of(const SortedValues& values, const Segments& segments) {
  double cost = 0;
  for (std::size_t i = 0; i < segments.size(); ++i)
    cost += values.cost(segments[i], end_of(values, segments, i));
  return cost;
}

/// The least cost over all ways to start `count` segments, of which the first are given.
double least_cost(const SortedValues& values, Segments segments, std::size_t count) {
  if (segments.size() == count) return cost_of(values, segments);
  double least = 1e300;
  segments.push_back(0);
  for (std::size_t start = segments[segments.size() - 2] + 1; start < values.distinct(); ++start) {
    segments.back() = start;
    least = std::min(least, least_cost(values, segments, count));
  }
  return least;
}

std::vector<float> evenly_spaced(std::size_t count) {
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(float(i));
  return values;
}

std::vector<float> random_values(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(float(random() % 1000) * float(1 + random() % 5));
  std::ranges::sort(values);
  return values;
}

TEST(BestSegments, CostIsTheSumOfSquaredDistances) {
  const SortedValues values(std::vector<float>{1, 1, 4, 10});
  EXPECT_EQ(values.distinct(), 3U);
  EXPECT_EQ(values.total(), 4U);
  EXPECT_DOUBLE_EQ(values.mean(0, 2), 2);
  EXPECT_DOUBLE_EQ(values.cost(0, 2), 1 + 1 + 4);
  EXPECT_DOUBLE_EQ(values.cost(0, 3), 9 + 9 + 0 + 36);
  EXPECT_EQ(values.cost(2, 3), 0);
}

TEST(BestSegments, AreTheBestOfAll) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    const auto numbers = seed % 3 ? random_values(9, seed) : evenly_spaced(4 + seed % 6);
    const SortedValues values(numbers);
    for (std::size_t count = 1; count <= values.distinct(); ++count) {
      const double least = least_cost(values, {0}, count);
      const Segments best = best_segments(values, count);
      const Segments by_rows = segments_by_rows(values, count);
      EXPECT_EQ(best.size(), count);
      EXPECT_EQ(by_rows.size(), count);
      EXPECT_NEAR(cost_of(values, best), least, 1e-9 * (1 + least));
      EXPECT_NEAR(cost_of(values, by_rows), least, 1e-9 * (1 + least));
    }
  }
}

// Eight evenly spaced values: pairing any two neighbours costs the same, so between 8 single values
// and 4 pairs no penalty gives 5, 6 or 7 segments.
TEST(BestSegments, AreFoundWhereNoPenaltyGivesThem) {
  const SortedValues values(evenly_spaced(8));
  bool some_number_is_skipped = false;
  for (std::size_t count = 1; count <= 8; ++count) {
    bool found = false;
    for (double penalty = 0.01; penalty < 100; penalty *= 1.01)
      found = found || penalized_segments(values, penalty).size() == count;
    some_number_is_skipped = some_number_is_skipped || !found;
    EXPECT_EQ(best_segments(values, count).size(), count);
  }
  EXPECT_TRUE(some_number_is_skipped);
}

TEST(BestSegments, BothWaysCostTheSameForManyValues) {
  for (const std::size_t count : {2, 3, 16, 61, 256}) {
    const SortedValues values(random_values(3000, unsigned(count)));
    const double cost = cost_of(values, best_segments(values, count));
    EXPECT_NEAR(cost, cost_of(values, segments_by_rows(values, count)), 1e-9 * cost);
  }
}

// Two groups of two: one split gains 4 * 5^2 = 100, each further one 0.5.
TEST(BestSegments, APenaltyBuysSegmentsThatGainMore) {
  const SortedValues values(std::vector<float>{0, 1, 10, 11});
  EXPECT_THAT(penalized_segments(values, 101), ElementsAre(0));
  EXPECT_THAT(penalized_segments(values, 99), ElementsAre(0, 2));
  EXPECT_THAT(penalized_segments(values, 0.51), ElementsAre(0, 2));
  EXPECT_THAT(penalized_segments(values, 0.49), ElementsAre(0, 1, 2, 3));
}

TEST(BestSegments, RefillSplitsTheWorst) {
  const SortedValues values(std::vector<float>{0, 1, 2, 3, 100});
  EXPECT_THAT(refill(values, {0, 4, 4}, 3), ElementsAre(0, 2, 4));
  EXPECT_THAT(refill(values, {0, 5}, 1), ElementsAre(0));
}

}  // namespace
}  // namespace assay

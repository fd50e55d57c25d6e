// Weight scales against closed forms, brute force over a fine grid, and ternary by all subsets.
#include "compress/methods/weight_scale.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace assay {
namespace {

std::vector<float> normal_weights(std::size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, 0.1F);
  std::vector<float> weights(count);
  std::generate(weights.begin(), weights.end(), [&] { return normal(engine); });
  return weights;
}

/// The least squared error over a grid of scales from 1e-4 to 1 of the largest magnitude.
double grid_error(const std::vector<float>& weights, int bits) {
  float largest = 0;
  for (float weight : weights)
    largest = std::max(largest, std::abs(weight));
  double least = std::numeric_limits<double>::infinity();
  for (int i = 1; i <= 10'000; ++i)
    least = std::min(least, squared_error(weights, bits, largest * float(i) / 10'000));
  return least;
}

TEST(WeightLimit, IsTheLargestMagnitudeOfTheWidth) {
  EXPECT_EQ(weight_limit(8), 127);
  EXPECT_EQ(weight_limit(4), 7);
  EXPECT_EQ(weight_limit(2), 1);
}

TEST(SquaredError, IsTheSumByHand) {
  // At scale 0.5: 0.6 -> 1 (0.1 off), -0.2 -> 0 (0.2 off), 9 -> 7 * 0.5 (5.5 off).
  EXPECT_NEAR(squared_error(std::vector<float>{0.6F, -0.2F, 9}, 4, 0.5F), 0.01 + 0.04 + 30.25,
              1e-5);
}

TEST(WeightScale, MinMaxPutsTheLargestMagnitudeAtTheLimit) {
  const std::vector<float> weights{0.5F, -3.5F, 1};
  EXPECT_FLOAT_EQ(weight_scale(weights, 8, WeightObserver::min_max), 3.5F / 127);
  EXPECT_FLOAT_EQ(weight_scale(weights, 4, WeightObserver::min_max), 0.5F);
  EXPECT_FLOAT_EQ(weight_scale(weights, 2, WeightObserver::min_max), 3.5F);
}

TEST(WeightScale, ZerosHaveNone) {
  for (WeightObserver observer :
       {WeightObserver::min_max, WeightObserver::percentile, WeightObserver::mse})
    EXPECT_EQ(weight_scale(std::vector<float>{0, 0}, 4, observer), 0) << to_string(observer);
}

TEST(WeightScale, PercentileDropsOneInTenThousand) {
  std::vector<float> weights(20'000, 1);
  weights[7] = -50;
  weights[8] = 40;
  EXPECT_FLOAT_EQ(weight_scale(weights, 4, WeightObserver::percentile), 1.0F / 7);
  weights.resize(9'999);
  EXPECT_FLOAT_EQ(weight_scale(weights, 4, WeightObserver::percentile), 50.0F / 7);
}

TEST(WeightScale, TernaryByHand) {
  // Keeping {3}: 9 of 9 + 1 + 0.04; {3, 1}: 16 / 2 = 8; so 3 alone, at its own value.
  EXPECT_FLOAT_EQ(weight_scale(std::vector<float>{-3, 1, 0.2F}, 2, WeightObserver::mse), 3);
  // {2}: 4; {2, -1.5}: 12.25 / 2 = 6.1; {2, -1.5, 0.1}: 12.96 / 3 = 4.3.
  EXPECT_FLOAT_EQ(weight_scale(std::vector<float>{2, -1.5F, 0.1F}, 2, WeightObserver::mse), 1.75F);
}

TEST(WeightScale, TernaryIsTheBestOfAllSubsets) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const auto weights = normal_weights(10, seed);
    double best = 0;
    for (unsigned kept = 1; kept < 1024; ++kept) {
      double sum = 0;
      for (std::size_t i = 0; i < 10; ++i)
        if ((kept >> i & 1) != 0) sum += std::abs(double(weights[i]));
      best = std::max(best, sum * sum / __builtin_popcount(kept));
    }
    double energy = 0;
    for (float weight : weights)
      energy += double(weight) * weight;
    const float scale = weight_scale(weights, 2, WeightObserver::mse);
    EXPECT_NEAR(squared_error(weights, 2, scale), energy - best, 1e-7) << seed;
  }
}

TEST(WeightScale, AutomaticIsMinMaxAtEightBitsAndMseBelow) {
  const auto weights = normal_weights(50, 3);
  EXPECT_EQ(weight_scale(weights, 8, WeightObserver::automatic),
            weight_scale(weights, 8, WeightObserver::min_max));
  for (int bits : {4, 2})
    EXPECT_EQ(weight_scale(weights, bits, WeightObserver::automatic),
              weight_scale(weights, bits, WeightObserver::mse));
}

class LeastSquares : public ::testing::TestWithParam<int> {};

TEST_P(LeastSquares, NeverLosesToMinMaxNorToAFineGrid) {
  const int bits = GetParam();
  for (unsigned seed = 0; seed < 30; ++seed) {
    auto weights = normal_weights(1 + seed * 7, seed);
    if (seed % 3 == 0) weights[0] *= 10;  // an outlier
    const double error =
        squared_error(weights, bits, weight_scale(weights, bits, WeightObserver::mse));
    // The scale is rounded to float: 2^-24 of each weight.
    double energy = 0;
    for (float weight : weights)
      energy += double(weight) * weight;
    const double rounding = 1e-9 * energy;
    EXPECT_LE(error,
              squared_error(weights, bits, weight_scale(weights, bits, WeightObserver::min_max)) +
                  rounding)
        << seed;
    EXPECT_LE(error, grid_error(weights, bits) + rounding) << seed;
  }
}

TEST(WeightScale, ManyWeightsAtEightBitsComeNearAFineGrid) {
  for (unsigned seed = 0; seed < 3; ++seed) {
    auto weights = normal_weights(2'000, seed);
    weights[5] *= float(seed * 5 + 1);
    const float scale = weight_scale(weights, 8, WeightObserver::mse);
    EXPECT_LE(squared_error(weights, 8, scale), 1.02 * grid_error(weights, 8)) << seed;
    EXPECT_LE(squared_error(weights, 8, scale),
              squared_error(weights, 8, weight_scale(weights, 8, WeightObserver::min_max)));
  }
}

INSTANTIATE_TEST_SUITE_P(WeightScale, LeastSquares, ::testing::Values(8, 4, 2));

}  // namespace
}  // namespace assay

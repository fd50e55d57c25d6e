// Ranges of activations whose distribution is known.
#include "compress/methods/observer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace assay {
namespace {

Range observe(Observer kind, const std::vector<float>& values, int images) {
  RangeObserver observer(kind);
  observer.see(values, images);
  if (observer.needs_second_pass()) observer.see_again(values);
  return observer.range();
}

/// 0, 1/n, 2/n ... and one value far outside.
std::vector<float> ramp_with_outlier(int n, float outlier) {
  std::vector<float> values;
  for (int i = 0; i < n; ++i)
    values.push_back(float(i) / float(n));
  values.push_back(outlier);
  return values;
}

TEST(RangeObserver, MinMaxIsTheExtremes) {
  const Range range = observe(Observer::min_max, {-2, 5, 1, -3, 4, 0}, 2);
  EXPECT_EQ(range.low, -3);
  EXPECT_EQ(range.high, 5);
}

TEST(RangeObserver, EveryRangeHoldsZero) {
  for (Observer kind :
       {Observer::min_max, Observer::moving_average, Observer::percentile, Observer::mse}) {
    EXPECT_EQ(observe(kind, {2, 3, 4, 5}, 1).low, 0) << to_string(kind);
    EXPECT_EQ(observe(kind, {-2, -3, -4, -5}, 1).high, 0) << to_string(kind);
  }
}

TEST(RangeObserver, MovingAverageFollowsSlowly) {
  RangeObserver observer(Observer::moving_average);
  observer.see(std::vector<float>{-1, 1, -1, 2}, 2);  // two images
  const Range range = observer.range();
  EXPECT_NEAR(range.low, -1, 1e-6);
  EXPECT_NEAR(range.high, 0.99 * 1 + 0.01 * 2, 1e-6);
}

TEST(RangeObserver, PercentileLeavesOutliersOutside) {
  const std::vector<float> values = ramp_with_outlier(100'000, 3);
  const Range range = observe(Observer::percentile, values, 1);
  EXPECT_EQ(range.low, 0);
  // 99.995 % of the values lie below; a bin is 3 / 2048 wide.
  EXPECT_NEAR(range.high, 1, 2 * 3.0 / 2048);
}

TEST(RangeObserver, LeastSquaresClipsALoneOutlierButNotAFullRange) {
  // 1e5 values around 0.5 against one at 2.5: steps of 1/255 in place of 2.5/255 save
  // 1e5 * (2.5^2 - 1) / (12 * 255^2) = 0.67 in squared error and clipping costs at most 1.5^2.
  const std::vector<float> rare = ramp_with_outlier(100'000, 2.5F);
  const float clipped = observe(Observer::mse, rare, 1).high;
  EXPECT_LT(clipped, 2.5F);
  const std::vector<float> none = ramp_with_outlier(100'000, 1);
  EXPECT_GT(observe(Observer::mse, none, 1).high, 0.97F);
}

TEST(RangeObserver, ConstantZeroIsAnEmptyRange) {
  for (Observer kind : {Observer::min_max, Observer::percentile, Observer::mse}) {
    const Range range = observe(kind, {0, 0, 0}, 1);
    EXPECT_NEAR(range.low, 0, 1e-6) << to_string(kind);
    EXPECT_NEAR(range.high, 0, 1e-6) << to_string(kind);
  }
}

}  // namespace
}  // namespace assay

#include "harness/plan/fit.hpp"

#include <gtest/gtest.h>

namespace assay {
namespace {

TEST(Fit, IsEstimatedBeforeTraining) {
  const auto config = Config::from({{"student.cut", 4}, {"student.fewer_filters_pct", 50}});
  const auto type = find_board_type("stm32f030cc");
  ASSERT_TRUE(type) << type.error().message;
  const auto fit = estimate_fit(config, *type);
  ASSERT_TRUE(fit) << fit.error().message;
  EXPECT_TRUE(fit->fits());
  EXPECT_EQ(fit->sentence(), "fits");
}

/// Weights of four, two and one bytes, and activations of four.
TEST(Fit, KnowsTheSchemesThatComputeInFloat) {
  const auto type = find_board_type("stm32f405");
  ASSERT_TRUE(type) << type.error().message;
  const auto fit_of = [&](const char* scheme) {
    return *estimate_fit(Config::from({{"student.cut", 4}, {"quantize.scheme", scheme}}), *type);
  };
  const auto int8 = fit_of("int8"), dynamic = fit_of("dynamic"), float16 = fit_of("float16"),
             float32 = fit_of("none");
  const Bytes weights = float16.flash_needed - dynamic.flash_needed;
  EXPECT_GT(weights, Bytes(10'000));
  const Bytes rest = float32.flash_needed - float16.flash_needed - weights;
  EXPECT_NEAR(double(rest.count()), double(weights.count()), 0.1 * double(weights.count()));
  EXPECT_EQ(float32.ram_needed, float16.ram_needed);
  EXPECT_EQ(float32.ram_needed, dynamic.ram_needed);
  EXPECT_GT(float32.ram_needed, int8.ram_needed + int8.ram_needed);
}

TEST(Fit, SaysByHowMuchItMisses) {
  FitEstimate estimate{Bytes(1100), Bytes(1100), Bytes(1000), Bytes(70), Bytes(64)};
  EXPECT_FALSE(estimate.fits());
  EXPECT_EQ(estimate.sentence(), "misses by 100 bytes of flash and misses by 6 bytes of RAM");

  // Whether pruned weights take less is not known before they are trained.
  estimate.least_flash = Bytes(900);
  estimate.ram_needed = Bytes(60);
  EXPECT_TRUE(estimate.fits());
  EXPECT_EQ(estimate.sentence(), "misses by at most 100 bytes of flash");
}

TEST(Fit, IsLeftOpenOnlyWhereWeightsMayTakeLess) {
  const auto type = find_board_type("stm32f030cc");
  ASSERT_TRUE(type) << type.error().message;
  const auto plain = estimate_fit(Config::from({}), *type);
  const auto pruned = estimate_fit(Config::from({{"prune.sparsity", 0.9}}), *type);
  ASSERT_TRUE(plain && pruned);
  EXPECT_EQ(plain->least_flash, plain->flash_needed);
  EXPECT_EQ(pruned->flash_needed, plain->flash_needed);
  EXPECT_LE(pruned->least_flash, plain->flash_needed);
}

}  // namespace
}  // namespace assay

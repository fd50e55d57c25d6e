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

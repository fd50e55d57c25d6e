#include "harness/plan/fit.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

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

TEST(Fit, KnowsTheBudgetsOfTheGoal) {
  const auto type = find_board_type("stm32f405");
  ASSERT_TRUE(type) << type.error().message;
  const auto config = Config::from({{"student.cut", 4}});
  const auto fit_of = [&](const DeployGoal& goal) { return *estimate_fit(config, *type, goal); };
  const auto free = fit_of({});
  EXPECT_FALSE(free.ram_budget || free.flash_budget);
  DeployGoal goal;
  goal.ram_budget = Bytes(100'000);
  const Bytes whole = fit_of(goal).ram_budget->needed;
  EXPECT_EQ(fit_of(goal).sentence(), "fits");
  // In strips it needs less; they are exact, and so is what they miss by.
  goal.ram_budget = whole - Bytes(1);
  EXPECT_EQ(fit_of(goal).sentence(), "fits");
  EXPECT_LT(fit_of(goal).ram_budget->needed, whole);
  EXPECT_LT(fit_of(goal).ram_needed, free.ram_needed);
  goal.ram_budget = Bytes(1);
  const auto least = fit_of(goal);
  EXPECT_FALSE(least.fits());
  EXPECT_EQ(least.sentence(), fmt::format("misses the RAM budget by {} bytes",
                                          (least.ram_budget->needed - Bytes(1)).count()));

  // The code of the layers is an allowance: between the constants and both nothing is certain.
  goal = {};
  goal.flash_budget = Bytes(1);
  const auto tiny = fit_of(goal);
  EXPECT_FALSE(tiny.fits());
  EXPECT_EQ(tiny.sentence(), fmt::format("misses the flash budget by {} bytes",
                                         (tiny.flash_budget->needed - Bytes(1)).count()));
  goal.flash_budget = tiny.flash_budget->least;
  EXPECT_TRUE(fit_of(goal).fits());
  EXPECT_THAT(fit_of(goal).sentence(), ::testing::HasSubstr("misses the flash budget by at most "));
  goal.flash_budget = tiny.flash_budget->least - Bytes(1);
  EXPECT_FALSE(fit_of(goal).fits());
  goal.flash_budget = tiny.flash_budget->needed;
  EXPECT_EQ(fit_of(goal).sentence(), "fits");
}

/// ResNet-8 in float32 has three tensors of 50 KB at once, and the part 128 KB and 64 KB.
TEST(Fit, PlacesTensorsInEveryBankOfAPart) {
  const auto type = find_board_type("stm32f405");
  ASSERT_TRUE(type) << type.error().message;
  const auto fit_of = [&](const char* family) {
    return *estimate_fit(Config::from({{"student.model", family}, {"quantize.scheme", "none"}}),
                         *type);
  };
  const auto over_both = fit_of("resnet8");
  EXPECT_GT(over_both.ram_needed, Bytes(128 << 10));
  EXPECT_EQ(over_both.ram_size, Bytes((128 + 64) << 10));
  EXPECT_TRUE(over_both.fits());
  const auto too_large = fit_of("mobilenet-v2");
  EXPECT_EQ(too_large.ram_size, Bytes(128 << 10)) << "the largest, where no way is found";
  EXPECT_GT(too_large.ram_needed, too_large.ram_size);
  EXPECT_FALSE(too_large.fits());
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

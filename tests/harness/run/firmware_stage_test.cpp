// Budgets that layers keep as they were tried, one by one, and what is built of them does not.
#include "harness/run/firmware_stage.hpp"

#include <gtest/gtest.h>

#include "compress/onnx/model.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "harness/run/trial_stage.hpp"
#include "tests/targets/graph/qdq_builder.hpp"

namespace assay {
namespace {

/// On a Cortex-M4 both layers have kernels that are smaller than the fastest, and slower.
std::string some_model() {
  test::QdqBuilder network(1, 1, 10, 10);
  const auto image = network.conv(network.input(), {.outputs = 4}, "Relu");
  const auto more = network.conv(image, {.outputs = 8}, "Relu");
  return onnx::serialize_model(network.finish(network.dense(network.flatten(more), 20)));
}

class FirmwareStage : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_atomically(order_.model, some_model()));
    const auto tried =
        try_kernels_stage({order_.model, order_.board_type, order_.pace.clock, "-O2"},
                          order_.trial.parent_path(), {});
    ASSERT_TRUE(tried) << tried.error().message;
  }

  /// Has every kernel's run take `share` of what it took.
  void scale_trial(double share) {
    Json trial = *read_json_file(order_.trial);
    for (Json& kernels : trial.at("layers"))
      for (Json& kernel : kernels)
        if (kernel.contains("modelled_cycles"))
          kernel["modelled_cycles"] =
              static_cast<std::uint64_t>(share * kernel.at("modelled_cycles").get<double>());
    ASSERT_TRUE(write_atomically(order_.trial, trial.dump()));
  }

  FirmwareFacts build(Optimize optimize, Microseconds latency_budget,
                      std::optional<Bytes> flash_budget = {}) {
    order_.goal = {optimize, flash_budget, latency_budget};
    const auto built = build_firmware_stage(order_, folder_.path() / "firmware", {});
    EXPECT_TRUE(built) << built.error().message;
    return *read_firmware_facts(folder_.path() / "firmware");
  }
  Microseconds latency(const FirmwareFacts& facts) const {
    return order_.pace.time_of(static_cast<double>(facts.modelled_cycles->count()));
  }

  ScratchDirectory folder_ = *ScratchDirectory::create(::testing::TempDir(), "firmware-stage");
  FirmwareOrder order_{folder_.path() / "model.onnx",
                       folder_.path() / "trial" / "trial.json",
                       *find_board_type("stm32f405"),
                       {find_board_type("stm32f405")->clock},
                       "-O2",
                       {}};
};

Bytes flash(const FirmwareFacts& facts) {
  return *goal_figures(facts.metrics).flash;
}

constexpr Microseconds no_limit{1e9};

TEST_F(FirmwareStage, TakesFasterKernelsWhereTheInferenceIsTooLong) {
  const FirmwareFacts smallest = build(Optimize::flash, no_limit);
  const FirmwareFacts fastest = build(Optimize::latency, no_limit);
  ASSERT_LT(latency(fastest), latency(smallest));
  ASSERT_LT(flash(smallest), flash(fastest));
  scale_trial(0.5);
  for (const double share : {0.01, 0.5, 0.99}) {
    const Microseconds budget = latency(smallest) - share * (latency(smallest) - latency(fastest));
    const FirmwareFacts within = build(Optimize::flash, budget);
    EXPECT_LE(latency(within), budget) << share;
    EXPECT_GT(flash(within), flash(smallest)) << share;
    EXPECT_LE(flash(within), flash(fastest)) << share;
  }
}

TEST_F(FirmwareStage, KeepsBothBudgetsThatSomeKernelsKeep) {
  const FirmwareFacts smallest = build(Optimize::flash, no_limit);
  const FirmwareFacts fastest = build(Optimize::latency, no_limit);
  const FirmwareFacts between = build(Optimize::flash, (latency(smallest) + latency(fastest)) / 2);
  // What calls a layer differs from kernel to kernel, so that choices by sums are not exact.
  const Bytes flash_budget = flash(between) + Bytes(3 * 48);
  const Microseconds latency_budget = 1.01 * latency(between);
  for (const double share : {1.0, 0.9, 0.6}) {
    scale_trial(share);
    for (const Optimize optimize : {Optimize::flash, Optimize::balanced, Optimize::latency}) {
      const FirmwareFacts within = build(optimize, latency_budget, flash_budget);
      EXPECT_LE(latency(within), latency_budget) << share << " " << to_string(optimize);
      EXPECT_LE(flash(within), flash_budget) << share << " " << to_string(optimize);
      EXPECT_EQ(*sha256_file(folder_.path() / "firmware" / "firmware.elf"),
                within.build.at("elf_sha256").get<std::string>());
    }
  }
}

TEST_F(FirmwareStage, TakesTheCalibrationIntoAccount) {
  const Microseconds uncalibrated = latency(build(Optimize::flash, no_limit));
  order_.pace.factor = 1.25;
  EXPECT_LE(latency(build(Optimize::flash, uncalibrated)), uncalibrated);
}

TEST_F(FirmwareStage, BuildsWhatComesNearestToABudgetThatNothingKeeps) {
  const Microseconds least = latency(build(Optimize::latency, no_limit));
  for (const double share : {1.0, 0.5}) {
    scale_trial(share);
    const FirmwareFacts nearest = build(Optimize::flash, 0.9 * least);
    EXPECT_TRUE(nearest.fits);
    EXPECT_GT(latency(nearest), 0.9 * least);
    EXPECT_LE(latency(nearest), 1.05 * least);
  }
}

}  // namespace
}  // namespace assay

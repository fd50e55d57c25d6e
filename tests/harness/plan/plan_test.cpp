#include "harness/plan/plan.hpp"

#include <gtest/gtest.h>

#include <set>

#include "harness/plan/fit.hpp"

namespace assay {
namespace {

Plan plan_of(const std::string& text) {
  auto matrix = parse_matrix(*parse_json(text, "m.json"), "m.json");
  return make_plan(std::move(*matrix)).value();
}

std::size_t count(const Plan& plan, StageKind kind) {
  return static_cast<std::size_t>(
      std::ranges::count(plan.stages, kind, [](const Stage& stage) { return stage.kind; }));
}

TEST(Plan, SharesWhatIsShared) {
  const auto plan = plan_of(R"({
    "name": "demo", "base": {"distill": {"T": 4, "alpha": 0.5}},
    "sweep": {"student.cut": ["none", 4], "student.fewer_filters_pct": [50]},
    "baselines": ["plain"],
    "deploy": {"on": [{"board_type": "stm32f405"}, {"board_type": "stm32f030cc"}]}})");
  EXPECT_EQ(plan.cells.size(), 8u);
  EXPECT_EQ(count(plan, StageKind::train), 5u);   // one teacher, 2 plain, 2 distilled students
  EXPECT_EQ(count(plan, StageKind::logits), 1u);  // once, not per student
  EXPECT_EQ(count(plan, StageKind::quantize), 4u);
  EXPECT_EQ(count(plan, StageKind::evaluate), 4u);
  EXPECT_EQ(count(plan, StageKind::firmware), 8u);
  std::set<std::string> keys;
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    EXPECT_TRUE(keys.insert(plan.stages[i].key).second) << plan.stages[i].label;
    for (const auto& input : plan.stages[i].inputs)
      EXPECT_LT(input.stage, i);
  }
}

TEST(Plan, TheTeacherBaselineIsTheTeacher) {
  const auto plan = plan_of(R"({
    "name": "t", "base": {"distill": {"T": 4}, "student": {"cut": 4}, "seed": 3},
    "baselines": ["teacher"],
    "deploy": {"on": [{"board_type": "stm32f405"}]}})");
  EXPECT_EQ(plan.cells.size(), 2u);
  EXPECT_EQ(count(plan, StageKind::train), 2u);
}

/// A changed field changes the keys of exactly the stages it can affect.
struct Change {
  const char* base;  ///< the changed base of the matrix
  std::set<StageKind> changed;
};

class Keys : public ::testing::TestWithParam<Change> {};

TEST_P(Keys, ChangeWithWhatMatters) {
  const auto of = [](const std::string& base, const std::string& samples) {
    return plan_of(R"({"name": "k", "base": )" + base +
                   R"(, "deploy": {"on": [{"board_type": "stm32f405"}], "samples": )" + samples +
                   "}}");
  };
  const auto before =
      of(R"({"distill": {"T": 4}, "student": {"cut": 4}, "quantize": {"samples": 512}})", "500");
  const auto after = of(GetParam().base, "500");
  ASSERT_EQ(before.stages.size(), after.stages.size());
  for (std::size_t i = 0; i < before.stages.size(); ++i) {
    // No change below concerns the teacher, the whole network.
    if (before.stages[i].label.find("conv5") != std::string::npos) {
      EXPECT_EQ(before.stages[i].key, after.stages[i].key) << before.stages[i].label;
      continue;
    }
    EXPECT_EQ(before.stages[i].key != after.stages[i].key,
              GetParam().changed.contains(before.stages[i].kind))
        << before.stages[i].label;
  }
  EXPECT_EQ(before.cells[0].measurement_key == after.cells[0].measurement_key,
            GetParam().changed.empty());
}

using enum StageKind;
INSTANTIATE_TEST_SUITE_P(
    Changes, Keys,
    ::testing::Values(
        Change{R"({"distill": {"T": 4.0}, "student": {"cut": 4}, "quantize": {"samples": 512}})",
               {}},
        Change{R"({"distill": {"T": 5}, "student": {"cut": 4}, "quantize": {"samples": 512}})",
               {train, evaluate_float, quantize, evaluate, firmware}},
        Change{R"({"distill": {"T": 4}, "student": {"cut": 4}, "quantize": {"samples": 256}})",
               {quantize, evaluate, firmware}}));

TEST(Plan, TenThousandCellsAreExpanded) {
  const auto plan = plan_of(R"({
    "name": "big", "base": {"distill": {"alpha": 0.5}},
    "sweep": {"distill.T": {"from": 1.01, "to": 10, "step": 0.01}, "seed": [1, 2, 3, 4, 5, 6]},
    "deploy": {"on": [{"board_type": "stm32f405"}, {"board_type": "stm32f030cc"}]}})");
  EXPECT_EQ(plan.cells.size(), 900u * 6 * 2);
  // One teacher, whatever the number of students.
  EXPECT_EQ(count(plan, StageKind::train), 900u * 6 + 1);
}

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
  const FitEstimate estimate{Bytes(1100), Bytes(1000), Bytes(70), Bytes(64)};
  EXPECT_FALSE(estimate.fits());
  EXPECT_EQ(estimate.sentence(), "misses by 100 bytes of flash and misses by 6 bytes of RAM");
}

}  // namespace
}  // namespace assay

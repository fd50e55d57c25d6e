#include "harness/plan/plan.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

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
  EXPECT_EQ(count(plan, StageKind::trial), 8u);
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

Plan deployed(const std::string& base) {
  return plan_of(R"({"name": "k", "base": )" + base +
                 R"(, "deploy": {"on": [{"board_type": "stm32f405"}]}})");
}

TEST_P(Keys, ChangeWithWhatMatters) {
  const auto before = deployed(R"({"distill": {"T": 4}, "student": {"cut": 4},
    "prune": {"sparsity": 0.5}, "cluster": {"clusters": 16}, "quantize": {"samples": 512}})");
  const auto after = deployed(GetParam().base);
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
const std::set<StageKind> from_quantize{quantize, evaluate, trial, firmware};
const std::set<StageKind> from_cluster{cluster,  evaluate_torch, quantize,
                                       evaluate, trial,          firmware};
const std::set<StageKind> from_prune{prune,    cluster, evaluate_torch, quantize,
                                     evaluate, trial,   firmware};
const std::set<StageKind> from_train{train,    prune,    cluster, evaluate_torch,
                                     quantize, evaluate, trial,   firmware};

INSTANTIATE_TEST_SUITE_P(
    Changes, Keys,
    ::testing::Values(
        Change{R"({"distill": {"T": 4.0}, "student": {"cut": 4}, "prune": {"sparsity": 0.50},
                   "cluster": {"clusters": 16}, "quantize": {"samples": 512}})",
               {}},
        // A field that has no effect: the steps of a schedule that has none are in no key.
        Change{R"({"distill": {"T": 4, "hint_weight": 3}, "student": {"cut": 4},
                   "prune": {"sparsity": 0.5}, "cluster": {"clusters": 16}})",
               {}},
        Change{R"({"distill": {"T": 5}, "student": {"cut": 4}, "prune": {"sparsity": 0.5},
                   "cluster": {"clusters": 16}})",
               from_train},
        Change{R"({"distill": {"T": 4}, "student": {"cut": 4}, "seed": 2,
                   "prune": {"sparsity": 0.5}, "cluster": {"clusters": 16}})",
               from_train},
        Change{R"({"distill": {"T": 4}, "student": {"cut": 4}, "prune": {"sparsity": 0.6},
                   "cluster": {"clusters": 16}})",
               from_prune},
        Change{R"({"distill": {"T": 4}, "student": {"cut": 4},
                   "prune": {"sparsity": 0.5, "epochs": 1}, "cluster": {"clusters": 16}})",
               from_prune},
        Change{R"({"distill": {"T": 4}, "student": {"cut": 4}, "prune": {"sparsity": 0.5},
                   "cluster": {"clusters": 8}})",
               from_cluster},
        Change{R"({"distill": {"T": 4}, "student": {"cut": 4}, "prune": {"sparsity": 0.5},
                   "cluster": {"clusters": 16, "layers": ["dense"]}})",
               from_cluster},
        Change{R"({"distill": {"T": 4}, "student": {"cut": 4}, "prune": {"sparsity": 0.5},
                   "cluster": {"clusters": 16}, "quantize": {"samples": 256}})",
               from_quantize},
        Change{R"({"distill": {"T": 4}, "student": {"cut": 4}, "prune": {"sparsity": 0.5},
                   "cluster": {"clusters": 16}, "quantize": {"observer": "mse"}})",
               from_quantize}));

TEST(Plan, ASweepOfSparsitiesSharesTheDenseNetwork) {
  const auto plan = plan_of(R"({
    "name": "s", "base": {"student": {"fewer_filters_pct": 50}},
    "sweep": {"prune.sparsity": {"from": 0.10, "to": 0.89, "step": 0.01}},
    "deploy": {"on": [{"board_type": "stm32f405"}]}})");
  EXPECT_EQ(plan.cells.size(), 80u);
  EXPECT_EQ(count(plan, StageKind::train), 1u);
  for (const auto kind : {prune, evaluate_torch, quantize, evaluate, firmware})
    EXPECT_EQ(count(plan, kind), 80u);
  EXPECT_EQ(plan.stages.size(), 1u + 6 * 80);
}

TEST(Plan, AnEnsembleIsTrainedOnceAndTeachesTogether) {
  const auto plan = plan_of(R"({
    "name": "e", "base": {"student": {"cut": 4}, "teacher": {"count": 3, "seed": 5}},
    "sweep": {"distill.T": [2, 4]}, "deploy": {"on": [{"board_type": "stm32f405"}]}})");
  EXPECT_EQ(count(plan, StageKind::train), 3u + 2);
  EXPECT_EQ(count(plan, StageKind::logits), 3u);
  for (const auto& stage : plan.stages)
    if (stage.kind == StageKind::train && stage.label.find("cut4") != std::string::npos) {
      ASSERT_EQ(stage.inputs.size(), 3u);
      EXPECT_EQ(stage.inputs[0].name, "teacher_logits");
      EXPECT_EQ(stage.inputs[2].name, "teacher_logits_3");
    }
}

TEST(Plan, LaterStepsLearnFromTheSameTeacher) {
  const auto joint = plan_of(R"({
    "name": "j", "base": {"student": {"cut": 4}, "distill": {"teacher": "joint"},
      "prune": {"sparsity": 0.5}}, "deploy": {"on": [{"board_type": "stm32f405"}]}})");
  // The teacher that learned beside the student teaches the pruned one: no training of its own.
  EXPECT_EQ(count(joint, StageKind::train), 1u);
  EXPECT_EQ(count(joint, StageKind::logits), 1u);
  const auto hinted = plan_of(R"({
    "name": "h", "base": {"student": {"fewer_filters_pct": 50},
      "distill": {"hints": {"relu2": "relu2"}}, "quantize": {"training": "learned"}},
    "deploy": {"on": [{"board_type": "stm32f405"}]}})");
  EXPECT_EQ(count(hinted, StageKind::logits), 0u);
  for (const auto& stage : hinted.stages)
    if (stage.kind == StageKind::quantize) {
      EXPECT_EQ(stage.inputs[1].name, "teacher_model");
    }
}

TEST(Plan, WithoutBoardsHasOneCellOnTheHostForEveryConfiguration) {
  for (const char* deploy : {"", R"(, "baselines": ["plain"])"}) {
    const auto plan = plan_of(fmt::format(R"({{
      "name": "h", "base": {{"distill": {{"T": 4}}, "student.cut": 4}},
      "sweep": {{"quantize.scheme": ["int8", "float16"], "seed": [1, 2]}}{}}})",
                                          deploy));
    ASSERT_EQ(plan.cells.size(), plan.configs.size());
    EXPECT_EQ(count(plan, StageKind::firmware), 0u);
    std::set<std::string> ids;
    std::set<std::string> keys;
    for (std::size_t i = 0; i < plan.cells.size(); ++i) {
      const Cell& cell = plan.cells[i];
      EXPECT_EQ(cell.config, i);
      EXPECT_FALSE(cell.placement);
      EXPECT_EQ(cell.label, plan.expansion.configs[i].label() + "@host");
      EXPECT_TRUE(ids.insert(cell.cell_id).second);
      EXPECT_TRUE(keys.insert(cell.measurement_key).second);
    }
  }
}

TEST(Plan, HasDeviceKernelsForEveryScheme) {
  const auto plan = plan_of(R"({
    "name": "h", "base": {"student.cut": 4}, "sweep": {
      "quantize.scheme": ["int8", "none", "dynamic", "float16", "int8w-int16a"]}})");
  for (const auto& config : plan.configs) {
    EXPECT_EQ(plan.stages[config.evaluate].kind, StageKind::evaluate);
    EXPECT_EQ(config.missing_kernel, "");
  }
}

TEST(Plan, HasDeviceKernelsForGatesAndBranches) {
  for (const char* model : {"se-preact-resnet101", "densenet121"}) {
    const auto plan = plan_of(fmt::format(
        R"({{"name": "h", "base": {{"student.model": "{}", "data": "cifar10"}}}})", model));
    EXPECT_EQ(plan.configs[0].missing_kernel, "") << model;
  }
}

TEST(Plan, TenThousandCellsAreExpanded) {
  const auto plan = plan_of(R"({
    "name": "big", "base": {"distill": {"alpha": 0.5}},
    "sweep": {"distill.T": {"from": 1.01, "to": 10, "step": 0.01}, "seed": [1, 2, 3, 4, 5, 6]},
    "deploy": {"on": [{"board_type": "stm32f405"}, {"board_type": "stm32f030cc"}]}})");
  EXPECT_EQ(plan.cells.size(), 900u * 6 * 2);
  // One teacher, whatever the number of students.
  EXPECT_EQ(count(plan, StageKind::train), 900u * 6 + 1);
}

TEST(Plan, TheGoalIsPartOfTheFirmwareAndTheCellButNotOfTheTrial) {
  const auto planned = [](const std::string& goal) {
    return plan_of(R"({"name": "m", "deploy": {"on": [{"board_type": "stm32f405"}])" + goal + "}}");
  };
  const auto key = [](const Plan& plan, StageKind kind) {
    return std::ranges::find(plan.stages, kind, &Stage::kind)->key;
  };
  const auto usual = planned("");
  const auto same = planned(R"(, "optimize": "latency")");
  EXPECT_EQ(usual.cells[0].cell_id, same.cells[0].cell_id);
  std::set<std::string> firmware{key(usual, StageKind::firmware)};
  std::set<std::string> cells{usual.cells[0].cell_id};
  for (const char* goal : {R"(, "optimize": "flash")", R"(, "flash_budget_bytes": 20000)",
                           R"(, "latency_budget_us": 900)", R"(, "ram_budget_bytes": 30000)"}) {
    const auto plan = planned(goal);
    EXPECT_EQ(key(plan, StageKind::trial), key(usual, StageKind::trial)) << goal;
    EXPECT_TRUE(firmware.insert(key(plan, StageKind::firmware)).second) << goal;
    EXPECT_TRUE(cells.insert(plan.cells[0].cell_id).second) << goal;
  }
}

TEST(Plan, ATrialIsOfTheClockItRunsAt) {
  const auto plan = plan_of(R"({"name": "m", "deploy": {"on": [{"board_type": "stm32f405"},
      {"board_type": "stm32f405", "clock_mhz": 24}]}})");
  EXPECT_EQ(count(plan, StageKind::trial), 2u);
}

TEST(Plan, ACalibrationIsPartOfAFirmwareThatHasALatencyBudget) {
  const auto planned = [](const std::string& goal, double measured) {
    auto matrix =
        parse_matrix(Json::parse(R"({"name": "m", "deploy": {"on": [{"board_type": "stm32f405"}])" +
                                 goal + "}}"),
                     "m.json");
    Calibration calibration{"stm32f405", "m4-2", {}};
    calibration.add({"net", "", Hertz(168'000'000), "desk", "2026-01-31", measured, 1000});
    return make_plan(std::move(*matrix), {{"stm32f405", calibration}}).value();
  };
  const auto settings = [](const Plan& plan) {
    return std::ranges::find(plan.stages, StageKind::firmware, &Stage::kind)->settings;
  };
  const std::string budget = R"(, "latency_budget_us": 900)";
  EXPECT_EQ(settings(planned(budget, 1200)).at("calibration_factor"), 1.2);
  EXPECT_FALSE(settings(planned(budget, 1000)).contains("calibration_factor"));
  EXPECT_FALSE(settings(planned("", 1200)).contains("calibration_factor"));
}

TEST(Plan, ATargetMayHaveAGoalOfItsOwn) {
  const auto plan = plan_of(R"({"name": "m", "deploy": {"optimize": "balanced", "on": [
      {"board_type": "stm32f405"}, {"board_type": "stm32f405", "optimize": "flash"},
      {"board_type": "stm32f405", "optimize": "latency"}]}})");
  ASSERT_EQ(plan.cells.size(), 3u);
  EXPECT_EQ(count(plan, StageKind::trial), 1u);
  std::vector<std::string> goals, labels;
  std::set<std::string> ids;
  for (const Cell& cell : plan.cells) {
    goals.push_back(plan.stages[cell.placement->firmware].settings.at("goal").at("optimize"));
    labels.push_back(cell.label.substr(cell.label.find('@')));
    ids.insert(cell.cell_id);
  }
  EXPECT_THAT(goals, testing::ElementsAre("balanced", "flash", "latency"));
  EXPECT_THAT(labels, testing::ElementsAre("@olimex-stm32-h405", "@olimex-stm32-h405-flash",
                                           "@olimex-stm32-h405-latency"));
  EXPECT_EQ(ids.size(), 3u);
}

TEST(Plan, ATargetMayHaveARamBudgetOfItsOwn) {
  const auto plan = plan_of(R"({"name": "m", "deploy": {"ram_budget_bytes": 60000, "on": [
      {"board_type": "stm32f405"}, {"board_type": "stm32f405", "ram_budget_bytes": 20000}]}})");
  ASSERT_EQ(plan.cells.size(), 2u);
  std::vector<std::uint64_t> budgets;
  for (const Cell& cell : plan.cells)
    budgets.push_back(
        plan.stages[cell.placement->firmware].settings.at("goal").at("ram_budget_bytes"));
  EXPECT_THAT(budgets, testing::ElementsAre(60000, 20000));
  EXPECT_NE(plan.cells[0].cell_id, plan.cells[1].cell_id);
  EXPECT_THAT(plan.cells[1].label, testing::HasSubstr("-ram20000"));
}

}  // namespace
}  // namespace assay

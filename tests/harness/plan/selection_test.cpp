// Which cells of a plan go to the boards when only the best of a group are to.
#include <gtest/gtest.h>

#include <set>

#include "harness/plan/plan.hpp"

namespace assay {
namespace {

Plan plan_of(const std::string& text) {
  auto matrix = parse_matrix(*parse_json(text, "m.json"), "m.json");
  return make_plan(std::move(*matrix)).value();
}

/// A selection over alpha with two seeds, and what it comes to for given accuracies: label -> per
/// cent; those not given are not known yet.
struct Chosen {
  std::map<std::string, double> scores;
  std::set<std::string> on_boards;  ///< labels
  std::size_t undecided = 0;
};

Plan selecting_plan(const std::string& deploy) {
  return plan_of(R"({"name": "s", "base": {"distill.T": 4, "student.cut": 4},
    "sweep": {"distill.alpha": [0, 0.5], "seed": [1, 2]},
    "baselines": ["plain"], "deploy": )" +
                 deploy + "}");
}

Scores scores_of(const Plan& plan, const std::map<std::string, double>& by_label) {
  std::map<std::string, double> by_key;
  for (std::size_t i = 0; i < plan.configs.size(); ++i)
    if (const auto found = by_label.find(plan.expansion.configs[i].label());
        found != by_label.end())
      by_key[host_key(plan, i)] = found->second;
  return [by_key](const std::string& key) -> std::optional<double> {
    const auto found = by_key.find(key);
    return found == by_key.end() ? std::nullopt : std::optional(found->second);
  };
}

class Selecting : public ::testing::TestWithParam<Chosen> {};

TEST_P(Selecting, SendsTheBestOfAGroupToTheBoardsAndTheOthersToTheHost) {
  auto plan = selecting_plan(R"({"best_over": ["distill.alpha"],
                                 "on": [{"board_type": "stm32f405"}, {"board_type": "stm32f030cc"}]})");
  ASSERT_EQ(plan.configs.size(), 6u);
  ASSERT_TRUE(place_cells(plan, scores_of(plan, GetParam().scores)));
  std::map<std::string, std::size_t> boards;
  std::set<std::string> hosts;
  for (const auto& cell : plan.cells) {
    const auto label = plan.expansion.configs[cell.config].label();
    if (cell.placement)
      ++boards[label];
    else
      hosts.insert(label);
  }
  std::set<std::string> on_boards;
  for (const auto& [label, cells] : boards) {
    EXPECT_EQ(cells, 2u);
    EXPECT_FALSE(hosts.contains(label));
    on_boards.insert(label);
  }
  auto expected = GetParam().on_boards;
  expected.insert({"cut4_s1", "cut4_s2"});  // baselines are not chosen but wanted
  EXPECT_EQ(on_boards, expected);
  EXPECT_EQ(hosts.size() + on_boards.size(), plan.configs.size());
  EXPECT_EQ(plan.choice.groups, 1u);
  EXPECT_EQ(plan.choice.undecided, GetParam().undecided);
  EXPECT_EQ(plan.choice.best.size(), GetParam().on_boards.size());
}

INSTANTIATE_TEST_SUITE_P(
    Scores, Selecting,
    ::testing::Values(
        Chosen{{}, {}, 1},
        Chosen{{{"cut4_a0_T4_s1", 90}, {"cut4_a0_T4_s2", 90}, {"cut4_a0.5_T4_s1", 91}}, {}, 1},
        // The mean over the seeds decides, not the best seed.
        Chosen{{{"cut4_a0_T4_s1", 95},
                {"cut4_a0_T4_s2", 70},
                {"cut4_a0.5_T4_s1", 83},
                {"cut4_a0.5_T4_s2", 84}},
               {"cut4_a0.5_T4_s1", "cut4_a0.5_T4_s2"}},
        // Of equals the earlier.
        Chosen{{{"cut4_a0_T4_s1", 80.1},
                {"cut4_a0_T4_s2", 80.3},
                {"cut4_a0.5_T4_s1", 80.3},
                {"cut4_a0.5_T4_s2", 80.1}},
               {"cut4_a0_T4_s1", "cut4_a0_T4_s2"}},
        Chosen{{{"cut4_a0_T4_s1", 0},
                {"cut4_a0_T4_s2", 0},
                {"cut4_a0.5_T4_s1", 0},
                {"cut4_a0.5_T4_s2", 0}},
               {"cut4_a0_T4_s1", "cut4_a0_T4_s2"}}));

TEST(Selection, WithoutBoardsLeavesEverythingOnTheHost) {
  auto plan = selecting_plan(R"({"best_over": ["distill.alpha"]})");
  ASSERT_TRUE(place_cells(plan, [](const std::string&) { return 50.0; }));
  EXPECT_EQ(plan.choice.best, (std::set<std::size_t>{0, 2}));
  for (const auto& cell : plan.cells)
    EXPECT_FALSE(cell.placement);
}

TEST(Selection, PlacedAgainKeepsStagesAndKeys) {
  auto plan = selecting_plan(R"({"best_over": ["distill.alpha"],
                                 "on": [{"board_type": "stm32f405"}]})");
  const auto before = plan.stages.size();
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(place_cells(plan, [](const std::string&) { return 50.0; }));
    EXPECT_EQ(plan.stages.size(), before + 4);  // trial and firmware of the two seeds
  }
  const auto all = selecting_plan(R"({"on": [{"board_type": "stm32f405"}]})");
  for (const auto& cell : plan.cells)
    if (cell.placement) {
      EXPECT_EQ(cell.measurement_key, all.cells.at(cell.config).measurement_key);
    }
}

}  // namespace
}  // namespace assay

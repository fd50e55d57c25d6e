#include "harness/plan/deploy_goal.hpp"

#include <gmock/gmock.h>

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

DeployGoal all_budgets() {
  return {Optimize::balanced, Bytes(1000), Microseconds(50), Bytes(300)};
}

TEST(MissedGoal, IsEmptyWhereBudgetsAreKeptOrNothingIsKnown) {
  EXPECT_EQ(missed_goal(all_budgets(), {Bytes(1000), Microseconds(50), Bytes(300)}), "");
  EXPECT_EQ(missed_goal(all_budgets(), {}), "");
  EXPECT_EQ(missed_goal({}, {Bytes(1000), Microseconds(50), Bytes(300)}), "");
}

TEST(MissedGoal, NamesEveryBudget) {
  const auto one = missed_goal(all_budgets(), {Bytes(1001), Microseconds(50), Bytes(300)});
  EXPECT_THAT(one, AllOf(HasSubstr("1001 bytes of flash"), HasSubstr("1 more than the budget"),
                         Not(HasSubstr(", and "))));
  const auto all = missed_goal(all_budgets(), {Bytes(1001), Microseconds(52.5), Bytes(304)});
  EXPECT_THAT(
      all, AllOf(HasSubstr("1001 bytes of flash"), HasSubstr("304 bytes of RAM"),
                 HasSubstr("2.5 us more than the latency budget of 50 us"), Not(HasSubstr(";"))));
}

TEST(MissedGoal, SaysWhatABoardCanDoThatTheModelTookForFaster) {
  const GoalFigures measured{Bytes(1000), Microseconds(52.5), Bytes(300), true};
  EXPECT_THAT(missed_goal(all_budgets(), measured), HasSubstr("; kernels are chosen by modelled"));
  const DeployGoal fastest{Optimize::latency, {}, Microseconds(50)};
  EXPECT_THAT(missed_goal(fastest, measured), Not(HasSubstr(";"))) << "there are no faster ones";
}

}  // namespace
}  // namespace assay

// Schedules against values computed by hand from Zhu and Gupta's equation, over the runs that
// implementations get wrong: periods that do not divide the span, and runs shorter than one.
#include "compress/methods/pruning_schedule.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/compress/methods/read_settings.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;
using Kind = PruningSchedule::Kind;

struct Case {
  const char* name;
  PruningSchedule schedule;
  std::int64_t steps;
  std::vector<PruningUpdate> expected;
};

class Schedules : public ::testing::TestWithParam<Case> {};

TEST_P(Schedules, UpdateAsCountedByHand) {
  const Case& c = GetParam();
  const auto updates = pruning_updates(c.schedule, c.steps);
  ASSERT_TRUE(updates) << updates.error().message;
  ASSERT_EQ(updates->size(), c.expected.size());
  for (std::size_t i = 0; i < c.expected.size(); ++i) {
    EXPECT_EQ((*updates)[i].step, c.expected[i].step);
    EXPECT_NEAR((*updates)[i].sparsity, c.expected[i].sparsity, 1e-12);
  }
  EXPECT_EQ(updates->back().sparsity, c.schedule.sparsity);
}

INSTANTIATE_TEST_SUITE_P(
    PruningSchedule, Schedules,
    ::testing::Values(
        // (1 - p)^3 at p = 0, 1/4, 1/2, 3/4, 1: 1, 27/64, 1/8, 1/64, 0.
        Case{"Polynomial",
             {.sparsity = 0.8, .frequency = 10},
             80,
             {{0, 0}, {10, 0.8 * 37 / 64}, {20, 0.7}, {30, 0.8 * 63 / 64}, {40, 0.8}}},
        // A common misprint has (s_i + s_f), which starts at 1.25 here.
        Case{"PolynomialFromInitial",
             {.sparsity = 0.75, .initial = 0.25, .end = 1, .frequency = 50},
             101,
             {{0, 0.25}, {50, 0.6875}, {100, 0.75}}},
        Case{"PeriodThatDoesNotDivideTheSpan",
             {.sparsity = 0.5, .begin = 0.1, .end = 0.6, .frequency = 20, .exponent = 1},
             100,
             {{10, 0}, {30, 0.2}, {50, 0.4}, {60, 0.5}}},
        Case{"RunShorterThanAPeriod", {.sparsity = 0.5}, 20, {{0, 0}, {10, 0.5}}},
        Case{"EndAtTheLastStep", {.sparsity = 0.5, .end = 1}, 20, {{0, 0}, {19, 0.5}}},
        Case{"OneStep", {.sparsity = 0.5}, 1, {{0, 0.5}}},
        Case{"BeginAndEndInOneStep",
             {.sparsity = 0.5, .begin = 0.9, .end = 0.99, .frequency = 1},
             10,
             {{9, 0.5}}},
        Case{"Constant", {.kind = Kind::constant, .sparsity = 0.75}, 1000, {{0, 0.75}}},
        Case{"ConstantLater",
             {.kind = Kind::constant, .sparsity = 0.75, .begin = 0.999},
             10,
             {{9, 0.75}}},
        Case{"ConstantIgnoresTheEnd",
             {.kind = Kind::constant, .sparsity = 0.3, .begin = 0.6, .end = 0.5},
             10,
             {{6, 0.3}}}),
    [](const auto& test) { return test.param.name; });

TEST(PruningSchedule, EveryRunReachesItsTargetAndNeverFallsBack) {
  for (const int frequency : {1, 2, 3, 7, 50, 1000})
    for (const double begin : {0.0, 0.1, 0.45})
      for (std::int64_t steps = 1; steps < 120; steps += 3) {
        const PruningSchedule schedule{
            .sparsity = 0.9, .begin = begin, .initial = 0.2, .frequency = frequency};
        const auto updates = pruning_updates(schedule, steps);
        ASSERT_TRUE(updates);
        EXPECT_EQ(updates->back().sparsity, 0.9);
        EXPECT_TRUE(std::ranges::is_sorted(*updates, {}, &PruningUpdate::sparsity));
        // Step by step: due at t0, every `frequency` steps from there and at t1, which is half way.
        const auto rounded = [&](double at) { return std::int64_t(std::floor(at + 0.5)); };
        const std::int64_t t0 = rounded(begin * double(steps));
        const std::int64_t t1 = std::min(rounded(double(steps) / 2), steps - 1);
        auto next = updates->begin();
        for (std::int64_t step = t0; step <= t1; ++step) {
          if (step != t1 && (step - t0) % frequency != 0) continue;
          ASSERT_NE(next, updates->end());
          EXPECT_EQ(next->step, step);
          const double left = step == t1 ? 0 : 1 - double(step - t0) / double(t1 - t0);
          EXPECT_NEAR(next->sparsity, 0.9 - 0.7 * left * left * left, 1e-12);
          ++next;
        }
        EXPECT_EQ(next, updates->end());
      }
}

TEST(PruningSchedule, RefusesARunWithoutSteps) {
  const auto updates = pruning_updates({}, 0);
  ASSERT_FALSE(updates);
  EXPECT_EQ(updates.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(updates.error().message, HasSubstr("a run of 0 steps never prunes"));
}

TEST(PruningSchedule, RefusesValuesThatNoReaderChecked) {
  const auto updates = pruning_updates({.sparsity = NAN}, 10);
  ASSERT_FALSE(updates);
  EXPECT_THAT(updates.error().message, HasSubstr("sparsity: expected 0 to below 1, found nan"));
}

PruningSchedule read(JsonObject& object) {
  return read_pruning_schedule(object);
}

TEST(PruningSchedule, WritesWhatItReads) {
  for (const char* text :
       {R"({"schedule": "polynomial", "sparsity": 0.5, "begin": 0.1, "initial": 0.2, "end": 0.75,
            "frequency": 7, "exponent": 2.0})",
        R"({"schedule": "constant", "sparsity": 0.5, "begin": 0.25})"})
    EXPECT_EQ(to_json(test::read_settings(text, read)), Json::parse(text));
}

TEST(PruningSchedule, IsTheSameJsonWhateverItDoesNotUse) {
  const char* text = R"({"schedule": "constant", "sparsity": 0.5, "end": 0.3, "frequency": 5})";
  EXPECT_EQ(to_json(test::read_settings(text, read)),
            to_json(PruningSchedule{.kind = Kind::constant, .sparsity = 0.5}));
}

struct Bad {
  const char* name;
  const char* text;
  const char* expected;
};

class BadSchedules : public ::testing::TestWithParam<Bad> {};

TEST_P(BadSchedules, AreAnsweredWithTheField) {
  EXPECT_THAT(test::problem_of_settings(GetParam().text, read), HasSubstr(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    PruningSchedule, BadSchedules,
    ::testing::Values(
        Bad{"Kind", R"({"schedule": "cubic"})", "schedule: expected one of constant, polynomial"},
        Bad{"All", R"({"sparsity": 1})", "sparsity: expected 0 to below 1, found 1"},
        Bad{"Negative", R"({"sparsity": -0.1})", "sparsity: "},
        Bad{"Initial", R"({"initial": 1})", "initial: expected 0 to below 1"},
        Bad{"InitialAboveTarget", R"({"initial": 0.8, "sparsity": 0.5})",
            "initial: expected at most the sparsity, which is 0.5, found 0.8"},
        Bad{"EndsBeforeItBegins", R"({"begin": 0.6, "end": 0.5})",
            "end: expected more than begin, which is 0.6, found 0.5"},
        Bad{"EndsAsItBegins", R"({"begin": 0.5, "end": 0.5})", "end: expected more than begin"},
        Bad{"BeginsAfterTheRun", R"({"begin": 1})", "begin: expected 0 to below 1"},
        Bad{"EndsAfterTheRun", R"({"end": 1.5})", "end: expected above 0 to 1, found 1.5"},
        Bad{"Frequency", R"({"frequency": 0})", "frequency: expected at least 1 step, found 0"},
        Bad{"Exponent", R"({"exponent": 0})", "exponent: expected a number above 0"},
        Bad{"Unknown", R"({"dt": 100})", "dt: unknown field"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace assay

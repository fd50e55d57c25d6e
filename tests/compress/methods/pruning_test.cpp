// The settings of a pruning as a whole: what one part says about the fields of another.
#include "compress/methods/pruning.hpp"

#include <gmock/gmock.h>

#include "tests/compress/methods/read_settings.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;

TEST(PruneSettings, GroupsFixTheSparsity) {
  for (const auto& [text, sparsity] :
       {std::pair{R"({"granularity": "1:4"})", 0.25},
        std::pair{R"({"granularity": "1:4", "sparsity": 0.25, "initial": 0.25})", 0.25},
        std::pair{R"({"granularity": "3:4", "initial": 0.7})", 0.75},
        std::pair{R"({"granularity": "15:16", "initial": 0.9})", 0.9375},
        std::pair{R"({"granularity": "filter"})", 0.75}, std::pair{R"({"sparsity": 0.5})", 0.5}}) {
    const PruneSettings settings = test::read_settings(text, read_prune_settings);
    EXPECT_EQ(settings.schedule.sparsity, sparsity) << text;
    EXPECT_EQ(test::problem_of_settings(text, read_prune_settings), "") << text;
    // What was read is a schedule that a training accepts.
    EXPECT_TRUE(pruning_updates(settings.schedule, 100)) << text;
  }
}

TEST(PruneSettings, RefusesWhatDoesNotGoWithItsGroups) {
  for (const auto& [text, expected] :
       {std::pair{R"({"granularity": "1:4", "initial": 0.5})",
                  "initial: expected at most the sparsity, which is 0.25, found 0.5"},
        std::pair{R"({"granularity": "2:4", "sparsity": 0.75})",
                  "sparsity: 2:4 groups have a sparsity of 0.5, found 0.75"},
        std::pair{R"({"granularity": "filter", "initial": 0.8})", "which is 0.75, found 0.8"}})
    EXPECT_THAT(test::problem_of_settings(text, read_prune_settings), HasSubstr(expected));
}

TEST(PruneSettings, GroupsNeedInputChannels) {
  const auto groups = [](std::string_view words) {
    return test::read_settings(std::string(words), read_prune_settings).magnitude;
  };
  const auto two_of_four = groups(R"({"granularity": "2:4"})");
  EXPECT_FALSE(has_groups(two_of_four, std::vector<std::int64_t>{8, 1, 3, 3}));
  // Of three channels as much as of four, rounded down: one of two in four, none of one in four.
  EXPECT_TRUE(has_groups(two_of_four, std::vector<std::int64_t>{8, 3, 3, 3}));
  EXPECT_FALSE(has_groups(groups(R"({"granularity": "1:4"})"), std::vector<std::int64_t>{8, 3}));
  EXPECT_TRUE(has_groups(groups(R"({"granularity": "1:4"})"), std::vector<std::int64_t>{8, 4}));
}

}  // namespace
}  // namespace assay

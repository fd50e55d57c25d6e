// What a configuration asks of its data set is checked before anything is trained.
#include "harness/plan/worker_stages.hpp"

#include <gmock/gmock.h>

namespace assay {
namespace {

using ::testing::HasSubstr;

struct Refused {
  const char* name;
  FieldValues values;
  const char* words;
};

/// The sentence of the first work that cannot be done; empty when all can.
std::string refusal(const FieldValues& values) {
  const Config config = Config::from(values);
  if (const auto work = train_work(config); !work) return work.error().message;
  if (!config.has("prune")) return "";
  const auto work = prune_work(config);
  return work ? "" : work.error().message;
}

class WorkRefused : public ::testing::TestWithParam<Refused> {};

TEST_P(WorkRefused, WithTheConfigurationAndTheField) {
  EXPECT_THAT(refusal(GetParam().values), HasSubstr(GetParam().words));
}

// 55 000 training images in batches of 128 are 429 steps an epoch; pruning takes 6 epochs of 2574
// steps and ends after half of them, at 1287.
INSTANTIATE_TEST_SUITE_P(
    Data, WorkRefused,
    ::testing::Values(
        Refused{"FrequencyThatNeverFires",
                {{"prune.sparsity", 0.5}, {"prune.frequency", 1000000}},
                "_s1: prune.frequency: the 1287 steps from begin to end hold no update every "
                "1000000 steps; give a frequency of at most 1287"},
        Refused{"FrequencyOfOneMore",
                {{"prune.sparsity", 0.5}, {"prune.frequency", 1288}},
                "hold no update every 1288 steps"},
        Refused{"FrequencyInAShortRun",
                {{"prune.sparsity", 0.5},
                 {"prune.frequency", 20},
                 {"prune.epochs", 1},
                 {"train.images", 1280}},
                "the 5 steps from begin to end hold no update every 20 steps"},
        Refused{"BatchOfMoreThanAll",
                {{"data", "pointing"}, {"train.batch", 4096}},
                "images, fewer than one batch of 4096: give a smaller train.batch"},
        Refused{"FlippedTargets",
                {{"data", "pointing"}, {"augment.flip", true}},
                "_s1: pointing has targets that a flip would make wrong"},
        Refused{
            "ShiftOutOfTheImage", {{"augment.shift", 1000}}, "_s1: the images of fashion-mnist"},
        Refused{"CutoutOfMoreThanTheImage", {{"augment.cutout", 29}}, "a cutout of at most 28"},
        Refused{"TemperatureOfARegression",
                {{"data", "pointing"}, {"distill.T", 8.0}},
                "_s1: distill: pointing is a regression set, whose loss has no temperature"},
        Refused{"TSquaredOfARegression",
                {{"data", "pointing"}, {"distill.T", 4.0}, {"distill.t_squared", false}},
                "leave T and t_squared out"}),
    [](const auto& test) { return test.param.name; });

TEST(Work, IsAcceptedAtTheLimits) {
  const FieldValues accepted[] = {
      {{"prune.sparsity", 0.5}, {"prune.frequency", 1287}},
      {{"prune.sparsity", 0.5}, {"prune.frequency", 1000000}, {"prune.schedule", "constant"}},
      {{"prune.sparsity", 0.5}, {"prune.frequency", 1000000}, {"prune.epochs", 0}},
      // The usual frequency suits a run that is shorter.
      {{"prune.sparsity", 0.5}, {"prune.epochs", 1}, {"train.images", 1280}},
      {{"data", "pointing"}, {"distill.alpha", 0.25}},
      {{"data", "pointing"}, {"augment.cutout", 4}},
      {{"augment.shift", 27}, {"augment.cutout", 28}}};
  for (const FieldValues& values : accepted)
    EXPECT_EQ(refusal(values), "");
}

}  // namespace
}  // namespace assay

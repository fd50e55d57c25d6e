// A training on targets: how bright each half of an image is.
#include <gmock/gmock.h>

#include <cmath>

#include "compress/train/trainer.hpp"
#include "tests/compress/train/bright_halves.hpp"

namespace assay {
namespace {

using testing_models::bright_halves;
using testing_models::fingerprint;
using testing_models::initial;

/// The mean of the left and of the right half, 0 to 1.
ImageSet with_brightness(ImageSet set) {
  set.labels.clear();
  for (int i = 0; i < set.count; ++i) {
    float sums[2] = {0, 0};
    for (int pixel = 0; pixel < 64; ++pixel)
      sums[pixel % 8 < 4 ? 0 : 1] += float(set.image(i)[pixel]) / 255;
    set.targets.insert(set.targets.end(), {sums[0] / 32, sums[1] / 32});
  }
  return set;
}

/// The mean error of a network that answers the mean of all targets.
double error_of_the_mean(const ImageSet& set) {
  double mean[2] = {0, 0};
  for (std::size_t i = 0; i < set.targets.size(); ++i)
    mean[i % 2] += set.targets[i] / set.count;
  double sum = 0;
  for (std::size_t i = 0; i < set.targets.size(); i += 2)
    sum += std::hypot(set.targets[i] - mean[0], set.targets[i + 1] - mean[1]);
  return sum / set.count;
}

class Regression : public ::testing::Test {
 protected:
  Regression() {
    settings_.epochs = 30;
    settings_.batch = 16;
    settings_.learning_rate = 0.01;
  }

  std::vector<EpochReport> train(Teacher* teacher = nullptr) {
    auto network = TrainableNetwork::create(initial(1), "small");
    EXPECT_TRUE(network);
    const TrainingTask task{.network = *network,
                            .methods = {},
                            .settings = settings_,
                            .distill = distill_,
                            .teacher = teacher,
                            .train = train_,
                            .validation = validation_,
                            .preprocessor = preprocessor_,
                            .checkpoints = {},
                            .identity = ""};
    auto reports =
        train_network(task, [this](double, const std::string& text) { said_ = text; }, {});
    EXPECT_TRUE(reports) << reports.error().message;
    bits_ = fingerprint(network->model());
    return reports.value_or(std::vector<EpochReport>(1));
  }

  TrainSettings settings_;
  std::optional<DistillSettings> distill_;
  ImageSet train_ = with_brightness(bright_halves(256, 1));
  ImageSet validation_ = with_brightness(bright_halves(64, 2));
  Preprocessor preprocessor_{{{0.4F}, {0.25F}}};
  std::string bits_, said_;
};

TEST_F(Regression, LearnsItsTargets) {
  const auto reports = train();
  ASSERT_EQ(reports.size(), 30U);
  ASSERT_TRUE(reports.back().validation_error);
  EXPECT_LT(*reports.back().validation_error, 0.4 * error_of_the_mean(validation_));
  EXPECT_LT(reports.back().task_loss, 0.1 * reports.front().task_loss);
  EXPECT_FALSE(reports.back().validation_accuracy);
  EXPECT_FALSE(to_json(reports.back()).contains("validation_accuracy"));
  EXPECT_THAT(said_, ::testing::ContainsRegex(", validation error 0[.][0-9]+, "));
}

TEST_F(Regression, GivesTheSameBitsTwice) {
  settings_.epochs = 1;
  train();
  const std::string first = bits_;
  train();
  EXPECT_EQ(bits_, first);
}

// The teacher's outputs are the targets: with beta alone the loss is the same squared error.
TEST_F(Regression, LearnsFromTheOutputsOfATeacher) {
  settings_.epochs = 1;
  train();
  const std::string from_targets = bits_;
  distill_ = DistillSettings{};
  distill_->alpha = 0;
  distill_->beta = 1;
  distill_->temperature = 4;  // means nothing to a regression
  CachedTeacher teacher({train_.targets}, 2);
  const auto reports = train(&teacher);
  EXPECT_EQ(reports[0].divergence, reports[0].loss);
  EXPECT_EQ(bits_, from_targets);
}

}  // namespace
}  // namespace assay

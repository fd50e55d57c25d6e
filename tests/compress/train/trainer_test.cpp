// Training on a made-up set that can be learned: two classes told apart by which half is bright.
#include "compress/train/trainer.hpp"

#include <gmock/gmock.h>

#include <random>

namespace assay {
namespace {

using ::testing::HasSubstr;

ImageSet bright_halves(int count, unsigned seed) {
  ImageSet set{count, 1, 8, 8, {}, {}};
  std::mt19937 generator(seed);
  for (int i = 0; i < count; ++i) {
    set.labels.push_back(std::uint8_t(i % 2));
    for (int pixel = 0; pixel < 64; ++pixel) {
      const bool bright = (pixel % 8 < 4) == (i % 2 == 0);
      set.pixels.push_back(std::uint8_t(generator() % 128 + (bright ? 90 : 0)));
    }
  }
  return set;
}

ModelSpec small_network() {
  ModelSpec spec{"small", 1, 8, 8, 2, {}};
  LayerSpec conv{"conv", LayerOp::convolution, {-1}, 4, 3, 1, 1, true};
  LayerSpec dense{"dense", LayerOp::dense, {2}, 2, 1, 1, 0, false};
  spec.layers = {conv, {"relu", LayerOp::relu, {0}}, {"flat", LayerOp::flatten, {1}}, dense};
  return spec;
}

class Training : public ::testing::Test {
 protected:
  Training() {
    settings_.epochs = 3;
    settings_.batch = 16;
    settings_.learning_rate = 0.01;
  }
  Result<TrainedNetwork> train(std::uint64_t seed = 1, std::stop_token stop = {}) {
    const TrainingTask task{spec_,       settings_,     distill_, train_,
                            validation_, preprocessor_, teacher_, seed};
    return train_network(
        task,
        [this](double fraction, const std::string& message) {
          fractions_.push_back(fraction);
          last_message_ = message;
        },
        std::move(stop));
  }

  ModelSpec spec_ = small_network();
  TrainSettings settings_;
  std::optional<DistillSettings> distill_;
  ImageSet train_ = bright_halves(256, 1);
  ImageSet validation_ = bright_halves(64, 2);
  Preprocessor preprocessor_{{{0.4F}, {0.25F}}};
  std::vector<float> teacher_;
  std::vector<double> fractions_;
  std::string last_message_;
};

TEST_F(Training, LearnsAndReports) {
  const auto trained = train();
  ASSERT_TRUE(trained) << trained.error().message;
  ASSERT_EQ(trained->epochs.size(), 3U);
  EXPECT_GT(trained->epochs.back().validation_accuracy, 0.95);
  EXPECT_LT(trained->epochs.back().loss, 0.5 * trained->epochs.front().loss);
  EXPECT_FALSE(trained->epochs.back().divergence);
  EXPECT_FALSE(trained->layers[0].batch_norm);
  EXPECT_EQ(trained->layers[0].bias.size(), 4U);
  EXPECT_TRUE(std::is_sorted(fractions_.begin(), fractions_.end()));
  EXPECT_EQ(fractions_.back(), 1.0);
  EXPECT_THAT(last_message_, HasSubstr("epoch 3/3: loss "));
}

TEST_F(Training, SameSeedGivesTheSameBitsAndAnotherDoesNot) {
  const auto first = train(5);
  const auto second = train(5);
  const auto other = train(6);
  ASSERT_TRUE(first && second && other);
  for (std::size_t i = 0; i < first->layers.size(); ++i) {
    EXPECT_EQ(first->layers[i].weights, second->layers[i].weights);
    EXPECT_EQ(first->layers[i].bias, second->layers[i].bias);
  }
  EXPECT_NE(first->layers[0].weights, other->layers[0].weights);
  EXPECT_EQ(first->epochs.back().loss, second->epochs.back().loss);
}

TEST_F(Training, LearnsFromATeacherAlone) {
  distill_ = DistillSettings{0, 1, 4, true};
  for (std::uint8_t label : train_.labels) {
    teacher_.push_back(label == 0 ? 4.0F : -4.0F);
    teacher_.push_back(label == 0 ? -4.0F : 4.0F);
  }
  const auto trained = train();
  ASSERT_TRUE(trained) << trained.error().message;
  EXPECT_GT(trained->epochs.back().validation_accuracy, 0.95);
  ASSERT_TRUE(trained->epochs.back().divergence);
  EXPECT_NEAR(trained->epochs.back().loss, 16 * *trained->epochs.back().divergence, 1e-4);
}

TEST_F(Training, AlphaOneTrainsLikeNoTeacher) {
  const auto plain = train();
  distill_ = DistillSettings{1, 0, 4, true};
  teacher_.assign(512, 1.0F);
  const auto distilled = train();
  ASSERT_TRUE(plain && distilled);
  EXPECT_EQ(plain->layers[0].weights, distilled->layers[0].weights);
}

TEST_F(Training, UsesTheFirstImagesOnly) {
  settings_.images = 32;
  const auto first = train();
  train_ = bright_halves(32, 1);
  settings_.images.reset();
  const auto second = train();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->layers[0].weights, second->layers[0].weights);
}

TEST_F(Training, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  const auto trained = train(1, source.get_token());
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().kind, ErrorKind::interrupted);
}

TEST_F(Training, SaysWhenTheLossDiverges) {
  settings_.learning_rate = 1e30;
  settings_.schedule = Schedule::constant;
  const auto trained = train();
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(trained.error().message, HasSubstr("train.learning_rate"));
}

TEST_F(Training, RefusesImpossibleCounts) {
  for (const auto& [images, batch] : {std::pair{300, 16}, std::pair{8, 16}}) {
    settings_.images = images;
    settings_.batch = batch;
    const auto trained = train();
    ASSERT_FALSE(trained);
    EXPECT_THAT(trained.error().message, HasSubstr("train.images"));
  }
}

TEST(ScheduledRate, WarmsUpAndDecaysToZero) {
  const auto rate = [](Schedule schedule, int step) {
    return scheduled_rate(schedule, 2, step, 100);
  };
  EXPECT_NEAR(rate(Schedule::one_cycle, 0), 2.0 / 21, 1e-9);
  EXPECT_NEAR(rate(Schedule::one_cycle, 20), 2, 1e-9);
  EXPECT_NEAR(rate(Schedule::one_cycle, 60), 1, 1e-9);
  EXPECT_NEAR(rate(Schedule::one_cycle, 99), 2 * 0.0125, 1e-9);
  for (int step = 1; step <= 20; ++step)
    EXPECT_GT(rate(Schedule::one_cycle, step), rate(Schedule::one_cycle, step - 1));
  EXPECT_NEAR(rate(Schedule::linear, 0), 2, 1e-9);
  EXPECT_NEAR(rate(Schedule::linear, 50), 1, 1e-9);
  EXPECT_EQ(rate(Schedule::constant, 99), 2);
}

}  // namespace
}  // namespace assay

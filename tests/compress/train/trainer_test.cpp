// Training on a made-up set that can be learned: two classes told apart by which half is bright.
#include "compress/train/trainer.hpp"

#include <ATen/Functions.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <limits>

#include "compress/train/checkpoint.hpp"
#include "harness/core/file.hpp"
#include "tests/compress/train/bright_halves.hpp"
#include "tests/compress/train/distilling.hpp"

namespace assay {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using testing_models::bright_halves;
using testing_models::distilling;
using testing_models::fingerprint;
using testing_models::initial;

class Training : public ::testing::Test {
 protected:
  Training() {
    settings_.epochs = 3;
    settings_.batch = 16;
    settings_.learning_rate = 0.01;
  }

  /// Trains `start_`, or a fresh network of `seed`; `trained_` is its model, `reports_` its epochs.
  Status train(std::uint64_t seed = 1, std::stop_token stop = {}) {
    auto network = TrainableNetwork::create(start_.value_or(initial(seed)), "student");
    if (!network) return tl::unexpected(network.error());
    network_ = &*network;
    const TrainingTask task{*network, methods_, settings_,    distill_,
                            teacher_, train_,   validation_,  preprocessor_,
                            seed,     "cpu",    checkpoints_, identity_};
    messages_.clear();
    fractions_.clear();
    auto reports = train_network(
        task,
        [this](double fraction, const std::string& message) {
          fractions_.push_back(fraction);
          messages_.push_back(message);
          if (on_progress_) on_progress_(message);
        },
        std::move(stop));
    trained_ = network->model();
    if (!reports) return tl::unexpected(reports.error());
    reports_ = std::move(*reports);
    return {};
  }

  std::string bits() const { return fingerprint(trained_); }

  std::optional<onnx::Model> start_;
  std::vector<TrainingMethod*> methods_;
  TrainableNetwork* network_ = nullptr;  ///< while it is trained
  TrainSettings settings_;
  std::optional<DistillSettings> distill_;
  Teacher* teacher_ = nullptr;
  ImageSet train_ = bright_halves(256, 1);
  ImageSet validation_ = bright_halves(64, 2);
  Preprocessor preprocessor_{{{0.4F}, {0.25F}}};
  std::filesystem::path checkpoints_;
  std::string identity_ = "this training";
  std::function<void(const std::string& message)> on_progress_;

  onnx::Model trained_;
  std::vector<EpochReport> reports_;
  std::vector<double> fractions_;
  std::vector<std::string> messages_;
};

TEST_F(Training, LearnsAndReports) {
  const Status status = train();
  ASSERT_TRUE(status) << status.error().message;
  ASSERT_EQ(reports_.size(), 3U);
  EXPECT_GT(reports_.back().validation_accuracy.value_or(0), 0.95);
  EXPECT_LT(reports_.back().loss, 0.5 * reports_.front().loss);
  EXPECT_EQ(reports_.back().loss, reports_.back().task_loss);
  EXPECT_FALSE(reports_.back().divergence);
  EXPECT_FALSE(reports_.back().hint);
  EXPECT_FALSE(reports_.back().validation_error);
  EXPECT_NE(bits(), fingerprint(initial(1)));
}

TEST_F(Training, TellsHowFarHowFastAndHowLong) {
  settings_.batch = 8;  // 32 steps an epoch: one message within it, one at its end
  ASSERT_TRUE(train());
  ASSERT_EQ(messages_.size(), 6U);
  EXPECT_TRUE(std::is_sorted(fractions_.begin(), fractions_.end()));
  EXPECT_DOUBLE_EQ(fractions_[0], 25.0 / 96);
  EXPECT_DOUBLE_EQ(fractions_[1], 32.0 / 96);
  EXPECT_EQ(fractions_.back(), 1.0);
  EXPECT_THAT(messages_[0],
              ContainsRegex("^epoch 1/3: loss [0-9.]+, [0-9]+ images/s, [0-9]+ s left$"));
  EXPECT_THAT(messages_[5],
              ContainsRegex("^epoch 3/3: loss [0-9.]+, validation [0-9.]+ %, [0-9]+ images/s, 0 s "
                            "left$"));
}

TEST_F(Training, SameSeedGivesTheSameBitsAndAnotherDoesNot) {
  ASSERT_TRUE(train(5));
  const std::string first = bits();
  const double loss = reports_.back().loss;
  ASSERT_TRUE(train(5));
  EXPECT_EQ(bits(), first);
  EXPECT_EQ(reports_.back().loss, loss);
  ASSERT_TRUE(train(6));
  EXPECT_NE(bits(), first);
}

TEST_F(Training, LearnsFromATeacherAlone) {
  distill_ = distilling(0, 1, 4);
  std::vector<float> logits;
  for (const std::uint8_t label : train_.labels) {
    logits.push_back(label == 0 ? 4.0F : -4.0F);
    logits.push_back(label == 0 ? -4.0F : 4.0F);
  }
  CachedTeacher teacher({logits}, 2);
  teacher_ = &teacher;
  const Status status = train();
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_GT(reports_.back().validation_accuracy.value_or(0), 0.95);
  ASSERT_TRUE(reports_.back().divergence);
  EXPECT_NEAR(reports_.back().loss, 16 * *reports_.back().divergence, 1e-4);
}

TEST_F(Training, AlphaOneTrainsLikeNoTeacher) {
  ASSERT_TRUE(train());
  const std::string plain = bits();
  distill_ = distilling(1, 0, 4);
  CachedTeacher teacher({std::vector<float>(512, 1.0F)}, 2);
  teacher_ = &teacher;
  ASSERT_TRUE(train());
  EXPECT_EQ(bits(), plain);
}

TEST_F(Training, UsesTheFirstImagesOnly) {
  settings_.images = 32;
  ASSERT_TRUE(train());
  const std::string first = bits();
  train_ = bright_halves(32, 1);
  settings_.images.reset();
  ASSERT_TRUE(train());
  EXPECT_EQ(bits(), first);
}

TEST_F(Training, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  const Status status = train(1, source.get_token());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::interrupted);
  EXPECT_EQ(bits(), fingerprint(initial(1)));
}

TEST_F(Training, SaysWhenTheLossDiverges) {
  settings_.learning_rate = 1e30;
  settings_.schedule = Schedule::constant;
  const Status status = train();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(status.error().message,
              ContainsRegex("no longer a number in epoch 1, step [0-9]+; lower the learning rate "
                            "from 1e\\+30; there is no earlier checkpoint$"));
}

TEST_F(Training, SaysWhenTheLastStepDiverges) {
  // The loss of every step is a number; the last one's weights are none.
  class Poison final : public TrainingMethod {
   public:
    explicit Poison(TrainableNetwork* const& network) : network_(network) {}
    void end_step() override {
      if (++steps_ == 48) network_->layers()[0].weight.detach().fill_(NAN);
    }
    Json report() const override { return {}; }
    std::string name() const override { return "poison"; }

   private:
    TrainableNetwork* const& network_;
    int steps_ = 0;
  } poison(network_);
  methods_ = {&poison};
  const Status status = train();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(status.error().message,
              HasSubstr("network/conv.weight is no longer finite after epoch 3; lower the learning "
                        "rate from 0.01; there is no earlier checkpoint"));
}

TEST_F(Training, RefusesANetworkThatIsNotFinite) {
  settings_.epochs = 0;
  start_ = initial(1);
  onnx::Tensor& weight = start_->initializers.at("dense.weight");
  const std::vector<float> values(512, std::numeric_limits<float>::infinity());
  weight = onnx::Tensor::of<float>(weight.name, weight.type, weight.shape, values);
  const Status status = train();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(status.error().message, HasSubstr("dense.weight holds numbers that are not finite"));
}

TEST_F(Training, RefusesImpossibleCounts) {
  struct Case {
    std::optional<int> images;
    int batch;
    const char* message;
  };
  const Case cases[] = {
      {300, 16,
       "train.images is 300, but the training split has 256 images: give a smaller train.images"},
      {8, 16, "train.images is 8, fewer than one batch of 16: give a smaller train.batch"},
      {std::nullopt, 257,
       "the training split has 256 images, fewer than one batch of 257: give a smaller "
       "train.batch"},
  };
  for (const Case& one : cases) {
    settings_.images = one.images;
    settings_.batch = one.batch;
    const Status status = train();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
    EXPECT_EQ(status.error().message, one.message);
  }
}

/// Trainings that keep their state in a folder.
class Resuming : public Training {
 protected:
  void SetUp() override {
    auto scratch = ScratchDirectory::create(::testing::TempDir(), "checkpoints");
    ASSERT_TRUE(scratch) << scratch.error().message;
    scratch_.emplace(std::move(*scratch));
    ASSERT_TRUE(train(4));
    uninterrupted_ = bits();
    for (const EpochReport& report : reports_)
      uninterrupted_reports_.push_back(to_json(report));
    checkpoints_ = scratch_->path();
  }
  std::filesystem::path file() const { return checkpoints_ / "checkpoint.pt"; }

  /// Trains until an epoch's last message, then stops.
  void interrupt_after(const std::string& epoch, std::uint64_t seed = 4) {
    std::stop_source source;
    on_progress_ = [&](const std::string& message) {
      if (message.starts_with(epoch)) source.request_stop();
    };
    const Status status = train(seed, source.get_token());
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::interrupted);
    EXPECT_TRUE(std::filesystem::exists(file()));
    on_progress_ = nullptr;
  }

  void expect_uninterrupted(std::size_t messages) {
    const Status status = train(4);
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(bits(), uninterrupted_);
    std::vector<Json> reports;
    for (const EpochReport& report : reports_)
      reports.push_back(to_json(report));
    EXPECT_EQ(reports, uninterrupted_reports_);
    EXPECT_EQ(messages_.size(), messages);  // one an epoch that was computed
    EXPECT_EQ(fractions_.back(), 1.0);
  }

  std::optional<ScratchDirectory> scratch_;
  std::string uninterrupted_;
  std::vector<Json> uninterrupted_reports_;
};

TEST_F(Resuming, GivesTheBitsOfAnUninterruptedTraining) {
  interrupt_after("epoch 1/");
  EXPECT_NE(bits(), uninterrupted_);
  expect_uninterrupted(2);
}

TEST_F(Resuming, GoesOnTwice) {
  interrupt_after("epoch 1/");
  interrupt_after("epoch 2/");
  EXPECT_EQ(messages_.size(), 1U);
  expect_uninterrupted(1);
}

TEST_F(Resuming, WritingCheckpointsChangesNothing) {
  expect_uninterrupted(3);
  EXPECT_TRUE(std::filesystem::exists(file()));
}

TEST_F(Resuming, IgnoresTheCheckpointOfAnotherTraining) {
  identity_ = "another training";
  interrupt_after("epoch 2/", 9);
  identity_ = "this training";
  expect_uninterrupted(3);
}

TEST_F(Resuming, IgnoresADamagedCheckpoint) {
  interrupt_after("epoch 2/");
  const std::string whole = read_text(file()).value_or("");
  ASSERT_GT(whole.size(), 1000U);
  std::vector<std::string> damaged{"", "not a checkpoint", whole.substr(0, whole.size() / 2),
                                   whole.substr(0, whole.size() - 1)};
  // Bits turned within the stored tensors and behind them.
  for (const std::size_t part : {1, 2, 3}) {
    damaged.push_back(whole);
    for (std::size_t i = 0; i < 64; ++i)
      damaged.back()[whole.size() * part / 4 + i] ^= char(0x40);
  }
  for (std::size_t i = 0; i < damaged.size(); ++i) {
    SCOPED_TRACE(i);
    ASSERT_TRUE(write_atomically(file(), damaged[i]));
    expect_uninterrupted(3);
  }
}

// Of the same description, but written by a version with other tensors or reports.
TEST_F(Resuming, IgnoresACheckpointThatDoesNotFit) {
  using Change = void (*)(Checkpoint&);
  const Change changes[] = {
      [](Checkpoint& checkpoint) { checkpoint.tensors.clear(); },
      [](Checkpoint& checkpoint) { checkpoint.tensors.erase("network/dense.weight"); },
      [](Checkpoint& checkpoint) { checkpoint.tensors.at("network/dense.weight") = at::ones({3}); },
      [](Checkpoint& checkpoint) { checkpoint.epochs[1].erase("loss"); },
  };
  std::vector<at::Tensor> decayed;
  std::vector<at::Tensor> exempt;
  TrainableNetwork network = *TrainableNetwork::create(initial(4), "same parameters");
  for (const at::Tensor& parameter : network.parameters())
    (parameter.dim() > 1 ? decayed : exempt).push_back(parameter);
  torch::optim::AdamW optimizer(std::vector<torch::optim::OptimizerParamGroup>{
      torch::optim::OptimizerParamGroup(decayed), torch::optim::OptimizerParamGroup(exempt)});
  interrupt_after("epoch 2/");
  const auto written = read_checkpoint(checkpoints_, identity_, optimizer);
  ASSERT_TRUE(written);
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    SCOPED_TRACE(i);
    Checkpoint checkpoint = *written;
    changes[i](checkpoint);
    ASSERT_TRUE(write_checkpoint(checkpoints_, checkpoint, optimizer));
    expect_uninterrupted(3);
  }
  ASSERT_TRUE(write_checkpoint(checkpoints_, *written, optimizer));
  expect_uninterrupted(1);
}

TEST_F(Resuming, RestoresAJointTeacherAndProjections) {
  distill_ = DistillSettings{};
  distill_->teacher = TeacherTraining::joint;
  distill_->hints = {{"relu", "relu"}};
  const auto fresh_teacher = [] {
    return JointTeacher(*TrainableNetwork::create(initial(8, 6), "teacher"));
  };
  checkpoints_.clear();
  JointTeacher uninterrupted = fresh_teacher();
  teacher_ = &uninterrupted;
  ASSERT_TRUE(train(4));
  const std::string student = bits();
  const std::string taught = fingerprint(uninterrupted.network().model());

  checkpoints_ = scratch_->path();
  JointTeacher interrupted = fresh_teacher();
  teacher_ = &interrupted;
  interrupt_after("epoch 1/");
  EXPECT_NE(fingerprint(interrupted.network().model()), taught);
  JointTeacher resumed = fresh_teacher();
  teacher_ = &resumed;
  ASSERT_TRUE(train(4));
  EXPECT_EQ(messages_.size(), 2U);
  EXPECT_EQ(bits(), student);
  EXPECT_EQ(fingerprint(resumed.network().model()), taught);
}

TEST_F(Resuming, ADivergedLossNamesTheLastCheckpoint) {
  // Its 20th answer is no number.
  class Poison final : public Teacher {
   public:
    Result<at::Tensor> outputs(std::span<const int> indices, const at::Tensor&,
                               NamedTensors*) override {
      const float value = ++calls == 20 ? std::numeric_limits<float>::quiet_NaN() : 0.0F;
      return at::Tensor(at::full({std::int64_t(indices.size()), 2}, value));
    }
    Status features(const at::Tensor&, NamedTensors&) override { return {}; }
    Result<std::string> output_of(const std::string&) const override { return std::string(); }
    int calls = 0;
  } teacher;
  distill_ = DistillSettings{};
  teacher_ = &teacher;
  const Status status = train(4);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
  // 16 steps an epoch.
  EXPECT_THAT(status.error().message, HasSubstr("in epoch 2, step 4;"));
  EXPECT_THAT(status.error().message,
              HasSubstr(file().string() + " holds the network after epoch 1"));
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

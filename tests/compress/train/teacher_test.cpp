// Teachers and hints within a training, on the made-up set of bright halves.
#include "compress/train/teacher.hpp"

#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <torch/types.h>

#include <numeric>

#include "compress/train/hints.hpp"
#include "compress/train/trainer.hpp"
#include "tests/compress/train/bright_halves.hpp"
#include "tests/compress/train/distilling.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;
using testing_models::bright_halves;
using testing_models::distilling;
using testing_models::fingerprint;
using testing_models::initial;

TrainableNetwork network(std::uint64_t seed, int filters = 4, int stride = 1) {
  auto created = TrainableNetwork::create(initial(seed, filters, stride), "small");
  if (!created) throw std::runtime_error(created.error().message);
  return std::move(*created);
}

std::string bits(const TrainableNetwork& network) {
  return fingerprint(network.model());
}

class Teaching : public ::testing::Test {
 protected:
  Teaching() {
    settings_.epochs = 3;
    settings_.batch = 16;
    settings_.learning_rate = 0.01;
  }

  Result<std::vector<EpochReport>> train(TrainableNetwork& student, Teacher* teacher) const {
    return train_network({student,
                          {},
                          settings_,
                          distill_,
                          teacher,
                          train_,
                          validation_,
                          preprocessor_,
                          1,
                          "cpu",
                          {},
                          ""},
                         [](double, const std::string&) {}, {});
  }

  /// A network that has learned the task.
  TrainableNetwork trained(std::uint64_t seed, int filters = 4, int stride = 1) const {
    TrainableNetwork found = network(seed, filters, stride);
    const std::optional<DistillSettings> none;
    EXPECT_TRUE(train_network({found,
                               {},
                               settings_,
                               none,
                               nullptr,
                               train_,
                               validation_,
                               preprocessor_,
                               seed,
                               "cpu",
                               {},
                               ""},
                              [](double, const std::string&) {}, {}));
    return found;
  }

  double accuracy(TrainableNetwork& of) const {
    const c10::NoGradGuard no_gradients;
    std::vector<float> pixels;
    preprocessor_.slice(validation_, 0, validation_.count, pixels);
    const auto outputs =
        of.forward(torch::from_blob(pixels.data(), {validation_.count, 1, 8, 8}), false);
    EXPECT_TRUE(outputs);
    const at::Tensor best = outputs->argmax(1);
    int correct = 0;
    for (int i = 0; i < validation_.count; ++i)
      correct += best[i].item<int>() == validation_.labels[std::size_t(i)];
    return double(correct) / validation_.count;
  }

  /// As a logits stage would write them: image after image.
  std::vector<float> logits(TrainableNetwork& of) const {
    const c10::NoGradGuard no_gradients;
    std::vector<float> all;
    std::vector<float> pixels;
    for (int first = 0; first < train_.count; first += settings_.batch) {
      preprocessor_.slice(train_, first, settings_.batch, pixels);
      const auto outputs =
          of.forward(torch::from_blob(pixels.data(), {settings_.batch, 1, 8, 8}), false);
      EXPECT_TRUE(outputs);
      const at::Tensor rows = outputs->contiguous();
      all.insert(all.end(), rows.data_ptr<float>(), rows.data_ptr<float>() + rows.numel());
    }
    return all;
  }

  TrainSettings settings_;
  std::optional<DistillSettings> distill_ = DistillSettings{};
  ImageSet train_ = bright_halves(256, 1);
  ImageSet validation_ = bright_halves(64, 2);
  Preprocessor preprocessor_{{{0.4F}, {0.25F}}};
};

TEST(CachedTeacher, IsTheMeanOfItsTeachersByImage) {
  CachedTeacher teacher({{1, 2, 3, 4, 5, 6}, {3, 2, 1, 0, 0, 1}, {5, 5, 5, 2, 1, 2}}, 2);
  const std::vector<int> indices{2, 0};
  const auto rows = teacher.outputs(indices, torch::zeros({2, 1, 1, 1}), nullptr);
  ASSERT_TRUE(rows);
  EXPECT_TRUE(rows->equal(torch::tensor({{2.0F, 3.0F}, {3.0F, 3.0F}})));
  EXPECT_TRUE(teacher.parameters().empty());
}

TEST_F(Teaching, NetworksTeachLikeTheirCachedLogits) {
  TrainableNetwork one = trained(3);
  TrainableNetwork two = trained(5, 6);
  CachedTeacher cached({logits(one), logits(two)}, 2);
  TrainableNetwork from_logits = network(1);
  ASSERT_TRUE(train(from_logits, &cached));

  std::vector<TrainableNetwork> networks;
  networks.push_back(std::move(one));
  networks.push_back(std::move(two));
  NetworkTeacher live(std::move(networks));
  EXPECT_TRUE(live.parameters().empty());
  TrainableNetwork from_networks = network(1);
  ASSERT_TRUE(train(from_networks, &live));
  EXPECT_EQ(bits(from_networks), bits(from_logits));

  CachedTeacher alone({logits(from_logits)}, 2);
  TrainableNetwork otherwise = network(1);
  ASSERT_TRUE(train(otherwise, &alone));
  EXPECT_NE(bits(otherwise), bits(from_logits));
}

TEST_F(Teaching, AFixedTeacherStaysAsItIs) {
  std::vector<TrainableNetwork> networks;
  networks.push_back(*TrainableNetwork::create(trained(3).model(), "teacher"));
  const NamedTensors state = networks[0].state();  // shares its numbers with the teacher
  NamedTensors before;
  for (const auto& [name, tensor] : state)
    before[name] = tensor.clone();
  const at::Tensor weight = networks[0].layers()[0].weight;
  NetworkTeacher teacher(std::move(networks));
  TrainableNetwork student = network(1);
  ASSERT_TRUE(train(student, &teacher));
  for (const auto& [name, tensor] : state)
    EXPECT_TRUE(tensor.equal(before[name])) << name;
  EXPECT_FALSE(weight.grad().defined());
}

TEST_F(Teaching, AJointTeacherLearnsAlong) {
  distill_->teacher = TeacherTraining::joint;
  JointTeacher teacher(network(8, 6));
  EXPECT_EQ(teacher.parameters().size(), 5U);
  const std::string before = bits(teacher.network());
  TrainableNetwork untrained = network(8, 6);
  TrainableNetwork student = network(1);
  const auto reports = train(student, &teacher);
  ASSERT_TRUE(reports) << reports.error().message;
  EXPECT_NE(bits(teacher.network()), before);
  EXPECT_LT(accuracy(untrained), 0.9);
  TrainableNetwork taught = *TrainableNetwork::create(teacher.network().model(), "taught");
  EXPECT_GT(accuracy(taught), 0.95);
  EXPECT_GT(reports->back().validation_accuracy.value_or(0), 0.95);
  // The total holds the teacher's own loss too.
  const EpochReport& first = reports->front();
  ASSERT_TRUE(first.divergence);
  EXPECT_GT(first.loss, 0.5 * first.task_loss + 8 * *first.divergence + 0.01);
}

TEST_F(Teaching, HintsDrawFeaturesTogether) {
  for (const int filters : {4, 6}) {  // of the teacher; the student has 4
    SCOPED_TRACE(filters);
    distill_ = distilling(0, 0, 4);
    distill_->hints = {{"relu", "relu"}};
    settings_.epochs = 6;
    std::vector<TrainableNetwork> networks;
    networks.push_back(trained(3, filters));
    NetworkTeacher teacher(std::move(networks));
    TrainableNetwork student = network(1);
    const auto reports = train(student, &teacher);
    ASSERT_TRUE(reports) << reports.error().message;
    ASSERT_TRUE(reports->front().hint && reports->back().hint);
    EXPECT_LT(*reports->back().hint, 0.7 * *reports->front().hint);
    EXPECT_NEAR(reports->back().loss, *reports->back().hint, 1e-5);
  }
}

TEST_F(Teaching, HintsCountWithTheirWeight) {
  distill_->hints = {{"relu", "relu"}};
  distill_->hint_weight = 0;
  std::vector<TrainableNetwork> networks;
  networks.push_back(trained(3));
  NetworkTeacher teacher(std::move(networks));
  TrainableNetwork with = network(1);
  TrainableNetwork without = network(1);
  TrainableNetwork weighted = network(1);
  const auto reports = train(with, &teacher);
  ASSERT_TRUE(reports);
  EXPECT_TRUE(reports->back().hint);
  distill_->hint_weight = 2;
  ASSERT_TRUE(train(weighted, &teacher));
  distill_->hints.clear();
  ASSERT_TRUE(train(without, &teacher));
  EXPECT_EQ(bits(with), bits(without));
  EXPECT_NE(bits(weighted), bits(without));
}

TEST_F(Teaching, HintsProjectOnlyWhereChannelsDiffer) {
  const struct {
    int filters;
    std::size_t projections;
  } cases[] = {{4, 0}, {6, 1}};
  for (const auto& test : cases) {
    TrainableNetwork student = network(1);
    JointTeacher teacher(network(3, test.filters));
    distill_->hints = {{"relu", "relu"}, {"dense", "dense"}};
    const auto hints = Hints::create(student, &teacher, distill_, torch::zeros({1, 1, 8, 8}), 7);
    ASSERT_TRUE(hints) << hints.error().message;
    EXPECT_TRUE(hints->any());
    const auto projections = hints->parameters();
    ASSERT_EQ(projections.size(), test.projections);
    EXPECT_EQ(hints->state().size(), test.projections);
    if (test.projections == 0) continue;
    EXPECT_EQ(projections[0].sizes().vec(), (std::vector<std::int64_t>{6, 4, 1, 1}));
    EXPECT_TRUE(projections[0].requires_grad());
    EXPECT_LE(projections[0].abs().max().item<double>(), 0.5);  // sqrt(1 / 4)
    const auto again = Hints::create(student, &teacher, distill_, torch::zeros({1, 1, 8, 8}), 7);
    EXPECT_TRUE(again->parameters()[0].equal(projections[0]));
    const auto other = Hints::create(student, &teacher, distill_, torch::zeros({1, 1, 8, 8}), 8);
    EXPECT_FALSE(other->parameters()[0].equal(projections[0]));
  }
}

TEST_F(Teaching, HintLossIsTheMeanOverPairsOfTheSquaredError) {
  TrainableNetwork student = network(1);
  JointTeacher teacher(network(3));
  distill_->hints = {{"relu", "relu"}, {"dense", "dense"}};
  const auto hints = Hints::create(student, &teacher, distill_, torch::zeros({1, 1, 8, 8}), 7);
  ASSERT_TRUE(hints) << hints.error().message;
  const NamedTensors from{{"relu.output", torch::full({2, 4, 8, 8}, 3.0F)},
                          {"logits", torch::tensor({{1.0F, 2.0F}, {3.0F, 4.0F}})}};
  const NamedTensors to{{"relu.output", torch::full({2, 4, 8, 8}, 5.0F)},
                        {"logits", torch::tensor({{1.0F, 1.0F}, {1.0F, 2.0F}})}};
  const auto loss = hints->loss(from, to);
  ASSERT_TRUE(loss);
  EXPECT_FLOAT_EQ(loss->item<float>(), (4.0F + (0 + 1 + 4 + 4) / 4.0F) / 2);
}

TEST_F(Teaching, RefusesHintsThatCannotBe) {
  JointTeacher network_teacher(network(3));
  JointTeacher coarse(network(3, 4, 2));
  CachedTeacher cached({std::vector<float>(512, 0.0F)}, 2);
  const struct {
    Teacher* teacher;
    const char* student_layer;
    const char* teacher_layer;
    const char* expected;
  } cases[] = {
      {&network_teacher, "relu7", "relu", "no layer \"relu7\"; it has conv, conv.norm, relu"},
      {&network_teacher, "relu", "relu8", "no layer \"relu8\"; it has conv, conv.norm, relu"},
      {&coarse, "relu", "relu", "puts out 4 x 8 x 8"},
      {&coarse, "relu", "relu", "4 x 4 x 4; only the channels may differ"},
      {&network_teacher, "relu", "dense", "only the channels may differ"},
      {&cached, "relu", "relu", "hints need the teacher's network, not only its logits"}};
  for (const auto& test : cases) {
    distill_->hints = {{test.student_layer, test.teacher_layer}};
    TrainableNetwork student = network(1);
    const auto reports = train(student, test.teacher);
    ASSERT_FALSE(reports) << test.expected;
    EXPECT_EQ(reports.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(reports.error().message, HasSubstr(test.expected));
    EXPECT_EQ(bits(student), bits(network(1)));
  }
}

}  // namespace
}  // namespace assay

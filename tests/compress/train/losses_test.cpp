// Losses against values worked out by hand and against their properties.
#include "compress/train/losses.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>

#include "tests/compress/train/distilling.hpp"

namespace assay {
namespace {

using testing_models::distilling;

torch::Tensor row(std::initializer_list<float> values) {
  return torch::tensor(std::vector<float>(values)).unsqueeze(0);
}

Truth label(std::int64_t value, std::int64_t count = 1) {
  return {torch::full({count}, value, torch::kLong), {}};
}

Truth target(std::initializer_list<float> values) {
  return {{}, row(values)};
}

double value(const torch::Tensor& tensor) {
  return tensor.item<double>();
}

TEST(TrainingLoss, CrossEntropyHasTheClosedForm) {
  // softmax(0, ln 3) = (1/4, 3/4)
  const torch::Tensor logits = row({0, std::log(3.0F)});
  EXPECT_NEAR(value(training_loss(logits, label(0), {}, {}).total), std::log(4.0), 1e-6);
  EXPECT_NEAR(value(training_loss(logits, label(1), {}, {}).total), std::log(4.0 / 3), 1e-6);
}

TEST(TrainingLoss, DivergenceHasTheClosedForm) {
  // At T = 2 the teacher is (1/4, 3/4) and the student (1/2, 1/2):
  // KL = 1/4 ln(1/2) + 3/4 ln(3/2).
  const torch::Tensor teacher = row({0, 2 * std::log(3.0F)});
  const torch::Tensor student = row({1, 1});
  const double divergence = 0.25 * std::log(0.5) + 0.75 * std::log(1.5);
  const DistillSettings settings = distilling(0.25, 0.75, 2);
  const Loss loss = training_loss(student, label(0), teacher, settings);
  EXPECT_NEAR(value(loss.divergence), divergence, 1e-6);
  EXPECT_NEAR(value(loss.task), std::log(2.0), 1e-6);
  EXPECT_NEAR(value(loss.total), 0.25 * std::log(2.0) + 0.75 * 4 * divergence, 1e-6);
  const DistillSettings without = distilling(0.25, 0.75, 2, false);
  EXPECT_NEAR(value(training_loss(student, label(0), teacher, without).total),
              0.25 * std::log(2.0) + 0.75 * divergence, 1e-6);
}

TEST(TrainingLoss, IsTheMeanOverTheBatchAlone) {
  // Ten equal rows have the loss of one; a mean over classes too would divide it.
  const DistillSettings settings = distilling(0.5, 0.5, 3);
  const torch::Tensor teacher = row({2, -1, 0.5F});
  const torch::Tensor student = row({0.1F, 0.7F, -2});
  const double one = value(training_loss(student, label(2), teacher, settings).total);
  const double ten =
      value(training_loss(student.repeat({10, 1}), label(2, 10), teacher.repeat({10, 1}), settings)
                .total);
  EXPECT_NEAR(ten, one, 1e-5);
}

TEST(TrainingLoss, VanishesWhereStudentAndTeacherAgree) {
  const torch::Tensor logits = row({3, -1, 0});
  const DistillSettings settings = distilling(0, 1, 4);
  EXPECT_NEAR(value(training_loss(logits, label(0), logits + 5, settings).total), 0, 1e-6);
}

TEST(TrainingLoss, AlphaOneIsPlainCrossEntropy) {
  torch::Tensor plain = row({0.3F, -1, 2}).requires_grad_();
  torch::Tensor distilled = row({0.3F, -1, 2}).requires_grad_();
  const Loss a = training_loss(plain, label(1), {}, {});
  const Loss b = training_loss(distilled, label(1), row({1, 2, 3}), distilling(1, 0, 4));
  a.total.backward();
  b.total.backward();
  EXPECT_EQ(value(a.total), value(b.total));
  EXPECT_TRUE(plain.grad().equal(distilled.grad()));
}

TEST(TrainingLoss, TSquaredKeepsTheGradientsSize) {
  // For large T the gradient of T^2 KL tends to the difference of the centred logits over the
  // number of classes (Hinton et al., 2015, equation 4), whatever T is; without T^2 it falls as 1 /
  // T^2.
  const torch::Tensor teacher = row({1, -1, 0});
  for (double temperature : {50.0, 200.0})
    for (bool t_squared : {true, false}) {
      torch::Tensor student = row({0, 0, 0}).to(torch::kDouble).requires_grad_();
      const DistillSettings settings = distilling(0, 1, temperature, t_squared);
      training_loss(student, label(0), teacher.to(torch::kDouble), settings).total.backward();
      const double scale = t_squared ? 1 : 1 / (temperature * temperature);
      const double* gradient = student.grad().data_ptr<double>();
      EXPECT_NEAR(gradient[0] / scale, -1.0 / 3, 0.01);
      EXPECT_NEAR(gradient[1] / scale, 1.0 / 3, 0.01);
      EXPECT_NEAR(gradient[2] / scale, 0, 0.01);
    }
}

TEST(TrainingLoss, SendsNoGradientToTheTeacher) {
  torch::Tensor teacher = row({1, 2}).requires_grad_();
  torch::Tensor student = row({2, 1}).requires_grad_();
  training_loss(student, label(0), teacher, distilling(0.5, 0.5, 2)).total.backward();
  EXPECT_FALSE(teacher.grad().defined());
}

TEST(TrainingLoss, OfARegressionIsTheSquaredError) {
  const torch::Tensor outputs = row({1, 5});
  // ((1 - 2)^2 + (5 - 2)^2) / 2 and ((1 - 3)^2 + (5 - 4)^2) / 2.
  const Loss plain = training_loss(outputs, target({2, 2}), {}, {});
  EXPECT_FLOAT_EQ(float(value(plain.total)), 5);
  EXPECT_FALSE(plain.divergence.defined());
  EXPECT_FLOAT_EQ(float(value(task_loss(outputs, target({2, 2})))), 5);
  for (const bool t_squared : {true, false}) {
    const DistillSettings settings =
        distilling(0.25, 0.5, 4, t_squared);  // no temperature in a regression
    const Loss loss = training_loss(outputs, target({2, 2}), row({3, 4}), settings);
    EXPECT_FLOAT_EQ(float(value(loss.task)), 5);
    EXPECT_FLOAT_EQ(float(value(loss.divergence)), 2.5F);
    EXPECT_FLOAT_EQ(float(value(loss.total)), 0.25F * 5 + 0.5F * 2.5F);
  }
}

/// Total and teacher gradient of a joint training.
std::pair<double, std::vector<float>> joint(const torch::Tensor& outputs, const Truth& truth,
                                            torch::Tensor teacher) {
  DistillSettings settings = distilling(0.25, 0.75, 2);
  settings.teacher = TeacherTraining::joint;
  teacher.requires_grad_();
  const Loss loss = training_loss(outputs, truth, teacher, settings);
  loss.total.backward();
  const float* gradient = teacher.grad().data_ptr<float>();
  return {value(loss.total), {gradient, gradient + teacher.numel()}};
}

TEST(TrainingLoss, AJointTeacherAddsItsOwnTaskLoss) {
  // The teacher is (1/4, 3/4); at T = 2 it is (1/(1 + r), r/(1 + r)) with r = sqrt(3).
  const double r = std::sqrt(3.0);
  const double divergence = (std::log(2 / (1 + r)) + r * std::log(2 * r / (1 + r))) / (1 + r);
  const auto [total, gradient] =
      joint(row({1, 1}).requires_grad_(), label(0), row({0, std::log(3.0F)}));
  EXPECT_NEAR(total, 0.25 * std::log(2.0) + 0.75 * 4 * divergence + std::log(4.0), 1e-6);
  // Only by its own cross-entropy: softmax minus one-hot.
  EXPECT_NEAR(gradient[0], 0.25 - 1, 1e-6);
  EXPECT_NEAR(gradient[1], 0.75, 1e-6);
}

TEST(TrainingLoss, AJointTeacherOfARegressionAddsItsSquaredError) {
  const auto [total, gradient] = joint(row({1, 5}).requires_grad_(), target({2, 2}), row({3, 4}));
  EXPECT_NEAR(total, 0.25 * 5 + 0.75 * 2.5 + (1 + 4) / 2.0, 1e-6);
  EXPECT_NEAR(gradient[0], 1, 1e-6);  // 2 (3 - 2) / 2
  EXPECT_NEAR(gradient[1], 2, 1e-6);
}

}  // namespace
}  // namespace assay

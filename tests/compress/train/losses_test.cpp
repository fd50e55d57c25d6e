// Losses against values worked out by hand and against their properties.
#include "compress/train/losses.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>

namespace assay {
namespace {

torch::Tensor row(std::initializer_list<float> values) {
  return torch::tensor(std::vector<float>(values)).unsqueeze(0);
}

torch::Tensor label(std::int64_t value) {
  return torch::full({1}, value, torch::kLong);
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
  const DistillSettings settings{0.25, 0.75, 2, true};
  const Loss loss = training_loss(student, label(0), teacher, settings);
  EXPECT_NEAR(value(loss.divergence), divergence, 1e-6);
  EXPECT_NEAR(value(loss.cross_entropy), std::log(2.0), 1e-6);
  EXPECT_NEAR(value(loss.total), 0.25 * std::log(2.0) + 0.75 * 4 * divergence, 1e-6);
  const DistillSettings without{0.25, 0.75, 2, false};
  EXPECT_NEAR(value(training_loss(student, label(0), teacher, without).total),
              0.25 * std::log(2.0) + 0.75 * divergence, 1e-6);
}

TEST(TrainingLoss, IsTheMeanOverTheBatchAlone) {
  // Ten equal rows have the loss of one; a mean over classes too would divide it.
  const DistillSettings settings{0.5, 0.5, 3, true};
  const torch::Tensor teacher = row({2, -1, 0.5F});
  const torch::Tensor student = row({0.1F, 0.7F, -2});
  const double one = value(training_loss(student, label(2), teacher, settings).total);
  const double ten = value(training_loss(student.repeat({10, 1}), label(2).repeat({10}),
                                         teacher.repeat({10, 1}), settings)
                               .total);
  EXPECT_NEAR(ten, one, 1e-5);
}

TEST(TrainingLoss, VanishesWhereStudentAndTeacherAgree) {
  const torch::Tensor logits = row({3, -1, 0});
  const DistillSettings settings{0, 1, 4, true};
  EXPECT_NEAR(value(training_loss(logits, label(0), logits + 5, settings).total), 0, 1e-6);
}

TEST(TrainingLoss, AlphaOneIsPlainCrossEntropy) {
  torch::Tensor plain = row({0.3F, -1, 2}).requires_grad_();
  torch::Tensor distilled = row({0.3F, -1, 2}).requires_grad_();
  const Loss a = training_loss(plain, label(1), {}, {});
  const Loss b = training_loss(distilled, label(1), row({1, 2, 3}), DistillSettings{1, 0, 4, true});
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
      const DistillSettings settings{0, 1, temperature, t_squared};
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
  training_loss(student, label(0), teacher, DistillSettings{0.5, 0.5, 2, true}).total.backward();
  EXPECT_FALSE(teacher.grad().defined());
}

}  // namespace
}  // namespace assay

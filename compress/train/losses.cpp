#include "compress/train/losses.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mse_loss.h>

namespace assay {
namespace {

/// Mean over the batch of KL(teacher || student) at temperature T.
at::Tensor divergence_at(double temperature, const at::Tensor& teacher_logits,
                         const at::Tensor& logits) {
  const at::Tensor teacher = at::log_softmax(teacher_logits / temperature, 1);
  const at::Tensor student = at::log_softmax(logits / temperature, 1);
  return (teacher.exp() * (teacher - student)).sum(1).mean();
}

}  // namespace

at::Tensor task_loss(const at::Tensor& outputs, const Truth& truth) {
  if (truth.targets.defined()) return at::mse_loss(outputs, truth.targets);
  return at::cross_entropy_loss(outputs, truth.labels);
}

Loss training_loss(const at::Tensor& outputs, const Truth& truth, const at::Tensor& teacher,
                   const std::optional<DistillSettings>& distill) {
  Loss loss;
  loss.task = task_loss(outputs, truth);
  loss.total = loss.task;
  if (!distill) return loss;
  const bool regression = truth.targets.defined();
  const double temperature = distill->temperature;
  loss.divergence = regression ? at::mse_loss(outputs, teacher.detach())
                               : divergence_at(temperature, teacher.detach(), outputs);
  const double scale = distill->t_squared && !regression ? temperature * temperature : 1.0;
  loss.total = distill->alpha * loss.task + distill->beta * scale * loss.divergence;
  if (distill->teacher == TeacherTraining::joint)
    loss.total = loss.total + task_loss(teacher, truth);
  return loss;
}

}  // namespace assay

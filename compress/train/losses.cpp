#include "compress/train/losses.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/log_softmax.h>

namespace assay {

Loss training_loss(const at::Tensor& logits, const at::Tensor& labels,
                   const at::Tensor& teacher_logits,
                   const std::optional<DistillSettings>& distill) {
  Loss loss;
  loss.cross_entropy = at::cross_entropy_loss(logits, labels);
  loss.total = loss.cross_entropy;
  if (!distill) return loss;
  const double temperature = distill->temperature;
  const at::Tensor teacher = at::log_softmax(teacher_logits.detach() / temperature, 1);
  const at::Tensor student = at::log_softmax(logits / temperature, 1);
  loss.divergence = (teacher.exp() * (teacher - student)).sum(1).mean();
  const double scale = distill->t_squared ? temperature * temperature : 1.0;
  loss.total = distill->alpha * loss.cross_entropy + distill->beta * scale * loss.divergence;
  return loss;
}

}  // namespace assay

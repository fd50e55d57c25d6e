// The loss of a training, with its terms apart. Include only where Torch is wanted. Pure functions.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "compress/methods/distillation.hpp"

namespace assay {

/// What the right answers are: exactly one of the two is defined.
struct Truth {
  at::Tensor labels;   ///< int64 [N]
  at::Tensor targets;  ///< float [N][outputs], of a regression
};

/// Means over the batch. `total` is what is minimized; the terms are unweighted.
struct Loss {
  at::Tensor total;
  at::Tensor task;        ///< cross-entropy with the labels, or squared error to the targets
  at::Tensor divergence;  ///< from the teacher; undefined without one
};

/// Cross-entropy with the labels, or the mean squared error to the targets.
at::Tensor task_loss(const at::Tensor& outputs, const Truth& truth);

/// `outputs` float [N][outputs]; `teacher` like it, used only with `distill`. The formula stands at
/// DistillSettings; a teacher that learns jointly adds its own task loss. Hints come on top.
Loss training_loss(const at::Tensor& outputs, const Truth& truth, const at::Tensor& teacher,
                   const std::optional<DistillSettings>& distill);

}  // namespace assay

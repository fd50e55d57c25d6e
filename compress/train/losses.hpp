// The loss of a training, with its terms apart. Include only where Torch is wanted. Pure functions.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "compress/train/stage_description.hpp"

namespace assay {

/// Means over the batch. `total` is what is minimized; the terms are unweighted.
struct Loss {
  at::Tensor total;
  at::Tensor cross_entropy;
  at::Tensor divergence;  ///< KL(teacher || student) at temperature T; undefined without a teacher
};

/// `logits` float [N][classes], `labels` int64 [N]; `teacher_logits` like `logits`, constant, used
/// only with `distill`. Plain cross-entropy without it; the formula stands at DistillSettings.
Loss training_loss(const at::Tensor& logits, const at::Tensor& labels,
                   const at::Tensor& teacher_logits, const std::optional<DistillSettings>& distill);

}  // namespace assay

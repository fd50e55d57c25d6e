// What one epoch of a training came to, in training.json and in checkpoints. Plain values.
#pragma once

#include <optional>

#include "harness/core/json.hpp"

namespace assay {

/// What is known after an epoch; losses are means over its steps.
struct EpochReport {
  double learning_rate = 0;  ///< of its last step
  double loss = 0;
  double task_loss = 0;              ///< cross-entropy, or squared error of a regression
  std::optional<double> divergence;  ///< with distillation
  std::optional<double> hint;        ///< with hints
  /// Fraction of the validation images classified correctly; of a regression the mean Euclidean
  /// error instead.
  std::optional<double> validation_accuracy;
  std::optional<double> validation_error;
};

Json to_json(const EpochReport& report);
/// What to_json wrote. Throws Json::exception for a field that is missing or no number.
EpochReport read_epoch_report(const Json& json);

}  // namespace assay

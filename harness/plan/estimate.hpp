// Rough times of stages on one core of a small machine: enough to tell minutes from nights. Taken
// from runs of the demo; they never enter a key.
#pragma once

#include "harness/core/result.hpp"
#include "harness/core/units.hpp"
#include "harness/plan/config.hpp"

namespace assay::estimate {

constexpr double import_seconds = 4;
constexpr double evaluate_torch_seconds = 4;
constexpr double quantize_seconds = 2;
constexpr double evaluate_seconds = 6;
constexpr double trial_seconds = 3;
constexpr double firmware_seconds = 1;
constexpr double logits_seconds = 10;
constexpr double measurement_seconds = 8;
constexpr double host_record_seconds = 0.1;

/// Time to train a configuration's network for so many epochs: epochs x images x MACs, over the
/// rate a core trains at. Errors: bad_input for an unknown data set.
Result<double> training_seconds(const Config& config, int epochs, Macs macs);

}  // namespace assay::estimate

// Trains one network on one data set. Torch stays behind this header.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "compress/data/dataset.hpp"
#include "compress/train/layer_parameters.hpp"
#include "compress/train/preprocess.hpp"
#include "compress/train/stage_description.hpp"

namespace assay {

/// How far a stage is, 0 to 1, and one sentence about it.
using Progress = std::function<void(double fraction, const std::string& message)>;

/// What a training starts from. The references outlive the training.
struct TrainingTask {
  const ModelSpec& spec;
  const TrainSettings& settings;
  const std::optional<DistillSettings>& distill;
  const ImageSet& train;
  const ImageSet& validation;
  const Preprocessor& preprocessor;
  std::span<const float> teacher_logits;  ///< [train.count][classes]; empty without `distill`
  std::uint64_t seed = 1;
};

/// What is known after an epoch; losses are means over its steps.
struct EpochReport {
  double learning_rate = 0;  ///< of its last step
  double loss = 0;
  double cross_entropy = 0;
  std::optional<double> divergence;  ///< with distillation
  double validation_accuracy = 0;    ///< 0 to 1
};

struct TrainedNetwork {
  std::vector<LayerParameters> layers;  ///< one per layer of the spec, batch normalization folded
  std::vector<EpochReport> epochs;
};

/// The rate of step `step` of `steps` under a schedule whose peak is `peak`.
double scheduled_rate(Schedule schedule, double peak, std::int64_t step, std::int64_t steps);

/// The same task gives the same bits at one thread count on one kind of processor: `seed` alone
/// decides the initial weights (Torch's generator) and the order of the images (our own:
/// Fisher-Yates over std::mt19937_64, an index below n being the upper 32 bits of a draw times n,
/// over 2^32). Errors: bad_input when the loss stops being a number, or the task has fewer images
/// than a batch; interrupted.
Result<TrainedNetwork> train_network(const TrainingTask& task, const Progress& progress,
                                     std::stop_token stop);

}  // namespace assay

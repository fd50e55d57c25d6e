// Trains one network on one data set. Include only where Torch is wanted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "compress/data/augment.hpp"
#include "compress/data/dataset.hpp"
#include "compress/methods/distillation.hpp"
#include "compress/train/epoch_report.hpp"
#include "compress/train/preprocess.hpp"
#include "compress/train/stage_clock.hpp"
#include "compress/train/teacher.hpp"
#include "compress/train/train_settings.hpp"
#include "compress/train/trainable_network.hpp"

namespace assay {

/// How far a stage is, 0 to 1, and one sentence about it.
using Progress = std::function<void(double fraction, const std::string& message)>;

/// What a training starts from. The references outlive the training.
struct TrainingTask {
  TrainableNetwork& network;                 ///< trained in place
  std::span<TrainingMethod* const> methods;  ///< in the order they act
  const TrainSettings& settings;
  const std::optional<DistillSettings>& distill;
  Teacher* teacher;  ///< with `distill`
  const ImageSet& train;
  const ImageSet& validation;
  const Preprocessor& preprocessor;
  std::uint64_t seed = 1;
  std::string device = "cpu";
  /// A folder for checkpoint.pt, written after every epoch; empty: none.
  std::filesystem::path checkpoints;
  /// What the training is, so that a checkpoint of another one is not taken up.
  std::string identity;
  const Augmenter* augmenter = nullptr;  ///< of the training images; none: as they are
  StageClock* clock = nullptr;  ///< kept in checkpoints, and set by one; none: times of no interest
};

/// Trains. The same task gives the same bits at one thread count on one kind of processor, resumed
/// from a checkpoint or not: `seed` decides the order of the images (Fisher-Yates over
/// std::mt19937_64, an index below n being the upper 32 bits of a draw times n, over 2^32). Errors:
/// bad_input when the loss or, after an epoch, a weight stops being a number (naming epoch and the
/// last checkpoint), the task has fewer images than a batch, or a hint names an unknown layer;
/// interrupted.
Result<std::vector<EpochReport>> train_network(const TrainingTask& task, const Progress& progress,
                                               std::stop_token stop);

}  // namespace assay

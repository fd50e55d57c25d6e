// The state of an interrupted training, in one file. Include only where Torch is wanted.
#pragma once

#include <torch/optim/adamw.h>

#include <filesystem>
#include <optional>
#include <vector>

#include "compress/train/stage_clock.hpp"
#include "compress/train/training_method.hpp"
#include "harness/core/json.hpp"

namespace assay {

/// What a training needs to go on after `epochs` epochs with the same bits.
struct Checkpoint {
  std::string identity;  ///< of the training
  Json epochs;           ///< reports so far
  NamedTensors tensors;  ///< network, teacher and methods
  StageTime spent;       ///< until it was written
};

/// Writes `folder`/checkpoint.pt, whole or not at all. Errors: infrastructure.
Status write_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint,
                        const torch::optim::AdamW& optimizer);

/// Reads it back, the optimizer's state into `optimizer`, which holds the same parameters. Nothing
/// when there is none, it is of another training, or it cannot be read: a training then starts from
/// the beginning.
std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& folder,
                                          const std::string& identity,
                                          torch::optim::AdamW& optimizer);

}  // namespace assay

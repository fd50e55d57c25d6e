// Stages of one model file, in place of an earlier stage's output.
#pragma once

#include <filesystem>
#include <string>

#include "harness/plan/deploy_goal.hpp"
#include "harness/plan/stage.hpp"
#include "harness/run/cache.hpp"

namespace assay::cli {

/// A stage whose input "model" is the file with that SHA-256; `facts` as for stage_key.
Stage model_stage(StageKind kind, Json settings, const std::string& model_hash, Json facts);

/// From a model to its firmware for a board type.
struct FirmwareStages {
  Stage trial;     ///< reads "model"
  Stage firmware;  ///< reads "model" and the trial's trial.json as "trial"
};

/// Errors: bad_input when the board type's files cannot be read.
Result<FirmwareStages> firmware_stages(const BoardType& type, const Pace& pace,
                                       const DeployGoal& goal, const std::string& model_hash);

/// Tells a terminal what takes half a minute, when the trial's result is not there yet.
void announce_trial(const StageCache& cache, const FirmwareStages& stages, const BoardType& type);

}  // namespace assay::cli

// Runs one stage: a worker process for what needs Torch, a function for the rest.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>

#include "harness/plan/stage.hpp"
#include "harness/run/cache.hpp"

namespace assay {

/// Told how far a stage is: 0..1 and a few words ("epoch 2/4: loss 0.31").
using StageProgress = std::function<void(double fraction, const std::string& message)>;

/// Computes the outputs of `stage` into `directory`. `inputs` are the paths of its input files by
/// name. `checkpoints` is an existing folder where a stage that learns keeps its state, or empty.
/// Errors: the stage's own; infrastructure when the worker died or is not built; interrupted.
Status run_stage(const Stage& stage, const std::map<std::string, std::filesystem::path>& inputs,
                 const std::filesystem::path& directory, const std::filesystem::path& checkpoints,
                 const StageProgress& progress, std::stop_token stop);

/// The result of `stage` in the cache, computed if it is not there or damaged. Waits when another
/// process is computing it. The checkpoints of a stage that learns stay in the cache until its
/// result is there, so that after an interruption, a failure or a crash the next call goes on from
/// them. Errors: as for run_stage.
Result<std::filesystem::path> ensure_stage(
    const StageCache& cache, const Stage& stage,
    const std::map<std::string, std::filesystem::path>& inputs, const StageProgress& progress,
    std::stop_token stop);

}  // namespace assay

// What each kind of stage does: files in, files out. One stage a process, so nothing is shared.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "compress/train/stage_clock.hpp"
#include "compress/train/stage_description.hpp"

namespace assay {

/// Where a stage writes, whom it tells, and when it must end.
struct StageContext {
  std::filesystem::path out;  ///< an existing folder, private to this run
  std::function<void(double fraction, const std::string& message)> progress;
  std::stop_token stop;
  /// Where a training keeps its checkpoint, so that the next run of the same stage goes on from it;
  /// empty: nowhere.
  std::filesystem::path checkpoints;
  StageClock& clock;  ///< of the whole stage, for log.json and checkpoints
};

/// Runs the stage. Its output files have the same bytes for the same description and inputs; how
/// long it took, with the part up to a checkpoint, and the memory it needed go to log.json beside
/// them. Errors: bad_input (data that changed before the end, unusable model, logits of another
/// data set, settings that do not train, a device that is not there), infrastructure (cannot write,
/// a failure inside Torch), interrupted.
Status run_stage(const StageDescription& stage, const StageContext& context);

Status run_work(const StageDescription& stage, const TrainStage& work, const StageContext& context);
Status run_work(const StageDescription& stage, const PruneStage& work, const StageContext& context);
Status run_work(const StageDescription& stage, const ClusterStage& work,
                const StageContext& context);
Status run_work(const StageDescription& stage, const LogitsStage& work,
                const StageContext& context);
Status run_work(const StageDescription& stage, const QuantizeStage& work,
                const StageContext& context);
Status run_work(const StageDescription& stage, const EvaluateStage& work,
                const StageContext& context);
Status run_work(const StageDescription& stage, const ImportStage& work,
                const StageContext& context);

/// JSON as every stage writes it: indented, a newline at the end.
Status write_json(const std::filesystem::path& path, const Json& value);

}  // namespace assay

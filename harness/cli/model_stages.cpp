#include "harness/cli/model_stages.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "harness/plan/plan.hpp"

namespace assay::cli {

Stage model_stage(StageKind kind, Json settings, const std::string& model_hash, Json facts) {
  Stage stage;
  stage.kind = kind;
  stage.label = fmt::format("{} {}", to_string(kind), model_hash.substr(0, 12));
  stage.settings = std::move(settings);
  stage.key = stage_key(stage, {}, {{"model", model_hash}, {"facts", std::move(facts)}});
  return stage;
}

Result<FirmwareStages> firmware_stages(const BoardType& type, const Pace& pace,
                                       const DeployGoal& goal, const std::string& model_hash) {
  ASSAY_TRY(const Json hardware, hardware_facts(type));
  FirmwareStages stages;
  stages.trial =
      model_stage(StageKind::trial, trial_settings(type, pace.clock), model_hash, hardware);
  stages.firmware = model_stage(StageKind::firmware, firmware_settings(type, pace, goal),
                                model_hash, {{"hardware", hardware}, {"trial", stages.trial.key}});
  return stages;
}

void announce_trial(const StageCache& cache, const FirmwareStages& stages, const BoardType& type) {
  if (cache.has(stages.trial) || !::isatty(STDERR_FILENO)) return;
  fmt::print(stderr, "assay: trying every kernel for every layer on a virtual {}, once per model\n",
             type.part.title);
}

}  // namespace assay::cli

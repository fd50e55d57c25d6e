#include "harness/run/stage_runner.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compress/train/cpu_level.hpp"
#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"
#include "harness/run/firmware_stage.hpp"
#include "harness/run/host_evaluation.hpp"
#include "harness/run/trial_stage.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// A progress line of the worker; anything else it prints is not for us.
void forward_progress(std::string_view line, const StageProgress& progress) {
  const Json json = Json::parse(line, nullptr, false);
  if (json.is_object() && json.value("event", "") == "progress")
    progress(json.value("fraction", 0.0), json.value("message", ""));
}

/// The worker's own sentence, without the program's name in front.
std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  text = text.substr(text.rfind('\n') + 1);
  constexpr std::string_view prefix = "assay-train: ";
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

ErrorKind kind_of_exit(int code) {
  for (auto kind : {ErrorKind::bad_input, ErrorKind::failed_verdict, ErrorKind::interrupted})
    if (code == exit_code(kind)) return kind;
  return ErrorKind::infrastructure;
}

Status run_worker(const Stage& stage, const std::map<std::string, fs::path>& inputs,
                  const fs::path& directory, const fs::path& checkpoints,
                  const StageProgress& progress, std::stop_token stop) {
  const auto worker = own_program("assay-train");
  if (!fs::exists(worker))
    return fail(ErrorKind::infrastructure,
                fmt::format("{} is not built; training needs a build with ASSAY_TRAIN=ON",
                            worker.string()));
  Json description = stage.settings;
  for (const auto& [name, path] : inputs)
    description["inputs"][name] = path.string();
  for (const auto& [name, path] : stage.files)
    description["inputs"][name] = path.string();
  const auto file = directory / "stage.json";
  ASSAY_CHECK(write_atomically(file, description.dump(2)));

  ProcessSpec spec;
  spec.arguments = {worker.string(), file.string(), "--out", directory.string()};
  if (!checkpoints.empty())
    spec.arguments.insert(spec.arguments.end(), {"--checkpoints", checkpoints.string()});
  // Set before the worker starts, they need not make it start itself anew.
  if (const auto level = cpu_level_of(description.value("cpu", "")))
    spec.environment = cpu_environment(*level);
  spec.on_output_line = [&](std::string_view line) { forward_progress(line, progress); };
  ASSAY_TRY(const auto outcome, run_process(spec, stop));
  if (outcome.cancelled) return fail(ErrorKind::interrupted, "interrupted");
  if (outcome.exit_code == 0) {
    fs::remove(file);  // its paths are this machine's; the settings are in the key
    return {};
  }
  const auto sentence = last_line(outcome.errors);
  return fail(
      kind_of_exit(outcome.exit_code),
      sentence.empty()
          ? fmt::format("the training worker ended with code {} and no message", outcome.exit_code)
          : sentence);
}

}  // namespace

Status run_stage(const Stage& stage, const std::map<std::string, fs::path>& inputs,
                 const fs::path& directory, const fs::path& checkpoints,
                 const StageProgress& progress, std::stop_token stop) {
  if (runs_in_worker(stage.kind))
    return run_worker(stage, inputs, directory, checkpoints, progress, stop);
  const auto& model = inputs.at("model");
  if (stage.kind == StageKind::evaluate)
    return evaluate_on_host(
        model, stage.settings.at("data"), stage.settings.at("fingerprint"), directory,
        [&](double fraction) { progress(fraction, "streaming images"); }, stop);
  ASSAY_TRY(const auto type, load_board_type(stage.settings.at("board_type")));
  const std::string level = stage.settings.at("compiler_level");
  const Hertz clock(stage.settings.at("clock_hz"));
  if (stage.kind == StageKind::trial)
    return try_kernels_stage({model, type, clock, level}, directory, stop);
  ASSAY_TRY(const auto goal, parse_goal(stage.settings.at("goal")));
  return build_firmware_stage({.model = model,
                               .trial = inputs.at("trial"),
                               .board_type = type,
                               .pace = {clock, stage.settings.value("calibration_factor", 1.0)},
                               .compiler_level = level,
                               .goal = goal},
                              directory, stop);
}

Result<fs::path> ensure_stage(const StageCache& cache, const Stage& stage,
                              const std::map<std::string, fs::path>& inputs,
                              const StageProgress& progress, std::stop_token stop) {
  ASSAY_TRY(const auto lock, StageLock::acquire(cache, stage, stop));
  if (!cache.has(stage) || !cache.check(stage)) {
    ASSAY_TRY(auto scratch, cache.begin(stage));
    fs::path checkpoints;
    if (keeps_checkpoints(stage.kind)) {
      ASSAY_TRY(checkpoints, cache.checkpoints(stage));
    }
    const auto status = run_stage(stage, inputs, scratch.path(), checkpoints, progress, stop);
    if (!status) {
      std::error_code not_empty;
      fs::remove(checkpoints, not_empty);  // unless there is something to go on from
    }
    ASSAY_CHECK(status);
    ASSAY_CHECK(cache.publish(stage, std::move(scratch)));
  }
  cache.drop_checkpoints(stage);
  return cache.path(stage);
}

}  // namespace assay

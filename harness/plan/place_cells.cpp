#include <cmath>
#include <map>

#include <fmt/format.h>

#include "harness/core/calibration_file.hpp"
#include "harness/core/elf.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/record.hpp"
#include "harness/plan/estimate.hpp"
#include "harness/plan/plan.hpp"

namespace assay {
namespace {

using Configs = std::vector<std::size_t>;

/// The mean over the seeds, to where a sum's rounding cannot tell two equal ones apart.
std::optional<double> score_of(const Plan& plan, const Configs& candidate, const Scores& scores) {
  double sum = 0;
  for (const std::size_t config : candidate) {
    const auto score = scores(host_key(plan, config));
    if (!score) return std::nullopt;
    sum += *score;
  }
  return std::round(sum / static_cast<double>(candidate.size()) * 1e9) / 1e9;
}

/// The first of the best; nothing while a score is missing.
const Configs* best_of(const Plan& plan, const SelectionGroup& group, const Scores& scores) {
  const Configs* best = nullptr;
  double highest = 0;
  for (const auto& candidate : group.candidates) {
    const auto score = score_of(plan, candidate, scores);
    if (!score) return nullptr;
    if (best && *score <= highest) continue;
    best = &candidate;
    highest = *score;
  }
  return best;
}

/// The configurations that a selection sends to the boards; `choice` gets what it came to.
std::set<std::size_t> choose(const Plan& plan, const Scores& scores, Choice& choice) {
  std::set<std::size_t> chosen;
  for (const auto& group : plan.expansion.groups) {
    if (group.candidates.size() == 1) {
      chosen.insert(group.candidates[0].begin(), group.candidates[0].end());
      continue;
    }
    ++choice.groups;
    if (const Configs* best = best_of(plan, group, scores))
      choice.best.insert(best->begin(), best->end());
    else
      ++choice.undecided;
  }
  chosen.insert(choice.best.begin(), choice.best.end());
  return chosen;
}

Cell board_cell(const Plan& plan, std::size_t config_index, Placement placement) {
  const Config& config = plan.expansion.configs[config_index];
  const auto& deploy = plan.matrix.deploy;
  const auto& target = deploy.on[placement.target];
  const auto clock = target.clock.value_or(target.board_type.clock).count();
  Cell cell;
  cell.config = config_index;
  cell.placement = placement;
  cell.label = fmt::format("{}@{}", config.label(), target.board_type.name);
  if (target.clock)
    cell.label += fmt::format("-{:g}MHz", static_cast<double>(target.clock->count()) / 1e6);
  if (target.optimize) cell.label += fmt::format("-{}", to_string(*target.optimize));
  if (target.ram_budget) cell.label += fmt::format("-ram{}", target.ram_budget->count());
  cell.cell_id = sha256_hex(canonical_json({{"config", config.config_id()},
                                            {"board_type", target.board_type.name},
                                            {"virtual", target.virtual_board},
                                            {"clock_hz", clock},
                                            {"format", "int8"},
                                            {"goal", to_json(goal_of(deploy, target))}}));
  const auto& stages = plan.configs[config_index];
  Json facts{{"cell", cell.cell_id},
             {"firmware", plan.stages[placement.firmware].key},
             {"evaluate", plan.stages[stages.evaluate].key},
             {"evaluate_float", plan.stages[stages.evaluate_float].key},
             {"samples", deploy.samples},
             {"code", measurement_code_version(target.virtual_board)}};
  const auto calibration = calibration_of(plan, target.board_type.part);
  if (target.virtual_board && calibration) facts["calibration"] = to_json(*calibration);
  cell.measurement_key = sha256_hex(canonical_json(facts));
  return cell;
}

std::string host_cell_id(const Config& config) {
  return sha256_hex(
      canonical_json({{"config", config.config_id()}, {"board_type", std::string(host_target)}}));
}

Cell host_cell(const Plan& plan, std::size_t config_index) {
  const Config& config = plan.expansion.configs[config_index];
  Cell cell;
  cell.config = config_index;
  cell.label = fmt::format("{}@{}", config.label(), host_target);
  cell.cell_id = host_cell_id(config);
  cell.measurement_key = host_key(plan, config_index);
  return cell;
}

/// Adds the stages of firmware to a plan, each once.
class FirmwareStages {
 public:
  explicit FirmwareStages(Plan& plan) : plan_(plan) {
    for (std::size_t i = 0; i < plan.stages.size(); ++i)
      if (plan.stages[i].kind == StageKind::trial || plan.stages[i].kind == StageKind::firmware)
        by_key_[plan.stages[i].key] = i;
  }

  Result<std::size_t> add(std::size_t config, std::size_t target_index) {
    const auto& target = plan_.matrix.deploy.on[target_index];
    const auto& type = target.board_type;
    if (!facts_.contains(target_index)) {
      ASSAY_TRY(const Json facts, hardware_facts(type));
      facts_[target_index] = sha256_hex(canonical_json(facts));  // they are long, and keys many
    }
    const Hertz clock = target.clock.value_or(type.clock);
    const Pace pace = pace_of(type.part, clock, calibration_of(plan_, type.part));
    const std::string label = plan_.expansion.configs[config].label();
    const StageInput model{"model", plan_.configs[config].quantize, "model.onnx"};
    const std::size_t trial = add({StageKind::trial,
                                   fmt::format("try kernels of {} on {}", label, type.name),
                                   "",
                                   trial_settings(type, clock),
                                   {model},
                                   estimate::trial_seconds},
                                  facts_[target_index]);
    return add({StageKind::firmware,
                fmt::format("build {} for {}", label, type.name),
                "",
                firmware_settings(type, pace, goal_of(plan_.matrix.deploy, target)),
                {model, {"trial", trial, "trial.json"}},
                estimate::firmware_seconds},
               facts_[target_index]);
  }

 private:
  std::size_t add(Stage stage, const Json& facts) {
    stage.key = stage_key(stage, plan_.stages, facts);
    const auto [place, fresh] = by_key_.emplace(stage.key, plan_.stages.size());
    if (fresh) plan_.stages.push_back(std::move(stage));
    return place->second;
  }

  Plan& plan_;
  std::map<std::size_t, Json> facts_;  ///< of the targets
  std::map<std::string, std::size_t> by_key_;
};

}  // namespace

Result<Json> hardware_facts(const BoardType& type) {
  Json facts;
  const auto root = source_root();
  for (const auto& file : {root / "boards/types" / (type.name + ".json"),
                           root / "targets/parts" / (type.part.name + ".json"),
                           root / "targets/parts/cores" / (type.part.core.name + ".json")}) {
    ASSAY_TRY(facts[file.filename().string()], read_json_file(file));
  }
  const auto& tools = type.part.core.linux_tools;
  facts["compiler"] = program_identity(tools ? tools->compiler : "arm-none-eabi-g++");
  if (tools) {  // what counts the instructions that kernels are chosen by
    facts["emulator"] = program_identity(tools->emulator);
    facts["count_plugin"] = build_identity(count_plugin());
  }
  return facts;
}

std::string host_key(const Plan& plan, std::size_t config) {
  const auto& stages = plan.configs[config];
  return sha256_hex(canonical_json({{"cell", host_cell_id(plan.expansion.configs[config])},
                                    {"evaluate", plan.stages[stages.evaluate].key},
                                    {"evaluate_float", plan.stages[stages.evaluate_float].key},
                                    {"code", host_record_code_version()}}));
}

std::optional<Calibration> calibration_of(const Plan& plan, const Part& part) {
  const auto found = plan.calibrations.find(part.name);
  if (found == plan.calibrations.end()) return std::nullopt;
  return found->second;
}

Status place_cells(Plan& plan, const Scores& scores) {
  plan.cells.clear();
  plan.choice = {};
  std::set<std::size_t> chosen;
  if (plan.matrix.deploy.selection) chosen = choose(plan, scores, plan.choice);
  FirmwareStages firmware(plan);
  const std::size_t targets = plan.matrix.deploy.on.size();
  for (std::size_t config = 0; config < plan.configs.size(); ++config) {
    const bool deployed = targets > 0 && (!plan.matrix.deploy.selection || chosen.contains(config));
    if (!deployed) plan.cells.push_back(host_cell(plan, config));
    for (std::size_t target = 0; deployed && target < targets; ++target) {
      ASSAY_TRY(const auto stage, firmware.add(config, target));
      plan.cells.push_back(board_cell(plan, config, {target, stage}));
    }
  }
  return {};
}

}  // namespace assay

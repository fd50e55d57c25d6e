#include "harness/plan/plan.hpp"

#include <map>

#include <fmt/format.h>

#include "compress/data/dataset.hpp"
#include "compress/train/stage_description.hpp"
#include "harness/core/elf.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/paths.hpp"
#include "harness/plan/estimate.hpp"

namespace assay {
namespace {

/// The worker's orders without paths, as the key wants them; the paths are known when it runs.
template <class Work>
Json worker_settings(const Config& config, Work work) {
  StageDescription stage;
  stage.data = config.at("data").get<std::string>();
  stage.work = std::move(work);
  Json json = to_json(stage);
  json.erase("inputs");
  return json;
}

/// A section of the configuration in the worker's own type. Single values were checked before;
/// what they are together is found here. Errors: bad_input.
template <class Read>
auto section(const Config& config, const Json& json, const char* name, Read read)
    -> Result<decltype(read(std::declval<JsonObject&>()))> {
  JsonErrors errors(config.label());
  auto value = [&] {
    JsonObject object(json.at(name), name, errors);
    return read(object);
  }();
  ASSAY_CHECK(errors.status());
  return value;
}

Result<TrainStage> train_stage(const Config& config, int training_images) {
  Json json = config.json();
  TrainStage stage;
  stage.model = config.student();
  Learning& learning = stage.learning;
  ASSAY_TRY(learning.settings, section(config, json, "train", read_train_settings));
  if (learning.settings.images.value_or(0) > training_images)
    return fail(ErrorKind::bad_input,
                fmt::format("{}: train.images: expected at most the {} training images, found {}",
                            config.label(), training_images, *learning.settings.images));
  learning.seed = json.at("seed").get<std::uint64_t>();
  if (config.distilled()) {
    json["distill"]["beta"] = config.beta();
    ASSAY_TRY(learning.distill, section(config, json, "distill", read_distill_settings));
  }
  return stage;
}

/// Adds stages, each once.
class PlanBuilder {
 public:
  explicit PlanBuilder(Plan& plan) : plan_(plan), environment_(training_environment()) {}

  Result<ConfigStages> add_config(const Config& config) {
    const auto data = config.at("data").get<std::string>();
    ASSAY_TRY(const auto info, find_dataset(data));
    const Json data_facts{{"data", info.fingerprint}, {"environment", environment_}};
    ASSAY_TRY(const auto train, add_training(config, data_facts));
    ConfigStages stages;
    stages.train = train;
    const auto label = config.label();
    if (config.distilled()) {
      const Config teacher = config.teacher();
      ASSAY_TRY(const auto teacher_train, add_training(teacher, data_facts));
      stages.teacher_evaluate_float = add_float_evaluation(teacher, teacher_train, data_facts);
    }
    stages.evaluate_float = add_float_evaluation(config, train, data_facts);
    ASSAY_TRY(const auto quantize,
              section(config, config.json(), "quantize", read_quantize_settings));
    stages.quantize = add({StageKind::quantize,
                           "quantize " + label,
                           "",
                           worker_settings(config, QuantizeStage{{}, quantize}),
                           {{"model", train, "model.onnx"}},
                           estimate::quantize_seconds},
                          data_facts);
    stages.evaluate = add({StageKind::evaluate,
                           "evaluate int8 " + label,
                           "",
                           {{"data", data}},
                           {{"model", stages.quantize, "model.onnx"}},
                           estimate::evaluate_seconds},
                          evaluation_facts(info));
    return stages;
  }

  Result<std::size_t> add_firmware(const Config& config, const ConfigStages& stages,
                                   const DeployTarget& target) {
    const auto& type = target.board_type;
    ASSAY_TRY(const auto facts, hardware_facts(type));
    return add({StageKind::firmware,
                fmt::format("build {} for {}", config.label(), type.name),
                "",
                {{"board_type", type.name},
                 {"clock_hz", target.clock.value_or(type.clock).count()},
                 {"optimize", "-O2"}},
                {{"model", stages.quantize, "model.onnx"}},
                estimate::firmware_seconds},
               facts);
  }

 private:
  std::size_t add_float_evaluation(const Config& config, std::size_t train, const Json& facts) {
    return add({StageKind::evaluate_float,
                "evaluate float " + config.label(),
                "",
                worker_settings(config, EvaluateStage{}),
                {{"model", train, "model.onnx"}},
                estimate::evaluate_float_seconds},
               facts);
  }

  Result<std::size_t> add_training(const Config& config, const Json& facts) {
    ASSAY_TRY(const auto info, find_dataset(config.at("data").get<std::string>()));
    ASSAY_TRY(auto work, train_stage(config, info.training_images));
    Stage stage{StageKind::train,
                "train " + config.label(),
                "",
                worker_settings(config, std::move(work)),
                {},
                0};
    ASSAY_TRY(stage.estimated_seconds, estimate::training_seconds(config));
    if (config.distilled()) {
      const Config teacher = config.teacher();
      ASSAY_TRY(const auto teacher_stage, add_training(teacher, facts));
      const auto logits = add({StageKind::logits,
                               "teacher logits of " + teacher.label(),
                               "",
                               worker_settings(config, LogitsStage{}),
                               {{"model", teacher_stage, "model.onnx"}},
                               estimate::logits_seconds},
                              facts);
      stage.inputs.push_back({"teacher_logits", logits, "logits.bin"});
    }
    return add(std::move(stage), facts);
  }

  std::size_t add(Stage stage, const Json& facts) {
    stage.key = stage_key(stage, plan_.stages, facts);
    const auto [place, fresh] = by_key_.emplace(stage.key, plan_.stages.size());
    if (fresh) plan_.stages.push_back(std::move(stage));
    return place->second;
  }

  Plan& plan_;
  Json environment_;
  std::map<std::string, std::size_t> by_key_;
};

Cell make_cell(const Plan& plan, std::size_t config_index, std::size_t target_index,
               std::size_t firmware) {
  const Config& config = plan.expansion.configs[config_index];
  const auto& deploy = plan.matrix.deploy;
  const auto& target = deploy.on[target_index];
  const auto clock = target.clock.value_or(target.board_type.clock).count();
  Cell cell;
  cell.config = config_index;
  cell.target = target_index;
  cell.firmware = firmware;
  cell.label = fmt::format("{}@{}", config.label(), target.board_type.name);
  if (target.clock)
    cell.label += fmt::format("-{:g}MHz", static_cast<double>(target.clock->count()) / 1e6);
  cell.cell_id = sha256_hex(canonical_json({{"config", config.config_id()},
                                            {"board_type", target.board_type.name},
                                            {"virtual", target.virtual_board},
                                            {"clock_hz", clock},
                                            {"format", "int8"}}));
  const auto& stages = plan.configs[config_index];
  cell.measurement_key =
      sha256_hex(canonical_json({{"cell", cell.cell_id},
                                 {"firmware", plan.stages[firmware].key},
                                 {"evaluate", plan.stages[stages.evaluate].key},
                                 {"evaluate_float", plan.stages[stages.evaluate_float].key},
                                 {"samples", deploy.samples},
                                 {"code", measurement_code_version(target.virtual_board)}}));
  return cell;
}

}  // namespace

Result<Json> hardware_facts(const BoardType& type) {
  Json facts;
  const auto root = source_root();
  for (const auto& file : {root / "boards/types" / (type.name + ".json"),
                           root / "targets/parts" / (type.part.name + ".json"),
                           root / "targets/parts/cores" / (type.part.core.name + ".json")}) {
    ASSAY_TRY(facts[file.filename().string()], read_json_file(file));
  }
  facts["compiler"] = program_identity("arm-none-eabi-g++");
  return facts;
}

Json evaluation_facts(const DatasetInfo& data) {
  return {{"data", data.fingerprint}, {"compiler", program_identity("g++")}};
}

Result<Plan> make_plan(Matrix matrix) {
  Plan plan;
  ASSAY_TRY(plan.expansion, expand(matrix));
  plan.matrix = std::move(matrix);
  PlanBuilder builder(plan);
  for (std::size_t i = 0; i < plan.expansion.configs.size(); ++i) {
    const Config& config = plan.expansion.configs[i];
    ASSAY_TRY(auto stages, builder.add_config(config));
    plan.configs.push_back(stages);
    for (std::size_t t = 0; t < plan.matrix.deploy.on.size(); ++t) {
      ASSAY_TRY(const auto firmware,
                builder.add_firmware(config, stages, plan.matrix.deploy.on[t]));
      plan.cells.push_back(make_cell(plan, i, t, firmware));
    }
  }
  return plan;
}

}  // namespace assay

#include "harness/plan/plan.hpp"

#include <map>

#include <fmt/format.h>

#include "compress/data/dataset.hpp"
#include "compress/models/foreign_network.hpp"
#include "harness/core/elf.hpp"
#include "harness/core/hash.hpp"
#include "harness/plan/estimate.hpp"
#include "harness/plan/network_checks.hpp"
#include "harness/plan/shape_model.hpp"
#include "harness/plan/worker_stages.hpp"

namespace assay {
namespace {

/// How a stage's label names what the final model is in.
std::string arithmetic_of(const Config& config) {
  const auto scheme = config.at("quantize.scheme").get<std::string>();
  return scheme == "none" ? "float32" : scheme;
}

/// Adds stages, each once.
class PlanBuilder {
 public:
  explicit PlanBuilder(Plan& plan) : plan_(plan), environment_(training_environment()) {}

  Result<ConfigStages> add_config(const Config& config) {
    ASSAY_TRY(const auto info, find_dataset(config.at("data").get<std::string>()));
    if (plan_.matrix.deploy.selection && info.task != DatasetInfo::Task::classification)
      return fail(ErrorKind::bad_input,
                  fmt::format("{} is a regression set; deploy.best_over chooses by accuracy, which "
                              "it has none of: leave best_over out",
                              info.name));
    ASSAY_CHECK(checks_.check(config));
    const Json facts{{"data", info.fingerprint}, {"environment", environment_}};
    ConfigStages stages;
    ASSAY_TRY(stages.float_model, add_float_model(config, facts, stages.learned));
    if (config.distilled() && !config.joint_teacher()) {
      const Config teacher = config.teacher();
      ASSAY_TRY(const auto teacher_train, add_training(teacher, facts));
      stages.teacher_evaluate_float =
          add_torch_evaluation(teacher.label(), teacher, teacher_train, facts);
    }
    stages.evaluate_float =
        add_torch_evaluation("float " + config.label(), config, stages.float_model, facts);
    ASSAY_TRY(stages.quantize, add_quantization(config, stages, facts));
    ASSAY_TRY(const StudentShape shape, shape_of(config));
    stages.missing_kernel = shape.missing_kernel;
    if (stages.missing_kernel.empty())
      stages.evaluate = add({StageKind::evaluate,
                             fmt::format("evaluate {} {}", arithmetic_of(config), config.label()),
                             "",
                             {{"data", config.at("data")}},
                             {{"model", stages.quantize, "model.onnx"}},
                             estimate::evaluate_seconds},
                            evaluation_facts(info));
    else
      stages.evaluate = add_torch_evaluation(config.label(), config, stages.quantize, facts);
    return stages;
  }

 private:
  std::size_t add_torch_evaluation(const std::string& label, const Config& config,
                                   std::size_t model, const Json& facts) {
    return add({StageKind::evaluate_torch,
                "evaluate " + label,
                "",
                worker_settings(config, EvaluateStage{}),
                {{"model", model, "model.onnx"}},
                estimate::evaluate_torch_seconds},
               facts);
  }

  /// The network as trained, pruned and clustered; `learned` gets the stages that train it.
  Result<std::size_t> add_float_model(const Config& config, const Json& facts,
                                      std::vector<std::size_t>& learned) {
    ASSAY_TRY(std::size_t model, add_training(config, facts));
    learned.push_back(model);
    if (config.has("prune")) {
      ASSAY_TRY(auto work, prune_work(config));
      ASSAY_TRY(model, add_step(StageKind::prune, config, std::move(work), model, facts));
      learned.push_back(model);
    }
    if (config.has("cluster")) {
      ASSAY_TRY(auto work, cluster_work(config));
      ASSAY_TRY(model, add_step(StageKind::cluster, config, std::move(work), model, facts));
      learned.push_back(model);
    }
    return model;
  }

  /// A stage that goes on learning from a trained model.
  template <class Work>
  Result<std::size_t> add_step(StageKind kind, const Config& config, Work work, std::size_t model,
                               const Json& facts) {
    Stage stage{kind, fmt::format("{} {}", to_string(kind), config.label()), "", {}, {}, 0};
    stage.inputs.push_back({"model", model, "model.onnx"});
    ASSAY_TRY(stage.estimated_seconds, training_seconds(config, work.learning.settings.epochs));
    ASSAY_CHECK(add_teachers(config, work.learning, facts, stage));
    stage.settings = worker_settings(config, std::move(work));
    return add(std::move(stage), facts);
  }

  Result<std::size_t> add_quantization(const Config& config, ConfigStages& stages,
                                       const Json& facts) {
    ASSAY_TRY(auto work, quantize_work(config));
    if (work.settings.training != QuantizationTraining::none) {
      ASSAY_TRY(const auto stage,
                add_step(StageKind::quantize, config, std::move(work), stages.float_model, facts));
      stages.learned.push_back(stage);
      return stage;
    }
    return add({StageKind::quantize,
                "quantize " + config.label(),
                "",
                worker_settings(config, std::move(work)),
                {{"model", stages.float_model, "model.onnx"}},
                estimate::quantize_seconds},
               facts);
  }

  Result<std::size_t> add_training(const Config& config, const Json& facts) {
    ASSAY_TRY(auto work, train_work(config));
    Stage stage{StageKind::train, "train " + config.label(), "", {}, {}, 0};
    if (config.source()) {
      ASSAY_TRY(const auto imported, add_import(config, facts));
      stage.inputs.push_back({"source_model", imported, "model.onnx"});
    }
    ASSAY_TRY(stage.estimated_seconds, training_seconds(config, work.learning.settings.epochs));
    if (!config.joint_teacher()) ASSAY_CHECK(add_teachers(config, work.learning, facts, stage));
    stage.settings = worker_settings(config, std::move(work));
    return add(std::move(stage), facts);
  }

  Result<std::size_t> add_import(const Config& config, const Json& facts) {
    const std::filesystem::path file = *config.source();
    std::string& hash = hashes_[file.string()];
    if (hash.empty()) {
      ASSAY_TRY(hash, sha256_file(file));
    }
    return add({StageKind::import_model,
                "import " + file.filename().string(),
                "",
                worker_settings(config, ImportStage{{}, hash}),
                {},
                estimate::import_seconds,
                {{"file", std::filesystem::absolute(file)}}},
               facts);
  }

  /// Networks of equal shape are looked at once.
  Result<StudentShape> shape_of(const Config& config) {
    const Json key{config.json().at("student"), config.at("data"), config.at("quantize.scheme")};
    const auto known = shapes_.find(key.dump());
    if (known != shapes_.end()) return known->second;
    ASSAY_TRY(const StudentShape shape, student_shape(config));
    return shapes_[key.dump()] = shape;
  }

  Result<std::optional<double>> training_seconds(const Config& config, int epochs) {
    ASSAY_TRY(const StudentShape shape, shape_of(config));
    if (!shape.macs) return std::nullopt;
    return estimate::training_seconds(config, epochs, *shape.macs);
  }

  /// Makes the teachers inputs of a stage: their logits, computed once, or, where every batch needs
  /// them anew (hints), their models. A teacher that learned jointly stands beside its student.
  Status add_teachers(const Config& config, const Learning& learning, const Json& facts,
                      Stage& stage) {
    if (!learning.distill) return {};
    const bool anew = !learning.distill->hints.empty() || learning.augment.any();
    for (int index = 0; index < config.teacher_count(); ++index) {
      const std::string number = index == 0 ? "" : fmt::format("_{}", index + 1);
      ASSAY_TRY(const StageInput model, teacher_model(config, index, facts));
      if (anew) {
        stage.inputs.push_back({"teacher_model" + number, model.stage, model.file});
        continue;
      }
      const Config teacher = config.teacher(index);
      const auto logits = add({StageKind::logits,
                               "teacher logits of " + teacher.label(),
                               "",
                               worker_settings(teacher, LogitsStage{}),
                               {model},
                               estimate::logits_seconds},
                              facts);
      stage.inputs.push_back({"teacher_logits" + number, logits, "logits.bin"});
    }
    return {};
  }

  Result<StageInput> teacher_model(const Config& config, int index, const Json& facts) {
    if (config.joint_teacher()) {
      ASSAY_TRY(const auto student, add_training(config, facts));
      return StageInput{"model", student, "teacher.onnx"};
    }
    ASSAY_TRY(const auto teacher, add_training(config.teacher(index), facts));
    return StageInput{"model", teacher, "model.onnx"};
  }

  std::size_t add(Stage stage, const Json& facts) {
    stage.settings["fingerprint"] = facts.at("data");
    stage.key = stage_key(stage, plan_.stages, facts);
    const auto [place, fresh] = by_key_.emplace(stage.key, plan_.stages.size());
    if (fresh) plan_.stages.push_back(std::move(stage));
    return place->second;
  }

  Plan& plan_;
  Json environment_;
  std::map<std::string, std::size_t> by_key_;
  std::map<std::string, std::string> hashes_;  ///< of the user's files, by path
  std::map<std::string, StudentShape> shapes_;
  NetworkChecks checks_;
};

/// Errors: bad_input when a board has no kernels for what shall go there.
Status check_deployable(const Plan& plan) {
  if (plan.matrix.deploy.on.empty()) return {};
  for (std::size_t i = 0; i < plan.configs.size(); ++i)
    if (const auto& missing = plan.configs[i].missing_kernel; !missing.empty())
      return fail(
          ErrorKind::bad_input,
          fmt::format("{} cannot go to {}: {}; leave it out with exclude, or take \"on\" out "
                      "of deploy for figures of the host alone",
                      plan.expansion.configs[i].label(),
                      plan.matrix.deploy.on.front().board_type.name, missing));
  return {};
}

}  // namespace

Json evaluation_facts(const DatasetInfo& data) {
  return {{"data", data.fingerprint}, {"compiler", program_identity("g++")}};
}

Result<Plan> make_plan(Matrix matrix, Calibrations calibrations) {
  Plan plan;
  plan.calibrations = std::move(calibrations);
  ASSAY_TRY(plan.expansion, expand(matrix));
  plan.matrix = std::move(matrix);
  PlanBuilder builder(plan);
  for (const Config& config : plan.expansion.configs) {
    ASSAY_TRY(auto stages, builder.add_config(config));
    plan.configs.push_back(std::move(stages));
  }
  ASSAY_CHECK(check_deployable(plan));
  ASSAY_CHECK(place_cells(plan, [](const std::string&) { return std::nullopt; }));
  return plan;
}

}  // namespace assay

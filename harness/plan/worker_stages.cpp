#include "harness/plan/worker_stages.hpp"

#include <fmt/format.h>

#include "compress/data/dataset.hpp"

namespace assay {
namespace {

/// A section of the configuration in the worker's own type. Errors: bad_input.
template <class Read>
auto section(const Config& config, const Json& values, const char* name, Read read)
    -> Result<decltype(read(std::declval<JsonObject&>()))> {
  JsonErrors errors(config.label());
  auto value = [&] {
    JsonObject object(values, name, errors);
    return read(object);
  }();
  ASSAY_CHECK(errors.status());
  return value;
}

/// The same status, its error behind the configuration's name.
Status of_config(const Config& config, Status status) {
  if (status) return status;
  return fail(status.error().kind, fmt::format("{}: {}", config.label(), status.error().message));
}

/// A regression is distilled without softmax, so that its rows would differ in name alone.
Status check_temperature(const Config& config, const DistillSettings& settings,
                         const DatasetInfo& data) {
  const DistillSettings usual;
  if (data.task != DatasetInfo::Task::regression ||
      (settings.temperature == usual.temperature && settings.t_squared == usual.t_squared))
    return {};
  return fail(
      ErrorKind::bad_input,
      fmt::format("{}: distill: {} is a regression set, whose loss has no temperature: leave "
                  "T and t_squared out",
                  config.label(), data.name));
}

/// What the data set makes impossible.
Status check_data(const Config& config, const Learning& learning) {
  ASSAY_TRY(const auto data, find_dataset(config.at("data").get<std::string>()));
  ASSAY_CHECK(
      of_config(config, images_of(learning.settings, data.training_images).map([](int) {})));
  if (learning.augment.any())
    ASSAY_CHECK(of_config(
        config,
        Augmenter::create(learning.augment, data, learning.seed).map([](const Augmenter&) {})));
  if (learning.distill) ASSAY_CHECK(check_temperature(config, *learning.distill, data));
  return {};
}

/// The learning of the first stage.
Result<Learning> learning_of(const Config& config) {
  const Json json = config.json();
  Learning learning;
  ASSAY_TRY(learning.settings, section(config, json.at("train"), "train", read_train_settings));
  learning.seed = json.at("seed").get<std::uint64_t>();
  if (config.has("augment")) {
    ASSAY_TRY(learning.augment,
              section(config, json.at("augment"), "augment", read_augment_settings));
  }
  if (config.distilled()) {
    Json distill = json.at("distill");
    distill["beta"] = config.beta();
    ASSAY_TRY(learning.distill, section(config, distill, "distill", read_distill_settings));
  }
  ASSAY_CHECK(check_data(config, learning));
  return learning;
}

/// The learning of a later step: as the first, for its own epochs, at its own rate that decays from
/// the start. Takes the two out of the step's section. A teacher that learned jointly has done so.
Result<Learning> further_learning(const Config& config, Json& step) {
  ASSAY_TRY(Learning learning, learning_of(config));
  const Json epochs = step.value("epochs", Json(0));
  learning.settings.epochs = epochs.get<int>();
  learning.settings.learning_rate = step.value("learning_rate", learning.settings.learning_rate);
  learning.settings.schedule = Schedule::linear;
  step.erase("epochs");
  step.erase("learning_rate");
  if (learning.distill) learning.distill->teacher = TeacherTraining::fixed;
  return learning;
}

/// Without epochs everything is pruned at once, whatever the schedule.
Status check_updates(const Config& config, const PruneStage& work) {
  const TrainSettings& settings = work.learning.settings;
  if (settings.epochs == 0) return {};
  ASSAY_TRY(const auto data, find_dataset(config.at("data").get<std::string>()));
  ASSAY_TRY(const int images, images_of(settings, data.training_images));
  const auto status = check_frequency(work.settings.schedule, steps_of(settings, images));
  if (status) return status;
  return fail(ErrorKind::bad_input,
              fmt::format("{}: prune.{}", config.label(), status.error().message));
}

}  // namespace

Result<TrainStage> train_work(const Config& config) {
  TrainStage work;
  const Json json = config.json();
  if (config.source()) {
    Json student = json.at("student");
    student.erase("from");
    ASSAY_TRY(work.start, section(config, student, "student", read_transfer_start));
  } else {
    work.start = config.student();
  }
  ASSAY_TRY(work.learning, learning_of(config));
  if (config.has("noise")) {
    ASSAY_TRY(work.noise, section(config, json.at("noise"), "noise", read_noise_settings));
  }
  if (config.joint_teacher()) {
    const Config teacher = config.teacher();
    work.joint_teacher =
        JointTeacherChoice{teacher.student(), teacher.at("seed").get<std::uint64_t>()};
  }
  return work;
}

Result<PruneStage> prune_work(const Config& config) {
  Json json = config.json().at("prune");
  PruneStage work;
  ASSAY_TRY(work.learning, further_learning(config, json));
  ASSAY_TRY(work.settings, section(config, json, "prune", read_prune_settings));
  ASSAY_CHECK(check_updates(config, work));
  return work;
}

Result<ClusterStage> cluster_work(const Config& config) {
  Json json = config.json().at("cluster");
  ClusterStage work;
  ASSAY_TRY(work.learning, further_learning(config, json));
  ASSAY_TRY(work.settings, section(config, json, "cluster", read_cluster_settings));
  return work;
}

Result<QuantizeStage> quantize_work(const Config& config) {
  Json json = config.json().at("quantize");
  QuantizeStage work;
  ASSAY_TRY(Learning learning, further_learning(config, json));
  ASSAY_TRY(work.settings, section(config, json, "quantize", read_quantize_settings));
  if (work.settings.training != QuantizationTraining::none) work.learning = std::move(learning);
  return work;
}

Json worker_settings(const Config& config, decltype(StageDescription::work) work) {
  StageDescription stage;
  stage.data = config.at("data").get<std::string>();
  stage.work = std::move(work);
  Json json = to_json(stage);
  json.erase("inputs");
  return json;
}

}  // namespace assay

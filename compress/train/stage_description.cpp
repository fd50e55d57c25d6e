#include "compress/train/stage_description.hpp"

#include "compress/methods/settings.hpp"

namespace assay {
namespace {

std::filesystem::path read_path(JsonObject& inputs, const std::string& key) {
  const auto text = inputs.required<std::string>(key);
  if (inputs.has(key) && text.empty()) inputs.problem(key, "expected a path, found \"\"");
  return text;
}

std::filesystem::path read_model_input(JsonObject& object) {
  JsonObject inputs = object.object("inputs");
  return read_path(inputs, "model");
}

/// The key of the n-th of several inputs (from 0): "teacher_logits", "teacher_logits_2".
std::string numbered(const std::string& key, std::size_t n) {
  return n == 0 ? key : fmt::format("{}_{}", key, n + 1);
}

std::vector<std::filesystem::path> read_paths(JsonObject& inputs, const std::string& key) {
  std::vector<std::filesystem::path> paths;
  while (inputs.has(numbered(key, paths.size())))
    paths.push_back(read_path(inputs, numbered(key, paths.size())));
  return paths;
}

ModelChoice read_model(JsonObject object) {
  ModelChoice choice;
  choice.family = object.required<std::string>("family");
  choice.cut = object.optional<int>("cut", choice.cut);
  choice.fewer_filters_pct = object.optional<int>("fewer_filters_pct", choice.fewer_filters_pct);
  return choice;
}

Json to_json(const ModelChoice& choice) {
  return {{"family", choice.family},
          {"cut", choice.cut},
          {"fewer_filters_pct", choice.fewer_filters_pct}};
}

Learning read_learning(JsonObject& object, TrainSettings (*read)(JsonObject&)) {
  Learning learning;
  if (object.has("train")) {
    JsonObject settings = object.object("train");
    learning.settings = read(settings);
  }
  learning.seed = object.optional<std::uint64_t>("seed", learning.seed);
  if (object.has("augment")) {
    JsonObject settings = object.object("augment");
    learning.augment = read_augment_settings(settings);
  }
  if (!object.has("distill")) return learning;
  {
    JsonObject settings = object.object("distill");
    learning.distill = read_distill_settings(settings);
  }
  return learning;
}

/// Where the teachers' outputs come from; a joint teacher has none.
void read_teachers(JsonObject& object, JsonObject& inputs, Learning& learning) {
  if (!learning.distill || learning.distill->teacher == TeacherTraining::joint) return;
  learning.teacher_logits = read_paths(inputs, "teacher_logits");
  learning.teacher_models = read_paths(inputs, "teacher_model");
  if (learning.teacher_logits.empty() == learning.teacher_models.empty())
    object.problem("inputs", "distillation needs teacher_logits or teacher_model");
}

/// The learning of a stage that starts from a model.
Learning read_further_learning(JsonObject& object, JsonObject& inputs) {
  Learning learning = read_learning(object, read_further_train_settings);
  read_teachers(object, inputs, learning);
  return learning;
}

TransferStart read_transfer(JsonObject& object, JsonObject& inputs) {
  JsonObject settings = object.object("transfer");
  TransferStart start = read_transfer_start(settings);
  start.model = read_path(inputs, "source_model");
  return start;
}

JointTeacherChoice read_joint_teacher(JsonObject teacher) {
  return {read_model(teacher.object("model")), teacher.optional<std::uint64_t>("seed", 1)};
}

TrainStage read_train_stage(JsonObject& object) {
  TrainStage stage;
  stage.learning = read_learning(object, read_train_settings);
  if (object.has("noise")) {
    JsonObject settings = object.object("noise");
    stage.noise = read_noise_settings(settings);
  }
  const auto& distill = stage.learning.distill;
  const bool joint = distill && distill->teacher == TeacherTraining::joint;
  if (joint) stage.joint_teacher = read_joint_teacher(object.object("teacher"));
  const bool transfer = object.has("transfer");
  if (!transfer) stage.start = read_model(object.object("model"));
  if (!transfer && (!distill || joint)) return stage;
  JsonObject inputs = object.object("inputs");
  if (transfer) stage.start = read_transfer(object, inputs);
  read_teachers(object, inputs, stage.learning);
  return stage;
}

ImportStage read_import_stage(JsonObject& object) {
  ImportStage stage;
  JsonObject inputs = object.object("inputs");
  stage.file = read_path(inputs, "file");
  stage.sha256 = object.required<std::string>("sha256");
  return stage;
}

/// A stage that has a model and no settings.
template <class Stage>
Stage read_plain_stage(JsonObject& object) {
  return {read_model_input(object)};
}

/// A stage that goes on learning from a model: PruneStage, ClusterStage. `section` has its
/// settings.
template <class Stage>
Stage read_further_stage(JsonObject& object, const char* section,
                         decltype(Stage::settings) (*read)(JsonObject&)) {
  Stage stage;
  JsonObject inputs = object.object("inputs");
  stage.model = read_path(inputs, "model");
  stage.learning = read_further_learning(object, inputs);
  JsonObject settings = object.object(section);
  stage.settings = read(settings);
  return stage;
}

PruneStage read_prune_stage(JsonObject& object) {
  return read_further_stage<PruneStage>(object, "prune", read_prune_settings);
}

ClusterStage read_cluster_stage(JsonObject& object) {
  return read_further_stage<ClusterStage>(object, "cluster", read_cluster_settings);
}

QuantizeStage read_quantize_stage(JsonObject& object) {
  QuantizeStage stage;
  JsonObject inputs = object.object("inputs");
  stage.model = read_path(inputs, "model");
  if (object.has("quantize")) {
    JsonObject settings = object.object("quantize");
    stage.settings = read_quantize_settings(settings);
  }
  if (stage.settings.training != QuantizationTraining::none)
    stage.learning = read_further_learning(object, inputs);
  return stage;
}

using Work = decltype(StageDescription::work);

using ReadWork = Work (*)(JsonObject&);

template <auto read>
Work read_work(JsonObject& object) {
  return read(object);
}

// In the order of StageDescription::work.
constexpr Words<ReadWork, std::variant_size_v<Work>> kinds{{
    {read_work<read_train_stage>, "train"},
    {read_work<read_prune_stage>, "prune"},
    {read_work<read_cluster_stage>, "cluster"},
    {read_work<read_plain_stage<LogitsStage>>, "logits"},
    {read_work<read_quantize_stage>, "quantize"},
    {read_work<read_plain_stage<EvaluateStage>>, "evaluate"},
    {read_work<read_import_stage>, "import"},
}};

void write_learning(const Learning& learning, Json& json) {
  json["train"] = to_json(learning.settings);
  json["seed"] = learning.seed;
  if (learning.augment.any()) json["augment"] = to_json(learning.augment);
  if (!learning.distill) return;
  json["distill"] = to_json(*learning.distill);
  for (std::size_t i = 0; i < learning.teacher_logits.size(); ++i)
    json["inputs"][numbered("teacher_logits", i)] = learning.teacher_logits[i].string();
  for (std::size_t i = 0; i < learning.teacher_models.size(); ++i)
    json["inputs"][numbered("teacher_model", i)] = learning.teacher_models[i].string();
}

Json fields_of(const TrainStage& stage) {
  Json json;
  if (const auto* choice = std::get_if<ModelChoice>(&stage.start)) {
    json["model"] = to_json(*choice);
  } else {
    const auto& start = std::get<TransferStart>(stage.start);
    json["transfer"] = to_json(start);
    json["inputs"]["source_model"] = start.model.string();
  }
  write_learning(stage.learning, json);
  if (stage.noise) json["noise"] = to_json(*stage.noise);
  if (stage.joint_teacher)
    json["teacher"] = {{"model", to_json(stage.joint_teacher->model)},
                       {"seed", stage.joint_teacher->seed}};
  return json;
}

template <class Stage>
Json further_fields_of(const Stage& stage, const char* section) {
  Json json = {{section, to_json(stage.settings)}, {"inputs", {{"model", stage.model.string()}}}};
  write_learning(stage.learning, json);
  return json;
}

Json fields_of(const PruneStage& stage) {
  return further_fields_of(stage, "prune");
}

Json fields_of(const ClusterStage& stage) {
  return further_fields_of(stage, "cluster");
}

Json fields_of(const QuantizeStage& stage) {
  Json json = {{"quantize", to_json(stage.settings)},
               {"inputs", {{"model", stage.model.string()}}}};
  if (stage.settings.training != QuantizationTraining::none) write_learning(stage.learning, json);
  return json;
}

Json fields_of(const ImportStage& stage) {
  return {{"inputs", {{"file", stage.file.string()}}}, {"sha256", stage.sha256}};
}

template <class Stage>
Json fields_of(const Stage& stage) {
  return {{"inputs", {{"model", stage.model.string()}}}};
}

}  // namespace

std::string_view kind_of(const StageDescription& stage) {
  return kinds[stage.work.index()].second;
}

Json to_json(const StageDescription& stage) {
  Json json = std::visit([](const auto& work) { return fields_of(work); }, stage.work);
  json["kind"] = kind_of(stage);
  json["data"] = stage.data;
  if (!stage.fingerprint.empty()) json["fingerprint"] = stage.fingerprint;
  json["threads"] = stage.threads;
  json["cpu"] = to_string(stage.cpu);
  json["device"] = stage.device;
  return json;
}

Result<StageDescription> parse_stage(const Json& json, const std::string& source) {
  JsonErrors errors(source);
  StageDescription stage;
  {
    JsonObject object(json, "", errors);
    const auto read = read_word(object, "kind", kinds, ReadWork());
    if (object.raw("kind").is_null()) object.problem("kind", "is missing");
    stage.data = object.required<std::string>("data");
    stage.fingerprint = object.optional<std::string>("fingerprint", "");
    stage.threads = read_count(object, "threads", stage.threads, 1024);
    stage.cpu = read_word(object, "cpu", cpu_levels, stage.cpu);
    stage.device = object.choice("device", {"cpu", "cuda"}, stage.device);
    if (read) stage.work = read(object);
  }
  ASSAY_CHECK(errors.status());
  return stage;
}

}  // namespace assay

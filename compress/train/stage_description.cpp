#include "compress/train/stage_description.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

namespace assay {
namespace {

constexpr std::array<std::pair<Schedule, std::string_view>, 3> schedules{{
    {Schedule::one_cycle, "one-cycle"},
    {Schedule::linear, "linear"},
    {Schedule::constant, "constant"},
}};

constexpr std::array<std::pair<Observer, std::string_view>, 4> observers{{
    {Observer::min_max, "min-max"},
    {Observer::moving_average, "moving-average"},
    {Observer::percentile, "percentile"},
    {Observer::mse, "mse"},
}};

constexpr std::array<std::pair<CpuLevel, std::string_view>, 3> cpu_levels{{
    {CpuLevel::baseline, "baseline"},
    {CpuLevel::avx2, "avx2"},
    {CpuLevel::avx512, "avx512"},
}};

template <class Table, class Value>
std::string_view word_of(const Table& table, Value value) {
  for (const auto& [known, word] : table)
    if (known == value) return word;
  return {};
}

template <class Value, std::size_t count>
Value read_word(JsonObject& object, const std::string& key,
                const std::array<std::pair<Value, std::string_view>, count>& table,
                Value fallback) {
  const auto given = object.maybe<std::string>(key);
  if (!given) return fallback;
  std::string known;
  for (const auto& [value, word] : table) {
    if (word == *given) return value;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", word);
  }
  object.problem(key, fmt::format("expected one of {}, found \"{}\"", known, *given));
  return fallback;
}

int read_count(JsonObject& object, const std::string& key, int fallback, int most) {
  const int value = object.optional<int>(key, fallback);
  if (value < 1 || value > most)
    object.problem(key, fmt::format("expected 1 to {}, found {}", most, value));
  return value;
}

double read_real(JsonObject& object, const std::string& key, double fallback, bool zero_allowed) {
  const double value = object.optional<double>(key, fallback);
  if (!std::isfinite(value) || value < 0 || (value == 0 && !zero_allowed))
    object.problem(key, fmt::format("expected a number {} 0, found {}",
                                    zero_allowed ? "not below" : "above", value));
  return value;
}

std::filesystem::path read_path(JsonObject& inputs, const std::string& key) {
  const auto text = inputs.required<std::string>(key);
  if (inputs.has(key) && text.empty()) inputs.problem(key, "expected a path, found \"\"");
  return text;
}

std::filesystem::path read_model_input(JsonObject& object) {
  JsonObject inputs = object.object("inputs");
  return read_path(inputs, "model");
}

ModelChoice read_model(JsonObject object) {
  ModelChoice choice;
  choice.family = object.required<std::string>("family");
  choice.cut = object.optional<int>("cut", choice.cut);
  choice.fewer_filters_pct = object.optional<int>("fewer_filters_pct", choice.fewer_filters_pct);
  return choice;
}

TrainStage read_train_stage(JsonObject& object) {
  TrainStage stage;
  stage.model = read_model(object.object("model"));
  if (object.has("train")) {
    JsonObject settings = object.object("train");
    stage.settings = read_train_settings(settings);
  }
  stage.seed = object.optional<std::uint64_t>("seed", stage.seed);
  if (object.has("distill")) {
    JsonObject settings = object.object("distill");
    stage.distill = read_distill_settings(settings);
    JsonObject inputs = object.object("inputs");
    stage.teacher_logits = read_path(inputs, "teacher_logits");
  }
  return stage;
}

QuantizeStage read_quantize_stage(JsonObject& object) {
  QuantizeStage stage;
  stage.model = read_model_input(object);
  if (object.has("quantize")) {
    JsonObject settings = object.object("quantize");
    stage.settings = read_quantize_settings(settings);
  }
  return stage;
}

Json fields_of(const TrainStage& stage) {
  Json json = {{"model",
                {{"family", stage.model.family},
                 {"cut", stage.model.cut},
                 {"fewer_filters_pct", stage.model.fewer_filters_pct}}},
               {"train", to_json(stage.settings)},
               {"seed", stage.seed}};
  if (stage.distill) {
    json["distill"] = to_json(*stage.distill);
    json["inputs"] = {{"teacher_logits", stage.teacher_logits.string()}};
  }
  return json;
}

Json fields_of(const QuantizeStage& stage) {
  return {{"quantize", to_json(stage.settings)}, {"inputs", {{"model", stage.model.string()}}}};
}

template <class Stage>
Json fields_of(const Stage& stage) {
  return {{"inputs", {{"model", stage.model.string()}}}};
}

}  // namespace

std::string_view kind_of(const StageDescription& stage) {
  constexpr std::array<std::string_view, 4> kinds{"train", "logits", "quantize", "evaluate"};
  return kinds[stage.work.index()];
}

std::string_view to_string(Schedule schedule) {
  return word_of(schedules, schedule);
}

std::string_view to_string(Observer observer) {
  return word_of(observers, observer);
}

std::string_view to_string(CpuLevel level) {
  return word_of(cpu_levels, level);
}

CpuLevel best_cpu_level() {
#if defined(__x86_64__)
  // What the libraries' kernels of that level are compiled for.
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return CpuLevel::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return CpuLevel::avx2;
#endif
  return CpuLevel::baseline;
}

Json to_json(const StageDescription& stage) {
  Json json = std::visit([](const auto& work) { return fields_of(work); }, stage.work);
  json["kind"] = kind_of(stage);
  json["data"] = stage.data;
  json["threads"] = stage.threads;
  json["cpu"] = to_string(stage.cpu);
  return json;
}

Json to_json(const TrainSettings& settings) {
  Json json = {{"epochs", settings.epochs},
               {"batch", settings.batch},
               {"learning_rate", settings.learning_rate},
               {"weight_decay", settings.weight_decay},
               {"schedule", to_string(settings.schedule)}};
  if (settings.images) json["images"] = *settings.images;
  return json;
}

Json to_json(const DistillSettings& settings) {
  return {{"alpha", settings.alpha},
          {"beta", settings.beta},
          {"T", settings.temperature},
          {"t_squared", settings.t_squared}};
}

Json to_json(const QuantizeSettings& settings) {
  return {{"scheme", "int8"},
          {"observer", to_string(settings.observer)},
          {"samples", settings.samples}};
}

TrainSettings read_train_settings(JsonObject& object) {
  TrainSettings settings;
  settings.epochs = read_count(object, "epochs", settings.epochs, 100'000);
  settings.batch = read_count(object, "batch", settings.batch, 65'536);
  settings.learning_rate = read_real(object, "learning_rate", settings.learning_rate, false);
  settings.weight_decay = read_real(object, "weight_decay", settings.weight_decay, true);
  settings.schedule = read_word(object, "schedule", schedules, settings.schedule);
  settings.images = object.maybe<int>("images");
  if (settings.images && *settings.images < settings.batch)
    object.problem("images", fmt::format("{} images do not fill one batch of {}", *settings.images,
                                         settings.batch));
  return settings;
}

DistillSettings read_distill_settings(JsonObject& object) {
  DistillSettings settings;
  settings.alpha = read_real(object, "alpha", settings.alpha, true);
  settings.beta = read_real(object, "beta", settings.beta, true);
  settings.temperature = read_real(object, "T", settings.temperature, false);
  settings.t_squared = object.optional<bool>("t_squared", settings.t_squared);
  if (settings.alpha == 0 && settings.beta == 0)
    object.problem("", "alpha and beta are both 0, which leaves no loss");
  return settings;
}

QuantizeSettings read_quantize_settings(JsonObject& object) {
  QuantizeSettings settings;
  object.choice("scheme", {"int8"}, "int8");
  settings.observer = read_word(object, "observer", observers, settings.observer);
  settings.samples = read_count(object, "samples", settings.samples, 512);
  return settings;
}

Result<StageDescription> parse_stage(const Json& json, const std::string& source) {
  JsonErrors errors(source);
  StageDescription stage;
  {
    JsonObject object(json, "", errors);
    const std::string kind = object.choice("kind", {"train", "logits", "quantize", "evaluate"});
    stage.data = object.required<std::string>("data");
    stage.threads = read_count(object, "threads", stage.threads, 1024);
    stage.cpu = read_word(object, "cpu", cpu_levels, stage.cpu);
    if (kind == "train") stage.work = read_train_stage(object);
    if (kind == "logits") stage.work = LogitsStage{read_model_input(object)};
    if (kind == "quantize") stage.work = read_quantize_stage(object);
    if (kind == "evaluate") stage.work = EvaluateStage{read_model_input(object)};
  }
  ASSAY_CHECK(errors.status());
  return stage;
}

}  // namespace assay

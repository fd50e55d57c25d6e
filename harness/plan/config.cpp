#include "harness/plan/config.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cctype>
#include <functional>

#include <fmt/format.h>

#include "harness/core/hash.hpp"
#include "harness/plan/field.hpp"

namespace assay {
namespace {

bool in_group(std::string_view path, std::string_view group) {
  return path.starts_with(group) && path.size() > group.size() && path[group.size()] == '.';
}

void drop_group(FieldValues& values, std::string_view group) {
  std::erase_if(values, [&](const auto& entry) { return in_group(entry.first, group); });
}

bool any_in_group(const FieldValues& values, std::string_view group) {
  for (const auto& [path, value] : values)
    if (in_group(path, group)) return true;
  return false;
}

double resolved_beta(const FieldValues& values) {
  const Json& beta = values.at("distill.beta");
  return beta.is_string() ? 1.0 - values.at("distill.alpha").get<double>() : beta.get<double>();
}

void erase(FieldValues& values, std::initializer_list<const char*> paths) {
  for (const char* path : paths)
    values.erase(path);
}

void simplify_distill(FieldValues& values) {
  const bool hints = values.contains("distill.hints");
  const bool joint = values.at("distill.teacher") == "joint";
  if (!hints) values.erase("distill.hint_weight");
  const double beta = resolved_beta(values);
  if (beta == 0 && values.at("distill.alpha").get<double>() == 1 && !hints) {
    drop_group(values, "teacher");
    return drop_group(values, "distill");
  }
  if (joint) erase(values, {"teacher.count", "teacher.epochs"});
  if (beta == 0) {
    erase(values, {"distill.T", "distill.t_squared"});
  } else if (values.at("distill.T").get<double>() == 1) {
    values.erase("distill.t_squared");
  }
  // "1-alpha" and the number it stands for are one experiment.
  values["distill.beta"] = beta;
}

void simplify_augment(FieldValues& values) {
  if (values.at("augment.flip") == false && values.at("augment.shift") == 0 &&
      values.at("augment.cutout") == 0)
    drop_group(values, "augment");
}

void simplify_noise(FieldValues& values) {
  const auto p = values.find("noise.p");
  if (p != values.end() && p->second == 0.0) return drop_group(values, "noise");
  if (values.at("noise.kind") != "product") values.erase("noise.centroids");
}

void simplify_prune(FieldValues& values) {
  const std::string granularity = values.at("prune.granularity");
  const bool groups = granularity.find(':') != std::string::npos;
  // The sparsity of N:M groups follows from N and M.
  if (groups) erase(values, {"prune.sparsity", "prune.ranking"});
  if (!groups && values.at("prune.sparsity").get<double>() == 0) return drop_group(values, "prune");
  if (values.at("prune.schedule") == "constant")
    erase(values, {"prune.initial", "prune.end", "prune.frequency"});
  if (values.at("prune.epochs") == 0) values.erase("prune.learning_rate");
}

void simplify_cluster(FieldValues& values) {
  if (values.at("cluster.clusters") == "none") return drop_group(values, "cluster");
  if (values.at("cluster.epochs") == 0) values.erase("cluster.learning_rate");
}

void simplify_quantize(FieldValues& values) {
  const std::string scheme = values.at("quantize.scheme");
  if (scheme == "none" || scheme == "float16") {
    drop_group(values, "quantize");
    values["quantize.scheme"] = scheme;
    return;
  }
  if (scheme == "dynamic") erase(values, {"quantize.observer", "quantize.samples"});
  if (values.at("quantize.training") == "none")
    erase(values, {"quantize.epochs", "quantize.learning_rate"});
}

/// Fields that come and go together, and what is inert among them.
struct Group {
  std::string_view name;
  bool always;  ///< there even when no field is given
  void (*simplify)(FieldValues& values);
};

constexpr std::array groups{
    Group{"augment", false, simplify_augment}, Group{"distill", false, simplify_distill},
    Group{"noise", false, simplify_noise},     Group{"prune", false, simplify_prune},
    Group{"cluster", false, simplify_cluster}, Group{"quantize", true, simplify_quantize}};

/// Whether the group a field is in is there; fields in no group are.
bool wanted(const FieldValues& given, std::string_view path) {
  // A teacher is there for distillation alone.
  if (in_group(path, "teacher")) return any_in_group(given, "distill");
  const bool from_file = given.contains("student.from");
  if (path == "student.head" || path == "student.freeze") return from_file;
  if (in_group(path, "student") && path != "student.from") return !from_file;
  for (const Group& group : groups)
    if (in_group(path, group.name)) return group.always || any_in_group(given, group.name);
  return true;
}

/// A text from outside as a part of a file's name: "sets/eyes_2" as "sets+eyes-2".
std::string plain_text(std::string text) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '+'; };
  std::ranges::replace(text, '/', '+');
  std::ranges::replace_if(text, std::not_fn(plain), '-');
  return text;
}

/// A path without its ending, as a part of a file's name.
std::string path_text(std::string_view path, std::string_view ending) {
  return plain_text(std::string(path.substr(0, path.size() - ending.size())));
}

/// A file that the student comes from: "nets/resnet18.onnx" as "resnet18", "nets/resnet18.pt" as
/// "resnet18.pt".
std::string source_text(const std::filesystem::path& file) {
  constexpr std::string_view usual = ".onnx";
  return path_text(file.filename().string(), file.extension() == usual ? usual : "");
}

/// A label and a board's name together name a folder, which takes 255 bytes.
constexpr std::size_t longest_label = 160;

/// Fields a label tells whenever they are there, usual or not: each says that its group is.
constexpr std::array<std::string_view, 6> always_told{
    "distill.alpha", "distill.T", "noise.kind", "prune.sparsity", "cluster.clusters", "seed"};

/// Names joined by +, and what they stand for behind them.
std::string list_text(const Json& value) {
  std::string text;
  for (const auto& [key, entry] : value.items()) {
    if (!text.empty()) text += '+';
    if (value.is_object()) text += plain_text(key) + "-";
    text += entry.is_string() ? plain_text(entry.get<std::string>()) : entry.dump();
  }
  return text;
}

std::string value_text(const Field& field, const Json& value) {
  if (value.is_structured()) return list_text(value);
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const auto ending = path_ending(field, text);
    return ending ? path_text(text, *ending) : text;
  }
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return value.dump();
}

/// "cut4-width50"; the default family is understood where a cut or a width says something.
std::string choice_text(const ModelChoice& model) {
  std::string name;
  if (model.cut) name = fmt::format("cut{}", model.cut);
  if (model.fewer_filters_pct)
    name += fmt::format("{}width{}", name.empty() ? "" : "-", model.fewer_filters_pct);
  if (name.empty()) return model.family;
  return model.family == ModelChoice().family ? name : model.family + "-" + name;
}

/// Fields that the first part of a label tells.
bool named_by_student(std::string_view path) {
  return path == "student.model" || path == "student.cut" || path == "student.fewer_filters_pct" ||
         path == "student.from";
}

}  // namespace

Config Config::from(const FieldValues& given) {
  Config config;
  for (const auto& field : config_fields()) {
    if (!wanted(given, field.path)) continue;
    const auto found = given.find(field.path);
    if (found != given.end())
      config.values_[field.path] = found->second;
    else if (!field.fallback.is_null())
      config.values_[field.path] = field.fallback;
  }
  if (config.has("teacher") && !config.values_.contains("teacher.epochs"))
    config.values_["teacher.epochs"] = config.at("train.epochs");
  for (const Group& group : groups)
    if (config.has(group.name)) group.simplify(config.values_);
  return config;
}

Config Config::plain() const {
  Config config = *this;
  drop_group(config.values_, "distill");
  drop_group(config.values_, "teacher");
  return config;
}

Config Config::uncompressed() const {
  FieldValues values = values_;
  for (const char* group : {"noise", "prune", "cluster", "quantize"})
    drop_group(values, group);
  return from(values);
}

Config Config::teacher(int index) const {
  Config config = compressed_teacher();
  config.values_["seed"] = at("teacher.seed").get<std::int64_t>() + index;
  return config.uncompressed();
}

Config Config::compressed_teacher() const {
  Config config = plain();
  drop_group(config.values_, "student");
  config.values_["student.model"] = at("teacher.model");
  config.values_["student.cut"] = "none";
  config.values_["student.fewer_filters_pct"] = 0;
  if (!joint_teacher()) config.values_["train.epochs"] = at("teacher.epochs");
  config.values_["seed"] = at("teacher.seed");
  return config;
}

int Config::teacher_count() const {
  if (!distilled()) return 0;
  return joint_teacher() ? 1 : at("teacher.count").get<int>();
}

bool Config::joint_teacher() const {
  return distilled() && at("distill.teacher") == "joint";
}

bool Config::has(std::string_view group) const {
  return any_in_group(values_, group);
}

const Json& Config::at(std::string_view path) const {
  const auto found = values_.find(path);
  assert(found != values_.end());
  return found->second;
}

std::optional<std::filesystem::path> Config::source() const {
  const auto found = values_.find("student.from");
  if (found == values_.end()) return std::nullopt;
  return found->second.get<std::string>();
}

ModelChoice Config::student() const {
  const Json& cut = at("student.cut");
  return {at("student.model").get<std::string>(), cut.is_string() ? 0 : cut.get<int>(),
          at("student.fewer_filters_pct").get<int>()};
}

double Config::beta() const {
  return resolved_beta(values_);
}

Json nest(const FieldValues& values) {
  Json json = Json::object();
  for (const auto& [path, value] : values) {
    Json* place = &json;
    std::string_view rest = path;
    for (auto dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
      place = &(*place)[std::string(rest.substr(0, dot))];
      rest.remove_prefix(dot + 1);
    }
    (*place)[std::string(rest)] = value;
  }
  return json;
}

Json Config::json() const {
  return nest(values_);
}

std::string Config::config_id() const {
  return sha256_hex(canonical_json(json()));
}

std::string Config::group_id() const {
  FieldValues seedless = values_;
  seedless.erase("seed");
  return sha256_hex(canonical_json(nest(seedless)));
}

std::string Config::label() const {
  const auto file = source();
  std::string name = file ? source_text(*file) : choice_text(student());
  for (const auto& field : config_fields()) {
    const auto found = values_.find(field.path);
    if (found == values_.end() || named_by_student(field.path)) continue;
    const bool always = std::ranges::count(always_told, field.path) > 0;
    const bool derived = field.path == "distill.beta" &&
                         std::abs(beta() + at("distill.alpha").get<double>() - 1) < 1e-12;
    const bool usual = found->second == field.fallback || derived ||
                       (field.path == "teacher.epochs" && found->second == at("train.epochs"));
    if (always || !usual) name += "_" + field.label + value_text(field, found->second);
  }
  if (name.size() <= longest_label) return name;
  const std::string mark = "_" + config_id().substr(0, 8);
  return name.substr(0, longest_label - mark.size()) + mark;
}

}  // namespace assay

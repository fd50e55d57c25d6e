#include "harness/plan/config.hpp"

#include <cassert>

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

void drop_what_is_inert(FieldValues& values) {
  const double beta = resolved_beta(values);
  if (beta == 0 && values.at("distill.alpha").get<double>() == 1) {
    drop_group(values, "teacher");
    return drop_group(values, "distill");
  }
  if (beta == 0) {
    values.erase("distill.T");
    values.erase("distill.t_squared");
  } else if (values.at("distill.T").get<double>() == 1) {
    values.erase("distill.t_squared");
  }
  // "1-alpha" and the number it stands for are one experiment.
  values["distill.beta"] = beta;
}

std::string value_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return value.dump();
}

}  // namespace

Config Config::from(const FieldValues& given) {
  Config config;
  const bool distilled = any_in_group(given, "distill");
  for (const auto& field : config_fields()) {
    if (!distilled && (in_group(field.path, "distill") || in_group(field.path, "teacher")))
      continue;
    const auto found = given.find(field.path);
    if (found != given.end())
      config.values_[field.path] = found->second;
    else if (!field.fallback.is_null())
      config.values_[field.path] = field.fallback;
  }
  if (distilled) {
    if (!config.values_.contains("teacher.epochs"))
      config.values_["teacher.epochs"] = config.at("train.epochs");
    drop_what_is_inert(config.values_);
  }
  return config;
}

Config Config::plain() const {
  Config config = *this;
  drop_group(config.values_, "distill");
  drop_group(config.values_, "teacher");
  return config;
}

Config Config::teacher() const {
  Config config = plain();
  config.values_["student.model"] = at("teacher.model");
  config.values_["student.cut"] = "none";
  config.values_["student.fewer_filters_pct"] = 0;
  config.values_["train.epochs"] = at("teacher.epochs");
  config.values_["seed"] = at("teacher.seed");
  return config;
}

const Json& Config::at(std::string_view path) const {
  const auto found = values_.find(path);
  assert(found != values_.end());
  return found->second;
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
  const ModelChoice model = student();
  std::string name;
  if (model.cut) name = fmt::format("cut{}", model.cut);
  if (model.fewer_filters_pct)
    name += fmt::format("{}width{}", name.empty() ? "" : "-", model.fewer_filters_pct);
  if (name.empty()) name = model.family;
  for (const auto& field : config_fields()) {
    const auto found = values_.find(field.path);
    if (found == values_.end() || field.label.empty() || in_group(field.path, "student")) continue;
    const bool always =
        field.path == "distill.alpha" || field.path == "distill.T" || field.path == "seed";
    const bool derived = field.path == "distill.beta" &&
                         std::abs(beta() + at("distill.alpha").get<double>() - 1) < 1e-12;
    const bool usual = found->second == field.fallback || derived ||
                       (field.path == "teacher.epochs" && found->second == at("train.epochs"));
    if (always || !usual) name += "_" + field.label + value_text(found->second);
  }
  return name;
}

}  // namespace assay

// One point of the matrix: a value for every field, and its identity.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compress/models/model_spec.hpp"
#include "harness/core/json.hpp"

namespace assay {

/// Field values by dotted path, canonical types. Plain value.
using FieldValues = std::map<std::string, Json, std::less<>>;

/// A complete, canonical configuration: fields that cannot matter are absent, so two configurations
/// describe the same experiment exactly when they are equal.
class Config {
 public:
  /// Fills in defaults and drops what is inert: a plain student has no teacher; alpha 1 with beta
  /// 1-alpha is a plain student; beta 0 makes T inert; T 1 makes t_squared inert. Distilled when
  /// any distill.* field is given.
  static Config from(const FieldValues& given);

  /// The same student trained without a teacher.
  Config plain() const;
  /// The teacher of a distilled student, as a plain configuration of its own.
  Config teacher() const;
  bool distilled() const { return values_.contains("distill.alpha"); }

  const FieldValues& values() const { return values_; }
  /// The value of a field that is present (asserted).
  const Json& at(std::string_view path) const;

  ModelChoice student() const;
  /// The distillation weights as numbers: beta with "1-alpha" resolved.
  double beta() const;

  /// Nested JSON of the present fields.
  Json json() const;
  /// SHA-256 of the canonical JSON, with and without the seeds of the run.
  std::string config_id() const;
  std::string group_id() const;
  /// Short name for people and folders: "cut4-width50_a0.5_T4_s1".
  std::string label() const;

  bool operator==(const Config&) const = default;

 private:
  FieldValues values_;
};

/// {"a.b": 1} as {"a": {"b": 1}}.
Json nest(const FieldValues& values);

}  // namespace assay

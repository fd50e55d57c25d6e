// One point of the matrix: a value for every field, and its identity.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
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
  /// Fills in defaults and drops what is inert. The groups distill, noise, prune and cluster are
  /// there when any of their fields is given and they do something: a plain student has no teacher;
  /// alpha 1 with beta 1-alpha and no hints is a plain student; beta 0 makes T inert; a sparsity of
  /// 0 prunes nothing. Within a group, fields that its other values leave without effect are gone
  /// too (the steps of a constant schedule, the widths of a float model). A student from a file has
  /// neither family nor cut nor width; others have no head to replace and nothing frozen.
  static Config from(const FieldValues& given);

  /// The same student trained without a teacher.
  Config plain() const;
  /// The same student neither pruned nor clustered, and quantized as by default.
  Config uncompressed() const;
  /// Teacher number `index` of a distilled student, as a plain, uncompressed configuration.
  Config teacher(int index = 0) const;
  /// The first teacher, compressed as the student is.
  Config compressed_teacher() const;
  bool distilled() const { return has("distill"); }
  /// How many networks teach; 0 without a teacher.
  int teacher_count() const;
  /// The teacher learns at the same time.
  bool joint_teacher() const;
  /// Whether a group of fields ("prune") is there.
  bool has(std::string_view group) const;

  const FieldValues& values() const { return values_; }
  /// The value of a field that is present (asserted).
  const Json& at(std::string_view path) const;

  /// The file that the student starts from; nothing for a new network of a family.
  std::optional<std::filesystem::path> source() const;
  /// The new network that the student starts from; only without a source (asserted).
  ModelChoice student() const;
  /// The distillation weights as numbers: beta with "1-alpha" resolved.
  double beta() const;

  /// Nested JSON of the present fields.
  Json json() const;
  /// SHA-256 of the canonical JSON, with and without the seeds of the run.
  std::string config_id() const;
  std::string group_id() const;
  /// Short name for people and folders: "cut4-width50_a0.5_T4_s1"; of a student from a file it
  /// begins with the file's: "resnet18_fz-all-but-head_s1". Letters of names from outside that a
  /// folder's name should not have are replaced; above 160 bytes it is cut, and ends with eight
  /// digits of config_id().
  std::string label() const;

  bool operator==(const Config&) const = default;

 private:
  FieldValues values_;
};

/// {"a.b": 1} as {"a": {"b": 1}}.
Json nest(const FieldValues& values);

}  // namespace assay

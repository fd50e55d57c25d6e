#include "compress/methods/distillation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compress/methods/settings.hpp"

namespace assay {
namespace {

constexpr Words<TeacherTraining, 2> teacher_words{{
    {TeacherTraining::fixed, "fixed"},
    {TeacherTraining::joint, "joint"},
}};

/// {"student layer": "teacher layer"}
std::vector<std::pair<std::string, std::string>> read_hints(JsonObject& object) {
  std::vector<std::pair<std::string, std::string>> hints;
  const Json& given = object.raw("hints");
  if (given.is_null()) return hints;
  if (!given.is_object()) {
    object.problem("hints",
                   "expected {\"student layer\": \"teacher layer\"}, found " + describe(given));
    return hints;
  }
  for (const auto& [student, teacher] : given.items()) {
    if (!teacher.is_string())
      object.problem("hints", "expected the name of a teacher layer for \"" + student +
                                  "\", found " + describe(teacher));
    else
      hints.emplace_back(student, teacher.get<std::string>());
  }
  return hints;
}

}  // namespace

Json to_json(const DistillSettings& settings) {
  Json json = {{"alpha", settings.alpha},
               {"beta", settings.beta},
               {"T", settings.temperature},
               {"t_squared", settings.t_squared},
               {"teacher", word_of(teacher_words, settings.teacher)}};
  if (settings.hints.empty()) return json;
  json["hint_weight"] = settings.hint_weight;
  for (const auto& [student, teacher] : settings.hints)
    json["hints"][student] = teacher;
  return json;
}

DistillSettings read_distill_settings(JsonObject& object) {
  DistillSettings settings;
  settings.alpha = read_real(object, "alpha", settings.alpha, true);
  settings.beta = read_real(object, "beta", settings.beta, true);
  settings.temperature = read_real(object, "T", settings.temperature, false);
  settings.t_squared = object.optional<bool>("t_squared", settings.t_squared);
  settings.teacher = read_word(object, "teacher", teacher_words, settings.teacher);
  settings.hint_weight = read_real(object, "hint_weight", settings.hint_weight, true);
  settings.hints = read_hints(object);
  if (settings.alpha == 0 && settings.beta == 0 &&
      (settings.hints.empty() || settings.hint_weight == 0))
    object.problem("", "alpha and beta are both 0, which leaves no loss");
  return settings;
}

Result<std::string> output_of(const onnx::Model& model, const std::string& node,
                              const std::string& source) {
  std::vector<std::string> known;
  for (const onnx::Node& candidate : model.nodes) {
    if (candidate.name == node) return candidate.outputs[0];
    known.push_back(candidate.name);
  }
  return fail(ErrorKind::bad_input, fmt::format("{} has no layer \"{}\"; it has {}", source, node,
                                                fmt::join(known, ", ")));
}

Status check_hint(const HintFeature& student, const HintFeature& teacher) {
  const auto places = [](const HintFeature& feature) {
    return std::vector(feature.shape.begin() + 1, feature.shape.end());
  };
  if (student.shape.size() == teacher.shape.size() && places(student) == places(teacher)) return {};
  return fail(ErrorKind::bad_input,
              fmt::format("of a hint, \"{}\" of the student puts out {}, \"{}\" of the teacher "
                          "{}; only the channels may differ",
                          student.tensor, fmt::join(student.shape, " x "), teacher.tensor,
                          fmt::join(teacher.shape, " x ")));
}

}  // namespace assay

#include "compress/train/epoch_report.hpp"

#include <array>
#include <utility>

namespace assay {
namespace {

constexpr std::array<std::pair<const char*, double EpochReport::*>, 3> always{{
    {"learning_rate", &EpochReport::learning_rate},
    {"loss", &EpochReport::loss},
    {"task_loss", &EpochReport::task_loss},
}};

constexpr std::array<std::pair<const char*, std::optional<double> EpochReport::*>, 4> sometimes{{
    {"divergence", &EpochReport::divergence},
    {"hint", &EpochReport::hint},
    {"validation_accuracy", &EpochReport::validation_accuracy},
    {"validation_error", &EpochReport::validation_error},
}};

}  // namespace

Json to_json(const EpochReport& report) {
  Json json;
  for (const auto& [name, field] : always)
    json[name] = report.*field;
  for (const auto& [name, field] : sometimes)
    if (report.*field) json[name] = *(report.*field);
  return json;
}

EpochReport read_epoch_report(const Json& json) {
  EpochReport report;
  for (const auto& [name, field] : always)
    report.*field = json.at(name).get<double>();
  for (const auto& [name, field] : sometimes)
    if (json.contains(name)) report.*field = json.at(name).get<double>();
  return report;
}

}  // namespace assay

#include "harness/core/record.hpp"

#include <array>

#include <fmt/format.h>

namespace assay {

std::string_view to_string(Verdict verdict) {
  constexpr std::array words{"pass", "fail", "infra"};
  return words[static_cast<std::size_t>(verdict)];
}

Result<Verdict> parse_verdict(std::string_view word) {
  for (auto candidate : {Verdict::pass, Verdict::fail, Verdict::infra})
    if (to_string(candidate) == word) return candidate;
  return fail(ErrorKind::bad_input,
              fmt::format("unknown verdict \"{}\": expected pass, fail or infra", word));
}

namespace {

/// The text fields of a record, named once for reading and writing.
constexpr std::array<std::pair<const char*, std::string Record::*>, 11> text_fields{{
    {"measurement_key", &Record::measurement_key},
    {"cell_id", &Record::cell_id},
    {"config_id", &Record::config_id},
    {"group_id", &Record::group_id},
    {"matrix", &Record::matrix},
    {"label", &Record::label},
    {"board_type", &Record::board_type},
    {"part", &Record::part},
    {"board", &Record::board},
    {"command", &Record::command},
    {"recorded_at", &Record::recorded_at},
}};

}  // namespace

Json to_json(const Record& record) {
  Json json;
  for (const auto& [name, field] : text_fields)
    json[name] = record.*field;
  json["virtual_board"] = record.virtual_board;
  json["verdict"] = to_string(record.verdict);
  json["verdict_detail"] = record.verdict_detail;
  json["config"] = record.config;
  json["build"] = record.build;
  json["environment"] = record.environment;
  json["metrics"] = to_json(record.metrics);
  return json;
}

Result<Record> parse_record(const Json& json, const std::string& source) {
  Record record;
  JsonErrors errors(source);
  {
    JsonObject object(json, "", errors);
    for (const auto& [name, field] : text_fields)
      record.*field = object.required<std::string>(name);
    record.virtual_board = object.required<bool>("virtual_board");
    const auto verdict = parse_verdict(object.choice("verdict", {"pass", "fail", "infra"}));
    if (verdict) record.verdict = *verdict;
    record.verdict_detail = object.required<std::string>("verdict_detail");
    record.config = object.raw("config");
    record.build = object.raw("build");
    record.environment = object.raw("environment");
    auto metrics = parse_metrics(object.raw("metrics"), source + ": metrics");
    if (metrics)
      record.metrics = std::move(*metrics);
    else if (!errors.failed())
      return tl::unexpected(metrics.error());
  }
  ASSAY_CHECK(errors.status());
  return record;
}

}  // namespace assay

#include <fmt/format.h>

#include <array>
#include <map>
#include <set>
#include <vector>

#include "reports/number.hpp"
#include "reports/report.hpp"
#include "reports/selection.hpp"
#include "reports/table.hpp"

namespace assay {
namespace {

/// RFC 4180: a field with a comma, quote or line break is quoted, a quote inside is doubled.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

using TextColumn = std::pair<const char*, std::string Record::*>;
constexpr std::array<TextColumn, 12> text_columns{{
    {"matrix", &Record::matrix},
    {"label", &Record::label},
    {"board_type", &Record::board_type},
    {"part", &Record::part},
    {"board", &Record::board},
    {"verdict_detail", &Record::verdict_detail},
    {"recorded_at", &Record::recorded_at},
    {"config_id", &Record::config_id},
    {"group_id", &Record::group_id},
    {"cell_id", &Record::cell_id},
    {"measurement_key", &Record::measurement_key},
    {"command", &Record::command},
}};

/// The fields of a configuration as dotted paths, "distill.alpha" -> "0.5".
void flatten(const Json& config, const std::string& path,
             std::map<std::string, std::string>& fields) {
  for (const auto& [key, value] : config.items()) {
    const std::string name = path.empty() ? key : path + "." + key;
    if (value.is_object())
      flatten(value, name, fields);
    else
      fields[name] = value.is_string() ? value.get<std::string>() : value.dump();
  }
}

std::map<std::string, std::string> config_fields_of(const Record& record) {
  std::map<std::string, std::string> fields;
  if (record.config.is_object()) flatten(record.config, "", fields);
  return fields;
}

void end_line(std::string& out, const std::vector<std::string>& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ',';
    out += csv_field(fields[i]);
  }
  out += "\r\n";
}

}  // namespace

std::string render_csv(const ReportInput& input) {
  const ReportTable table = report_table(input, ColumnChoice::all);
  std::set<std::string> config_columns;
  for (const auto& record : input.records)
    for (const auto& [name, value] : config_fields_of(record))
      config_columns.insert(name);
  std::string out;
  std::vector<std::string> fields;
  for (const auto& [name, field] : text_columns)
    fields.emplace_back(name);
  fields.insert(fields.end(), {"virtual_board", "verdict"});
  const SelectionNotes selection(input.context);
  if (!selection.empty()) fields.emplace_back("selected");
  for (const auto& name : config_columns)
    fields.push_back("config." + name);
  for (const auto& column : table.columns)
    fields.insert(fields.end(), {column.name, column.name + "_provenance"});
  end_line(out, fields);
  for (const auto& record : input.records) {
    fields.clear();
    for (const auto& [name, field] : text_columns)
      fields.push_back(record.*field);
    fields.emplace_back(record.virtual_board ? "true" : "false");
    fields.emplace_back(to_string(record.verdict));
    if (!selection.empty()) fields.push_back(selection.meaning(record.config_id));
    const auto config = config_fields_of(record);
    for (const auto& name : config_columns) {
      const auto found = config.find(name);
      fields.push_back(found == config.end() ? "" : found->second);
    }
    for (const auto& column : table.columns) {
      const auto found = record.metrics.find(column.name);
      const bool known = found != record.metrics.end();
      fields.push_back(known ? exact_number(found->second.value) : "");
      fields.emplace_back(known ? to_string(found->second.provenance) : "");
    }
    end_line(out, fields);
  }
  return out;
}

}  // namespace assay

#include "reports/html_details.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "reports/html_text.hpp"
#include "reports/number.hpp"

namespace assay {
namespace {

/// The metrics of a record in table order, unknown names last.
std::vector<std::string> metric_order(const Metrics& metrics) {
  std::vector<std::string> names;
  for (const auto& kind : metric_kinds())
    if (metrics.contains(std::string(kind.name))) names.emplace_back(kind.name);
  for (const auto& [name, metric] : metrics)
    if (!find_metric_kind(name)) names.push_back(name);
  return names;
}

std::string samples_text(const std::vector<double>& samples) {
  std::vector<std::string> texts;
  for (const double sample : samples)
    texts.push_back(readable_number(sample));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string metric_row(const std::string& name, const Metric& metric) {
  const MetricKind* kind = find_metric_kind(name);
  return fmt::format(
      "<tr><th scope=\"row\">{}<code>{}</code></th><td class=\"num\">{} {}</td><td>{}</td>"
      "<td class=\"samples\">{}</td></tr>\n",
      kind ? html_text(kind->title) + " " : "", html_text(name), readable_number(metric.value),
      html_text(unit_text(metric.unit)), to_string(metric.provenance),
      samples_text(metric.samples));
}

std::string metrics_html(const Metrics& metrics) {
  if (metrics.empty()) return "<p class=\"quiet\">No figures were taken.</p>\n";
  std::string out =
      "<div class=\"scroll\"><table class=\"metrics\"><thead><tr><th scope=\"col\">Metric</th>"
      "<th scope=\"col\" class=\"num\">Value</th><th scope=\"col\">Provenance</th>"
      "<th scope=\"col\">Samples</th></tr></thead><tbody>\n";
  for (const auto& name : metric_order(metrics))
    out += metric_row(name, metrics.at(name));
  return out + "</tbody></table></div>\n";
}

std::string json_block(const char* title, const Json& value) {
  if (value.is_null() || value.empty()) return "";
  return fmt::format("<h4>{}</h4>\n<pre>{}</pre>\n", title, html_json(value));
}

std::string command_html(const std::string& command) {
  if (command.empty()) return "";
  return fmt::format(
      "<h4>Reproduce this row</h4>\n<div class=\"command\"><code>{}</code>"
      "<button type=\"button\" class=\"copy\">Copy</button></div>\n",
      html_text(command));
}

std::string place_of(const Record& record) {
  if (record.board_type == host_target) return "on the host";
  return fmt::format("{}, {}{}", record.board_type, record.part,
                     record.virtual_board ? ", virtual board" : "");
}

/// Without a board there was no verdict to reach.
std::string verdict_html(const Record& record) {
  if (record.board_type == host_target) return "";
  return fmt::format(" <span class=\"verdict {}\">{}</span>", to_string(record.verdict),
                     to_string(record.verdict));
}

std::string record_html(const Record& record, std::size_t index) {
  std::string out = fmt::format(
      "<details class=\"record\" id=\"record-{}\"><summary><span class=\"label\">{}</span> "
      "<span class=\"board quiet\">{}</span>{}</summary>\n",
      index, html_text(record.label), html_text(record.board), verdict_html(record));
  if (!record.verdict_detail.empty())
    out += fmt::format("<p>{}</p>\n", html_text(record.verdict_detail));
  out += fmt::format("<p class=\"quiet\">{}, recorded {}</p>\n", html_text(place_of(record)),
                     html_text(record.recorded_at));
  out += metrics_html(record.metrics) + command_html(record.command);
  out += json_block("Configuration", record.config) + json_block("Build", record.build) +
         json_block("Environment", record.environment);
  out += fmt::format("<p class=\"quiet\">measurement key <code>{}</code></p>\n</details>\n",
                     html_text(record.measurement_key));
  return out;
}

/// The fields that every record has with the same value.
Json shared_fields(const std::vector<Record>& records, Json Record::*field) {
  if (records.empty() || !(records.front().*field).is_object()) return Json::object();
  Json shared = records.front().*field;
  for (const auto& record : records) {
    const Json& other = record.*field;
    Json kept = Json::object();
    for (auto it = shared.begin(); it != shared.end(); ++it)
      if (other.is_object() && other.contains(it.key()) && other.at(it.key()) == it.value())
        kept[it.key()] = it.value();
    shared = std::move(kept);
  }
  return shared;
}

std::string field_list(const char* title, const Json& fields) {
  if (!fields.is_object() || fields.empty()) return "";
  std::string out = fmt::format("<h4>{}</h4>\n<dl>\n", title);
  for (auto it = fields.begin(); it != fields.end(); ++it) {
    const std::string value = it->is_string() ? html_text(it->get<std::string>()) : html_json(*it);
    out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", html_text(it.key()), value);
  }
  return out + "</dl>\n";
}

}  // namespace

std::string details_html(const ReportInput& input) {
  std::string out;
  for (std::size_t i = 0; i < input.records.size(); ++i)
    out += record_html(input.records[i], i);
  return out;
}

std::string environment_html(const ReportInput& input) {
  Json run = input.context;
  if (run.is_object()) run.erase("selections");  // the rows are marked
  const std::string lists =
      field_list("Run", run) +
      field_list("Build, the same in every record", shared_fields(input.records, &Record::build)) +
      field_list("Environment, the same in every record",
                 shared_fields(input.records, &Record::environment));
  if (lists.empty()) return "";
  return "<details class=\"environment\"><summary>Environment and build</summary>\n" + lists +
         "</details>\n";
}

}  // namespace assay

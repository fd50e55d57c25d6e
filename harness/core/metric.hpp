// A figure with its unit and its provenance, and the table of every metric assay knows.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/json.hpp"

namespace assay {

/// Where a figure comes from. It never changes on the way to a table.
enum class Provenance {
  measured,  ///< on silicon
  modelled,  ///< virtual board's cycle table, datasheet current
  counted,   ///< exact: bytes, MACs, instructions
  computed,  ///< host arithmetic
};

std::string_view to_string(Provenance provenance);
Result<Provenance> parse_provenance(std::string_view word);

/// One figure. `samples` are the raw values `value` was made from (cycles of each quiet-window
/// run), empty when there is only the value.
struct Metric {
  double value = 0;
  std::string unit;
  Provenance provenance = Provenance::computed;
  std::vector<double> samples;
};

using Metrics = std::map<std::string, Metric>;

/// What is known about a metric by its name alone.
struct MetricKind {
  std::string_view name;     ///< "rom_bytes"
  std::string_view unit;     ///< "B"
  std::string_view title;    ///< "Flash", the column heading
  std::string_view meaning;  ///< one sentence for the reader of a report
  bool higher_is_better;
  int decimals;  ///< shown in tables
};

/// Every metric, in the order tables show them.
std::span<const MetricKind> metric_kinds();
/// The kind of that name, or nullptr.
const MetricKind* find_metric_kind(std::string_view name);

/// {"value", "unit", "provenance", "samples"?}
Json to_json(const Metric& metric);
Json to_json(const Metrics& metrics);
/// Errors: bad_input naming the path of the bad field.
Result<Metrics> parse_metrics(const Json& json, const std::string& source);

}  // namespace assay

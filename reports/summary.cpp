#include "reports/summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace assay {
namespace {

void add_once(std::vector<std::string>& list, const std::string& value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(value);
}

std::optional<std::string> text_field(const Json& object, const char* key) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::vector<std::string> data_sets(const ReportInput& input) {
  if (const auto given = text_field(input.context, "data_set")) return {*given};
  std::vector<std::string> names;
  for (const auto& record : input.records) {
    auto name = text_field(record.environment, "data_set");
    if (!name) name = text_field(record.config, "data");
    if (name) add_once(names, *name);
  }
  return names;
}

std::optional<double> teacher_accuracy(const Json& context) {
  if (!context.is_object()) return std::nullopt;
  const auto found = context.find("teacher_accuracy");
  if (found == context.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::size_t board_records(const ReportSummary& summary) {
  return summary.passed + summary.failed + summary.infra;
}

/// "8 (6 passed, 2 failed)"; what did not happen is not mentioned.
std::string cells_text(const ReportSummary& summary) {
  std::vector<std::string> parts;
  for (const auto& [count, what] : {std::pair{summary.passed, "passed"},
                                    {summary.failed, "failed"},
                                    {summary.infra, "without a result"},
                                    {summary.on_host, "on the host"}})
    if (count > 0) parts.push_back(fmt::format("{} {}", count, what));
  if (parts.empty() || (parts.size() == 1 && summary.on_host > 0))
    return std::to_string(summary.cells);
  return fmt::format("{} ({})", summary.cells, fmt::join(parts, ", "));
}

}  // namespace

ReportSummary summarize(const ReportInput& input) {
  ReportSummary summary;
  // A matrix may show records that another one measured.
  const auto matrix = text_field(input.context, "matrix");
  if (matrix) summary.matrices = {*matrix};
  std::set<std::string> cells;
  std::set<std::string> moments;
  for (const auto& record : input.records) {
    if (!matrix) add_once(summary.matrices, record.matrix);
    cells.insert(record.cell_id);
    if (!record.recorded_at.empty()) moments.insert(record.recorded_at);
    if (record.virtual_board) ++summary.virtual_records;
    if (record.board_type == host_target)
      ++summary.on_host;
    else if (record.verdict == Verdict::pass)
      ++summary.passed;
    else if (record.verdict == Verdict::fail)
      ++summary.failed;
    else
      ++summary.infra;
  }
  summary.cells = cells.size();
  if (!moments.empty()) {
    constexpr std::size_t day = 10;  // "2026-01-31" of an RFC 3339 moment
    summary.first_day = moments.begin()->substr(0, day);
    summary.last_day = moments.rbegin()->substr(0, day);
  }
  summary.data_sets = data_sets(input);
  summary.teacher_accuracy = teacher_accuracy(input.context);
  summary.command = text_field(input.context, "command");
  return summary;
}

std::vector<std::pair<std::string, std::string>> heading_facts(const ReportSummary& summary) {
  std::vector<std::pair<std::string, std::string>> facts;
  if (!summary.matrices.empty())
    facts.emplace_back(summary.matrices.size() == 1 ? "Matrix" : "Matrices",
                       fmt::format("{}", fmt::join(summary.matrices, ", ")));
  if (!summary.first_day.empty())
    facts.emplace_back(board_records(summary) > 0 ? "Measured" : "Computed",
                       summary.first_day == summary.last_day
                           ? summary.first_day
                           : summary.first_day + " to " + summary.last_day);
  if (!summary.data_sets.empty())
    facts.emplace_back("Data set", fmt::format("{}", fmt::join(summary.data_sets, ", ")));
  if (summary.teacher_accuracy)
    facts.emplace_back("Teacher accuracy",
                       fmt::format("{:.2f} % (float)", *summary.teacher_accuracy));
  facts.emplace_back("Cells", cells_text(summary));
  return facts;
}

std::string board_notice(const ReportSummary& summary) {
  const auto boards = board_records(summary);
  if (boards == 0)
    return summary.on_host == 0
               ? ""
               : "No board was measured: every figure is computed or counted on the host.";
  std::vector<std::string> sentences;
  if (summary.virtual_records == boards)
    sentences.emplace_back("Virtual boards: modelled figures, not silicon.");
  else if (summary.virtual_records > 0)
    sentences.push_back(
        fmt::format("{} of {} records come from virtual boards: modelled figures, not silicon.",
                    summary.virtual_records, boards));
  if (summary.on_host > 0)
    sentences.push_back(fmt::format("{} of {} records are of the host alone.", summary.on_host,
                                    summary.on_host + boards));
  return fmt::format("{}", fmt::join(sentences, " "));
}

}  // namespace assay

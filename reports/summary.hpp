// What stands above every report: which runs, when, how many cells, how they ended. Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reports/report.hpp"

namespace assay {

struct ReportSummary {
  std::vector<std::string> matrices;  ///< from the context, else in order of first appearance
  std::string first_day;              ///< UTC, "2026-01-31"; empty without records
  std::string last_day;
  std::size_t cells = 0;    ///< distinct cell ids
  std::size_t on_host = 0;  ///< records that needed no board
  std::size_t passed = 0;   ///< records of boards, by verdict
  std::size_t failed = 0;
  std::size_t infra = 0;
  std::size_t virtual_records = 0;         ///< records from virtual boards
  std::vector<std::string> data_sets;      ///< from the context, else from the records
  std::optional<double> teacher_accuracy;  ///< percent, in float, from the context
  std::optional<std::string> command;      ///< reproduces the run, from the context
};

ReportSummary summarize(const ReportInput& input);

/// The heading in words, one fact each: {"Matrix", "demo"}, {"Measured", "2026-01-31"}, ...
std::vector<std::pair<std::string, std::string>> heading_facts(const ReportSummary& summary);

/// What keeps virtual boards from passing for silicon, and the host from passing for a board; empty
/// when every record is of a real board.
std::string board_notice(const ReportSummary& summary);

}  // namespace assay

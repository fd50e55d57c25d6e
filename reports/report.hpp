// Reports: records in, text out. Exporters are pure functions; their caller opens the files.
// Thread-safe. A new format is one .cpp with one function, declared here, and one row of the table.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/record.hpp"

namespace assay {

/// What a report is made of.
struct ReportInput {
  std::string title;            ///< "demo"
  std::vector<Record> records;  ///< in the order the rows shall have
  /// What is known about the run beyond its records: an object, or null. "matrix" (its name),
  /// "data_set" (text), "teacher_accuracy" (percent, in float) and "command" (reproduces the run)
  /// stand in the report's heading; "selections" marks rows (reports/selection.hpp); everything
  /// else is listed in the HTML report under the environment.
  Json context;
};

/// One format: how a user names it, the file it becomes, and the function that writes it.
struct ReportFormat {
  std::string_view name;
  std::string_view file_name;
  std::string_view description;
  bool complete;  ///< has a line for every record given, so that nothing need be left out
  std::string (*render)(const ReportInput& input);
};

/// Every format: html, markdown, csv, latex, json, text.
std::span<const ReportFormat> report_formats();
/// The format of that name, or nullptr.
const ReportFormat* find_report_format(std::string_view name);

/// One self-contained page with sortable table and charts; needs no network.
std::string render_html(const ReportInput& input);
/// A GitHub table with heading and legend.
std::string render_markdown(const ReportInput& input);
/// RFC 4180: one line per record: identity, a column "config.<field>" for each field of its
/// configuration, every metric at full precision with its provenance. No grouping.
std::string render_csv(const ReportInput& input);
/// A table float with booktabs rules; needs \usepackage{booktabs,graphicx}; never wider than the
/// text.
std::string render_latex(const ReportInput& input);
/// Everything: {"title", "context", "records": [...]}.
std::string render_json(const ReportInput& input);
/// An aligned table for the terminal: what fits into 120 columns.
std::string render_text(const ReportInput& input);

}  // namespace assay

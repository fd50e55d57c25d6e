#include <algorithm>
#include <array>

#include "reports/report.hpp"

namespace assay {
namespace {

constexpr std::array formats{
    ReportFormat{"html", "index.html", "one self-contained page with charts", false, render_html},
    ReportFormat{"markdown", "table.md", "a table for GitHub", false, render_markdown},
    ReportFormat{"csv", "table.csv", "every record at full precision", true, render_csv},
    ReportFormat{"latex", "table.tex", "a booktabs table", false, render_latex},
    ReportFormat{"json", "records.json", "the full records", true, render_json},
    ReportFormat{"text", "table.txt", "an aligned table for the terminal", false, render_text},
};

}  // namespace

std::span<const ReportFormat> report_formats() {
  return formats;
}

const ReportFormat* find_report_format(std::string_view name) {
  const auto found = std::ranges::find(formats, name, &ReportFormat::name);
  return found == formats.end() ? nullptr : &*found;
}

}  // namespace assay

// The lower half of the HTML report: everything known about each record. Private to reports/. Pure.
#pragma once

#include <string>

#include "reports/report.hpp"

namespace assay {

/// One collapsible block per record, with the anchor "record-<index>": all metrics with their
/// samples, configuration, build and environment, and the command that reproduces it.
std::string details_html(const ReportInput& input);

/// The collapsible block of what all records share (build, environment) and of the context.
std::string environment_html(const ReportInput& input);

}  // namespace assay

// What the charts of the HTML report show, as the JSON its script reads. Private to reports/. Pure.
#pragma once

#include "reports/table.hpp"

namespace assay {

/// The charts that the table has figures for: accuracy against flash, and against latency, of
/// the rows that passed. Each is
/// {"id", "title", "x": axis, "y": axis, "series": [{"name", "points": [{"x", "y", "label",
/// "half"?}]}]} with axis = {"title", "log"}; one series per board type.
Json chart_data(const ReportTable& table);

}  // namespace assay

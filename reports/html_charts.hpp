// What the charts of the HTML report show, as the JSON its script reads. Private to reports/. Pure.
#pragma once

#include <optional>

#include "reports/table.hpp"

namespace assay {

/// The charts that the table has figures for: accuracy against flash, latency, weights, zeros and
/// clusters, of the rows that passed and differ in them. Each is
/// {"id", "title", "x": axis, "y": axis, "series": [{"name", "points": [{"x", "y", "label",
/// "half"?}]}], "teacher"} with axis = {"title", "log", "decimals"}; one series per board type
/// (and clock, where rows differ in it alone); "teacher" is the height of the line to compare with,
/// absent when that accuracy is not known.
Json chart_data(const ReportTable& table, std::optional<double> teacher_accuracy);

}  // namespace assay

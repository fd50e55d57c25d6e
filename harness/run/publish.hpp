// What a finished run leaves for people: the report in every format, and a folder per cell with
// links to its artifacts.
#pragma once

#include <filesystem>

#include "harness/plan/plan.hpp"
#include "harness/run/cache.hpp"
#include "reports/report.hpp"

namespace assay {

/// Writes `<folder>/<file name>` for every report format. Errors: infrastructure.
Status write_reports(const ReportInput& input, const std::filesystem::path& folder);

/// Makes `<folder>/<cell label>/` with links to model.onnx, firmware.elf, firmware.map and
/// training.json in the cache, for every cell whose artifacts are there. Errors: infrastructure.
Status link_artifacts(const Plan& plan, const StageCache& cache,
                      const std::filesystem::path& folder);

/// The report of a plan's records.
ReportInput report_of(const Plan& plan, const StageCache& cache, std::vector<Record> records,
                      const std::string& command);

}  // namespace assay

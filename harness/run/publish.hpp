// What a finished run leaves for people: the report in every format, and a folder per cell with
// links to its artifacts.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "harness/plan/plan.hpp"
#include "harness/run/cache.hpp"
#include "reports/report.hpp"
#include "results/store.hpp"

namespace assay {

/// Writes `<folder>/<file name>` for every report format. Errors: infrastructure.
Status write_reports(const ReportInput& input, const std::filesystem::path& folder);

/// Makes `<folder>/<cell label>/` with links to model.onnx, firmware.elf, firmware.map and
/// training.json in the cache, for every cell whose artifacts are there. Returns a sentence for
/// each damaged result: nothing new is linked to it. Errors: infrastructure.
Result<std::set<std::string>> link_artifacts(const Plan& plan, const StageCache& cache,
                                             const std::filesystem::path& folder);

/// Notes in the store what the report of a matrix is made of, the records of earlier runs and other
/// matrices included, so that it can be made again from the store alone. Errors: the store's.
Status note_report(const ReportInput& report, Store& store);

/// The report of a matrix from what the store knows: the newest record of every cell. Errors: the
/// store's; bad_input when it has no record of the matrix.
Result<ReportInput> stored_report(const std::string& matrix, Store& store);

/// The report of a plan's records.
ReportInput report_of(const Plan& plan, const StageCache& cache, std::vector<Record> records,
                      const std::string& command);

}  // namespace assay

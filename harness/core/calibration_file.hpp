// Calibrations as files, calibration/<part>.json beside the results store, and measured points as
// users write them down. Thread-safe, and safe against other processes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/calibration.hpp"
#include "harness/core/json.hpp"

namespace assay {

/// The file of a part's calibration in the project of a results store.
std::filesystem::path calibration_path(const std::filesystem::path& store, const std::string& part);

Json to_json(const Calibration& calibration);
/// Errors: bad_input naming the path of the bad field: no points, a figure that is not finite and
/// above zero, a date that is none, a hash that is none.
Result<Calibration> parse_calibration(const Json& json, const std::string& source);
/// The file of `part`, or nothing when there is none. Errors: those of reading and parsing;
/// bad_input when it is of another part, or of another version of the cycle model than the part's;
/// those of check_point.
Result<std::optional<Calibration>> load_calibration(const std::filesystem::path& store,
                                                    const Part& part);
/// Adds points to the file of `part` and says what it holds then. Points that other processes add
/// meanwhile are kept. Errors: those of load_calibration and check_point; infrastructure when the
/// file cannot be written.
Result<Calibration> add_to_calibration(const std::filesystem::path& store, const Part& part,
                                       const std::vector<CalibrationPoint>& points);

/// What a measured point is of.
struct MeasuredPoint {
  std::string part;
  std::string cycle_model;
  CalibrationPoint point;
};

/// {"part", "cycle_model", "network", "elf_sha256", "clock_hz", "board", "date", "modelled_cycles",
/// and "measured_cycles" or "latency_us"}. Errors: bad_input naming the path of the bad field.
Result<MeasuredPoint> parse_measured_point(const Json& json, const std::string& source);

}  // namespace assay

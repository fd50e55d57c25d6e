// What real boards said of a part's cycle model: points of measured beside modelled cycles, and the
// factor fitted through them. One file a part, calibration/<part>.json beside the results store.
// Plain values; thread-safe.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/json.hpp"
#include "harness/core/part.hpp"

namespace assay {

/// The same firmware at the same clock, on silicon and in the model.
struct CalibrationPoint {
  std::string name;   ///< of what ran: unique within a part
  std::string board;  ///< in the inventory, or whatever its owner calls it
  std::string date;   ///< UTC day, "2026-01-31"
  double measured_cycles = 0;
  double modelled_cycles = 0;  ///< of the model alone, without any factor
};

struct Calibration {
  std::string part;
  std::string cycle_model;  ///< version the modelled cycles are of
  std::vector<CalibrationPoint> points;

  /// Least squares of measured over modelled cycles through the origin:
  /// sum(measured x modelled) / sum(modelled^2).
  double factor() const;
  /// Share by which the fitted model is off at a point, in percent of what was measured.
  double residual_pct(const CalibrationPoint& point) const;
  /// The largest residual or twice their standard deviation (n - 1), whichever is more, 1 at
  /// least; nothing of a single point, which says nothing of the scatter.
  std::optional<double> band_pct() const;
  /// "calibrated on 3 points of f405-a, 2026-01-31": every board, the newest day.
  std::string evidence() const;
  /// Adds a point, or replaces the one of its name.
  void add(CalibrationPoint point);
};

/// By part.
using Calibrations = std::map<std::string, Calibration>;

/// The file of a part's calibration in the project of a results store.
std::filesystem::path calibration_path(const std::filesystem::path& store, const std::string& part);

Json to_json(const Calibration& calibration);
/// Errors: bad_input naming the path of the bad field, for no points, a figure that is not above
/// zero.
Result<Calibration> parse_calibration(const Json& json, const std::string& source);
/// The file of `part`, or nothing when there is none. Errors: those of reading and parsing;
/// bad_input when it is of another part, or of another version of the cycle model than the part's.
Result<std::optional<Calibration>> load_calibration(const std::filesystem::path& store,
                                                    const Part& part);
/// Errors: infrastructure when the file cannot be written.
Status save_calibration(const std::filesystem::path& store, const Calibration& calibration);

/// What a measured point is of.
struct MeasuredPoint {
  std::string part;
  std::string cycle_model;
  CalibrationPoint point;
};

/// {"part", "cycle_model", "name", "board", "date", "modelled_cycles", and "measured_cycles" or
/// "latency_us" with "clock_hz"}. Errors: bad_input naming the path of the bad field.
Result<MeasuredPoint> parse_measured_point(const Json& json, const std::string& source);

}  // namespace assay

// What real boards said of a part's cycle model: points of measured beside modelled cycles, the
// factor fitted through them, and how far it can be trusted. Plain values; thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/part.hpp"

namespace assay {

/// The same firmware at the same clock, on silicon and in the model.
struct CalibrationPoint {
  std::string network;     ///< label of what ran, for people
  std::string elf_sha256;  ///< of the firmware, on silicon and in the model
  Hertz clock;             ///< of the core
  std::string board;       ///< in the inventory, or whatever its owner calls it
  std::string date;        ///< UTC day, "2026-01-31"
  double measured_cycles = 0;
  double modelled_cycles = 0;  ///< of the model alone, without any factor

  bool operator==(const CalibrationPoint&) const = default;
};

struct Calibration {
  std::string part;
  std::string cycle_model;  ///< version the modelled cycles are of
  std::vector<CalibrationPoint> points;

  /// The points that ran with as many wait states of the flash as there are at `clock`; on a part
  /// whose flash is not modelled, at that clock. What is fitted to them holds there alone.
  Calibration at(const Part& part, Hertz clock) const;

  /// What of the points is distinct: those of one firmware (on several boards), and those whose
  /// modelled cycles differ by less than 1 % (a network's seeds), count as one, with their means.
  std::vector<CalibrationPoint> networks() const;
  /// Least squares of measured over modelled cycles of the networks through the origin:
  /// sum(measured x modelled) / sum(modelled^2).
  double factor() const;
  /// Share by which the fitted model is off at a point, in percent of what was measured.
  double residual_pct(const CalibrationPoint& point) const;
  /// The largest residual of a point, or twice their standard deviation over the n networks
  /// (n - 1), whichever is more, 1 at least; nothing of a single network, which says nothing of
  /// others.
  std::optional<double> band_pct() const;
  /// The largest share by which the model alone, or fitted, is off at a point.
  double largest_error_pct() const;
  /// "calibrated on 3 points of 2 networks at 168 MHz (f405-a, 2026-01-31)": every board, the
  /// newest day.
  std::string evidence() const;
  /// Adds a point, or replaces that of the same firmware, clock and board.
  void add(CalibrationPoint point);
};

/// By part.
using Calibrations = std::map<std::string, Calibration>;

/// Whether a point can be of that part and its model. Errors: bad_input for a part without a cycle
/// model, a clock that the part does not reach, a day that is still to come, measured cycles beyond
/// a fifth to five times the modelled ones: then it is another firmware, or another unit.
Status check_point(const Part& part, const CalibrationPoint& point);

}  // namespace assay

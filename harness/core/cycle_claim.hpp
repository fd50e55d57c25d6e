// What a modelled figure promises: every one is printed as `cycles ± band (model, chip, evidence)`,
// and one that nothing supports says so. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>

#include "harness/core/calibration.hpp"
#include "harness/core/part.hpp"

namespace assay {

/// What the cycles are of: in one layer the errors of single rules do not cancel out.
enum class Extent { network, layer };

struct CycleClaim {
  std::string model;               ///< version, "m4-2"
  std::string part;                ///< "stm32f405"
  std::optional<double> band_pct;  ///< absent: uncalibrated
  std::string evidence;
  double factor = 1;  ///< modelled cycles are multiplied by it: of the part's calibration
};

/// The claim for a part at a core clock: its calibration's where there is one, else at zero wait
/// states the core's and with wait states the part's. A part whose flash is not modelled promises
/// nothing.
CycleClaim cycle_claim(const Part& part, Hertz clock, Extent extent,
                       const std::optional<Calibration>& calibration = std::nullopt);

/// "± 10 %" or "uncalibrated".
std::string band_text(const CycleClaim& claim);
/// "± 10 % (model m4-2, stm32f405: ...)".
std::string to_text(const CycleClaim& claim);
/// {"version", "part", "band_pct"?, "evidence", "calibration_factor"?}
Json to_json(const CycleClaim& claim);

}  // namespace assay

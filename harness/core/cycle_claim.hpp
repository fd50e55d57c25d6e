// What a modelled figure promises: every one is printed as `cycles ± band (model, chip, evidence)`,
// and one that nothing supports says so. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>

#include "harness/core/calibration.hpp"
#include "harness/core/json.hpp"
#include "harness/core/part.hpp"

namespace assay {

/// What the cycles are of: in one layer the errors of single rules do not cancel out.
enum class Extent { network, layer };

struct CycleClaim {
  std::string model;               ///< version, "m4-2"
  std::string part;                ///< "stm32f405"
  std::optional<double> band_pct;  ///< absent: nobody knows
  std::string evidence;
  bool calibrated = false;  ///< by a measurement of this part under the same conditions
  double factor = 1;        ///< then, modelled cycles are multiplied by it
};

/// The claim for a part at a core clock: of the model, at zero wait states the core's and with wait
/// states the part's. A part whose flash is not modelled promises nothing.
///
/// Where points of the calibration ran with as many wait states, their factor is used. Two networks
/// or more give the band of a network. One gives none: then the model's own, where it has one, is
/// widened to what the model was off by; and so is that of a layer, of which no point says
/// anything.
CycleClaim cycle_claim(const Part& part, Hertz clock, Extent extent,
                       const std::optional<Calibration>& calibration = std::nullopt);

/// "± 10 %"; without a band "uncalibrated", or "of unknown band" for a factor that too little was
/// measured for.
std::string band_text(const CycleClaim& claim);
/// The same of what to_json wrote.
std::string band_text(const Json& claim);
/// "± 10 % (model m4-2, stm32f405: ...)".
std::string to_text(const CycleClaim& claim);
/// {"version", "part", "band_pct"?, "evidence", "calibration_factor"?: where it is calibrated}
Json to_json(const CycleClaim& claim);

}  // namespace assay

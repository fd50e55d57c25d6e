#include "harness/core/cycle_claim.hpp"

#include <fmt/format.h>

namespace assay {
namespace {

/// The wider band for a layer, where one is given.
std::optional<double> band_for(Extent extent, std::optional<double> network,
                               std::optional<double> layer) {
  return extent == Extent::layer && layer ? layer : network;
}

}  // namespace

CycleClaim cycle_claim(const Part& part, Hertz clock, Extent extent,
                       const std::optional<Calibration>& calibration) {
  const Core& core = part.core;
  CycleClaim claim{core.cycle_model, part.name, std::nullopt, {}, 1};
  if (!part.flash_timing) {
    claim.evidence =
        fmt::format("uncalibrated: wait states of the {}'s flash are not modelled; of the core: {}",
                    part.name, core.cycle_evidence);
  } else if (part.flash_timing->wait_states_at(clock) == 0) {
    claim.band_pct = band_for(extent, core.cycle_band_pct, core.cycle_band_layer_pct);
    claim.evidence = core.cycle_evidence;
  } else {
    const FlashTiming& timing = *part.flash_timing;
    claim.band_pct = band_for(extent, timing.band_pct, timing.band_layer_pct);
    claim.evidence = timing.evidence;
  }
  if (!calibration) return claim;
  // A single point says nothing of the scatter: the band stays what it was.
  if (const auto band = calibration->band_pct()) claim.band_pct = band;
  claim.factor = calibration->factor();
  claim.evidence = calibration->evidence();
  return claim;
}

std::string band_text(const CycleClaim& claim) {
  return claim.band_pct ? fmt::format("± {:.3g} %", *claim.band_pct) : "uncalibrated";
}

std::string to_text(const CycleClaim& claim) {
  return fmt::format("{} (model {}, {}: {})", band_text(claim), claim.model, claim.part,
                     claim.evidence);
}

Json to_json(const CycleClaim& claim) {
  Json json{{"version", claim.model}, {"part", claim.part}, {"evidence", claim.evidence}};
  if (claim.band_pct) json["band_pct"] = *claim.band_pct;
  if (claim.factor != 1) json["calibration_factor"] = claim.factor;
  return json;
}

}  // namespace assay

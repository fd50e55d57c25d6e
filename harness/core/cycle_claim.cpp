#include "harness/core/cycle_claim.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace assay {
namespace {

/// The wider band for a layer, where one is given.
std::optional<double> band_for(Extent extent, std::optional<double> network,
                               std::optional<double> layer) {
  return extent == Extent::layer && layer ? layer : network;
}

CycleClaim model_claim(const Part& part, Hertz clock, Extent extent) {
  const Core& core = part.core;
  CycleClaim claim{core.cycle_model, part.name, std::nullopt, {}};
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
  return claim;
}

/// "at 168 MHz" of points that ran under other conditions.
std::string elsewhere(const Calibration& calibration) {
  std::set<double> clocks;
  for (const auto& point : calibration.points)
    clocks.insert(static_cast<double>(point.clock.count()) / 1e6);
  return fmt::format("; calibrated at {:g} MHz alone, where the flash has other wait states",
                     fmt::join(clocks, ", "));
}

std::string band_words(std::optional<double> band_pct, bool calibrated) {
  if (band_pct) return fmt::format("± {:.3g} %", *band_pct);
  return calibrated ? "of unknown band" : "uncalibrated";
}

}  // namespace

CycleClaim cycle_claim(const Part& part, Hertz clock, Extent extent,
                       const std::optional<Calibration>& calibration) {
  CycleClaim claim = model_claim(part, clock, extent);
  if (!calibration) return claim;
  const Calibration measured = calibration->at(part, clock);
  if (measured.points.empty()) {
    claim.evidence += elsewhere(*calibration);
    return claim;
  }
  const auto fitted = measured.band_pct();
  std::string evidence = measured.evidence();
  if (extent == Extent::network && fitted) {
    claim.band_pct = fitted;
  } else if (claim.band_pct) {
    claim.band_pct = std::max({*claim.band_pct, fitted.value_or(0), measured.largest_error_pct()});
    evidence += fmt::format("; the band is no less than the model's: {}", claim.evidence);
  }
  claim.calibrated = true;
  claim.factor = measured.factor();
  claim.evidence = std::move(evidence);
  return claim;
}

std::string band_text(const CycleClaim& claim) {
  return band_words(claim.band_pct, claim.calibrated);
}

std::string band_text(const Json& claim) {
  std::optional<double> band;
  if (claim.contains("band_pct")) band = claim.at("band_pct").get<double>();
  return band_words(band, claim.contains("calibration_factor"));
}

std::string to_text(const CycleClaim& claim) {
  return fmt::format("{} (model {}, {}: {})", band_text(claim), claim.model, claim.part,
                     claim.evidence);
}

Json to_json(const CycleClaim& claim) {
  Json json{{"version", claim.model}, {"part", claim.part}, {"evidence", claim.evidence}};
  if (claim.band_pct) json["band_pct"] = *claim.band_pct;
  if (claim.calibrated) json["calibration_factor"] = claim.factor;
  return json;
}

}  // namespace assay

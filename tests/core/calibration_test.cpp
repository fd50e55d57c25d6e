// Fits against closed forms, and what a modelled figure promises with and without them.
#include "harness/core/calibration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/core/cycle_claim.hpp"
#include "harness/core/file.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;

Calibration calibration_of(std::vector<std::pair<double, double>> measured_and_modelled) {
  Calibration calibration{"stm32f405", load_part("stm32f405")->core.cycle_model, {}};
  for (const auto& [measured, modelled] : measured_and_modelled)
    calibration.add({"net" + std::to_string(calibration.points.size()), "f405-a", "2026-01-31",
                     measured, modelled});
  return calibration;
}

TEST(Calibration, OnePointIsItsRatioAndNothingOfTheScatter) {
  const auto calibration = calibration_of({{1100, 1000}});
  EXPECT_DOUBLE_EQ(calibration.factor(), 1.1);
  EXPECT_FALSE(calibration.band_pct());
  EXPECT_EQ(calibration.evidence(), "calibrated on 1 point of f405-a, 2026-01-31");
}

TEST(Calibration, ThePointsOfOneLineFitItWhole) {
  const auto calibration = calibration_of({{1200, 1000}, {2400, 2000}, {36, 30}});
  EXPECT_DOUBLE_EQ(calibration.factor(), 1.2);
  EXPECT_DOUBLE_EQ(calibration.band_pct().value(), 1) << "never promised closer than 1 %";
}

TEST(Calibration, LeastSquaresThroughTheOrigin) {
  // sum(y x) / sum(x x) = (900 * 1000 + 2200 * 2000) / (1000^2 + 2000^2) = 5.3 / 5
  const auto calibration = calibration_of({{900, 1000}, {2200, 2000}});
  EXPECT_DOUBLE_EQ(calibration.factor(), 1.06);
  const double first = 100 * (1060.0 / 900 - 1), second = 100 * (2120.0 / 2200 - 1);
  EXPECT_NEAR(calibration.residual_pct(calibration.points[0]), first, 1e-9);
  EXPECT_NEAR(calibration.residual_pct(calibration.points[1]), second, 1e-9);
  EXPECT_NEAR(calibration.band_pct().value(), 2 * std::hypot(first, second), 1e-9);
}

TEST(Calibration, APointMeasuredAgainReplacesTheFirst) {
  auto calibration = calibration_of({{1100, 1000}});
  calibration.add({"net0", "f405-b", "2026-02-01", 1300, 1000});
  EXPECT_EQ(calibration.points.size(), 1u);
  EXPECT_DOUBLE_EQ(calibration.factor(), 1.3);
  EXPECT_EQ(calibration.evidence(), "calibrated on 1 point of f405-b, 2026-02-01");
}

TEST(Calibration, LivesBesideTheStore) {
  const auto scratch = ScratchDirectory::create(std::filesystem::temp_directory_path(), "calib-");
  ASSERT_TRUE(scratch);
  const auto store = scratch->path() / "assay.db";
  const Part part = load_part("stm32f405").value();
  const auto none = load_calibration(store, part);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  const auto saved = calibration_of({{1100, 1000}, {2300, 2000}});
  ASSERT_TRUE(save_calibration(store, saved));
  const auto loaded = load_calibration(store, part);
  ASSERT_TRUE(loaded && *loaded);
  EXPECT_EQ(to_json(**loaded), to_json(saved));

  Part newer = part;
  newer.core.cycle_model = "m4-99";
  const auto refused = load_calibration(store, newer);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("was made for cycle model"));
  EXPECT_THAT(refused.error().message, HasSubstr("assay calibrate --remove stm32f405"));

  Part other = part;
  other.name = "stm32f407";
  std::filesystem::rename(calibration_path(store, "stm32f405"),
                          calibration_path(store, "stm32f407"));
  EXPECT_THAT(load_calibration(store, other).error().message,
              HasSubstr("is a calibration of stm32f405, not of stm32f407"));
}

TEST(Calibration, RefusesPointsThatMakeNoSense) {
  const Json good{{"part", "stm32f405"}, {"cycle_model", "m4-2"},   {"name", "net"},
                  {"board", "f405-a"},   {"date", "2026-01-31"},    {"clock_hz", 168e6},
                  {"latency_us", 100},   {"modelled_cycles", 16000}};
  const auto point = parse_measured_point(good, "point");
  ASSERT_TRUE(point) << point.error().message;
  EXPECT_DOUBLE_EQ(point->point.measured_cycles, 16800);
  struct Case {
    const char* key;
    Json value;
    const char* message;
  };
  for (const Case& it :
       {Case{"part", nullptr, "part"}, Case{"latency_us", 0, "above 0"},
        Case{"modelled_cycles", -1, "above 0"}, Case{"clock_hz", "fast", "clock_hz"},
        Case{"measured_cycles", 5, "one of the two"}, Case{"chip", "x", "chip"}}) {
    Json bad = good;
    bad[it.key] = it.value;
    const auto refused = parse_measured_point(bad, "point");
    ASSERT_FALSE(refused) << it.key;
    EXPECT_THAT(refused.error().message, HasSubstr(it.message));
  }
  Json without = good;
  without.erase("latency_us");
  EXPECT_FALSE(parse_measured_point(without, "point"));
  EXPECT_FALSE(parse_calibration({{"part", "a"}, {"cycle_model", "b"}}, "file"));
}

TEST(CycleClaim, IsOfTheCoreThePartOrTheCalibration) {
  const Part part = load_part("stm32f405").value();
  const CycleClaim slow = cycle_claim(part, Hertz(16'000'000), Extent::network);
  EXPECT_EQ(slow.band_pct, part.core.cycle_band_pct);
  EXPECT_EQ(slow.evidence, part.core.cycle_evidence);
  const CycleClaim fast = cycle_claim(part, Hertz(168'000'000), Extent::network);
  EXPECT_EQ(fast.evidence, part.flash_timing->evidence);

  const CycleClaim one =
      cycle_claim(part, Hertz(168'000'000), Extent::network, calibration_of({{1100, 1000}}));
  EXPECT_DOUBLE_EQ(one.factor, 1.1);
  EXPECT_EQ(one.band_pct, fast.band_pct) << "one point says nothing of the scatter";
  EXPECT_THAT(to_text(one), HasSubstr("calibrated on 1 point of f405-a"));
  const CycleClaim two = cycle_claim(part, Hertz(168'000'000), Extent::network,
                                     calibration_of({{1200, 1000}, {2400, 2000}}));
  EXPECT_EQ(band_text(two), "± 1 %");
  EXPECT_EQ(to_json(two).at("calibration_factor"), 1.2);
}

TEST(CycleClaim, WhatNothingSupportsSaysSo) {
  Part part = load_part("stm32f405").value();
  part.flash_timing.reset();
  const CycleClaim claim = cycle_claim(part, Hertz(16'000'000), Extent::network);
  EXPECT_EQ(band_text(claim), "uncalibrated");
  EXPECT_THAT(claim.evidence, HasSubstr("wait states of the stm32f405's flash are not modelled"));
  EXPECT_FALSE(to_json(claim).contains("band_pct"));

  Part m33 = load_part("stm32f405").value();
  m33.core = load_core("cortex-m33").value();
  EXPECT_EQ(band_text(cycle_claim(m33, Hertz(16'000'000), Extent::layer)), "uncalibrated");
}

TEST(CycleClaim, ALayerByItselfHasAWiderBandWhereOneIsGiven) {
  Part part = load_part("stm32f405").value();
  part.core = load_core("cortex-m7").value();
  EXPECT_EQ(band_text(cycle_claim(part, Hertz(16'000'000), Extent::network)), "± 10 %");
  EXPECT_EQ(band_text(cycle_claim(part, Hertz(16'000'000), Extent::layer)), "± 15 %");
}

}  // namespace
}  // namespace assay

// Fits against closed forms, and what a modelled figure promises with and without them.
#include "harness/core/calibration_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <future>
#include <limits>

#include "harness/core/clock.hpp"
#include "harness/core/cycle_claim.hpp"
#include "harness/core/file.hpp"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr Hertz fast_clock{168'000'000}, slow_clock{16'000'000};  // five wait states, and none

/// Of the firmware that a letter stands for.
CalibrationPoint point_of(char firmware, double measured, double modelled,
                          Hertz clock = fast_clock) {
  return {std::string("net ") + firmware,
          std::string(64, firmware),
          clock,
          "f405-a",
          "2026-01-31",
          measured,
          modelled};
}

Calibration calibration_of(std::vector<CalibrationPoint> points) {
  Calibration calibration{"stm32f405", load_part("stm32f405")->core.cycle_model, {}};
  for (auto& point : points)
    calibration.add(std::move(point));
  return calibration;
}

TEST(Calibration, OnePointIsItsRatioAndNothingOfTheScatter) {
  const auto calibration = calibration_of({point_of('a', 1100, 1000)});
  EXPECT_DOUBLE_EQ(calibration.factor(), 1.1);
  EXPECT_FALSE(calibration.band_pct());
  EXPECT_EQ(calibration.evidence(),
            "calibrated on 1 point of 1 network at 168 MHz (f405-a, 2026-01-31)");
}

TEST(Calibration, ThePointsOfOneLineFitItWhole) {
  const auto calibration =
      calibration_of({point_of('a', 1200, 1000), point_of('b', 2400, 2000), point_of('c', 36, 30)});
  EXPECT_DOUBLE_EQ(calibration.factor(), 1.2);
  EXPECT_DOUBLE_EQ(calibration.band_pct().value(), 1) << "never promised closer than 1 %";
}

TEST(Calibration, LeastSquaresThroughTheOrigin) {
  // sum(y x) / sum(x x) = (900 * 1000 + 2200 * 2000) / (1000^2 + 2000^2) = 5.3 / 5
  const auto calibration = calibration_of({point_of('a', 900, 1000), point_of('b', 2200, 2000)});
  EXPECT_DOUBLE_EQ(calibration.factor(), 1.06);
  const double first = 100 * (1060.0 / 900 - 1), second = 100 * (2120.0 / 2200 - 1);
  EXPECT_NEAR(calibration.residual_pct(calibration.points[0]), first, 1e-9);
  EXPECT_NEAR(calibration.residual_pct(calibration.points[1]), second, 1e-9);
  EXPECT_NEAR(calibration.band_pct().value(), 2 * std::hypot(first, second), 1e-9);
}

TEST(Calibration, IdenticalPointsCountOnce) {
  auto first = point_of('a', 1100, 1000), again = first, sibling = first, seed = first;
  again.measured_cycles = 1300;  // the same board once more: replaces the first
  sibling.board = "f405-b";
  sibling.measured_cycles = 1340;
  seed.elf_sha256 = std::string(64, 'b');  // other weights, the same network
  seed.modelled_cycles = 1001;
  seed.measured_cycles = 1320;
  const auto calibration = calibration_of({first, again, sibling, seed});
  EXPECT_EQ(calibration.points.size(), 3u);
  ASSERT_EQ(calibration.networks().size(), 1u);
  EXPECT_NEAR(calibration.factor(), 1320 / (3001.0 / 3), 1e-9) << "the mean of 1300, 1340 and 1320";
  EXPECT_FALSE(calibration.band_pct()) << "one network says nothing of others";
  EXPECT_EQ(calibration.evidence(),
            "calibrated on 3 points of 1 network at 168 MHz (f405-a, f405-b, 2026-01-31)");

  // The same beside another network draw the fit to their side no more than one of them does.
  const auto other = point_of('c', 2200, 2000);
  EXPECT_DOUBLE_EQ(calibration_of({sibling, other}).factor(), [&] {
    auto twin = sibling;
    twin.board = "f405-c";
    return calibration_of({sibling, twin, other}).factor();
  }());
}

TEST(Calibration, AContradictionWidensTheBand) {
  const auto agreed = calibration_of({point_of('a', 1000, 1000), point_of('b', 2000, 2000)});
  EXPECT_DOUBLE_EQ(*agreed.band_pct(), 1);
  auto contradiction = point_of('a', 1500, 1000);
  contradiction.board = "f405-b";  // the same firmware on another board takes half as long again
  auto contradicted = agreed;
  contradicted.add(contradiction);
  // (1250 x 1000 + 2000 x 2000) / (1000^2 + 2000^2) = 1.05, which is 30 % less than 1500.
  EXPECT_DOUBLE_EQ(contradicted.factor(), 1.05);
  EXPECT_GT(*contradicted.band_pct(), 29.9);
}

TEST(Calibration, HoldsWhereTheFlashWaitsAsLong) {
  const Part part = load_part("stm32f405").value();
  const auto calibration =
      calibration_of({point_of('a', 1100, 1000), point_of('b', 700, 500, Hertz(151'000'000)),
                      point_of('c', 900, 1000, slow_clock)});
  EXPECT_EQ(calibration.at(part, fast_clock).points.size(), 2u);
  EXPECT_EQ(calibration.at(part, slow_clock).points.size(), 1u);
  EXPECT_TRUE(calibration.at(part, Hertz(84'000'000)).points.empty());
  Part unmodelled = part;
  unmodelled.flash_timing.reset();
  EXPECT_EQ(calibration.at(unmodelled, fast_clock).points.size(), 1u) << "that clock alone";
}

TEST(Calibration, LivesBesideTheStore) {
  const auto scratch = ScratchDirectory::create(std::filesystem::temp_directory_path(), "calib-");
  ASSERT_TRUE(scratch);
  const auto store = scratch->path() / "assay.db";
  const Part part = load_part("stm32f405").value();
  const auto none = load_calibration(store, part);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  const std::vector points{point_of('a', 1100, 1000), point_of('b', 2300, 2000)};
  const auto saved = add_to_calibration(store, part, points);
  ASSERT_TRUE(saved) << saved.error().message;
  const auto loaded = load_calibration(store, part);
  ASSERT_TRUE(loaded && *loaded);
  EXPECT_EQ((*loaded)->points, points);

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

TEST(Calibration, KeepsWhatSeveralAddAtOnce) {
  const auto scratch = ScratchDirectory::create(std::filesystem::temp_directory_path(), "calib-");
  const auto store = scratch->path() / "assay.db";
  const Part part = load_part("stm32f405").value();
  const std::string firmwares = "0123456789abcdef";
  std::vector<std::future<void>> adding;
  for (const char firmware : firmwares)
    adding.push_back(std::async(std::launch::async, [&, firmware] {
      EXPECT_TRUE(add_to_calibration(store, part, {point_of(firmware, 1100, 1000)}));
    }));
  for (auto& each : adding)
    each.get();
  EXPECT_EQ(load_calibration(store, part).value()->points.size(), firmwares.size());
}

TEST(Calibration, RefusesPointsThatMakeNoSense) {
  const Json good{{"part", "stm32f405"},     {"cycle_model", "m4-2"},
                  {"network", "net"},        {"elf_sha256", std::string(64, 'a')},
                  {"board", "f405-a"},       {"date", "2024-02-29"},
                  {"clock_hz", 168'000'000}, {"latency_us", 100},
                  {"modelled_cycles", 16000}};
  const auto point = parse_measured_point(good, "point");
  ASSERT_TRUE(point) << point.error().message;
  EXPECT_DOUBLE_EQ(point->point.measured_cycles, 16800);
  const Part part = *load_part("stm32f405");
  EXPECT_TRUE(check_point(part, point->point));
  CalibrationPoint in_megahertz = point->point;
  in_megahertz.clock = Hertz(168);
  EXPECT_THAT(check_point(part, in_megahertz).error().message, HasSubstr("give it in hertz"));
  CalibrationPoint colourful = point->point;
  colourful.board = "f405\x1b[31m";
  EXPECT_THAT(check_point(part, colourful).error().message, HasSubstr("control characters"));
  CalibrationPoint dated = point->point;
  dated.date = utc_day(std::chrono::hours(13));
  EXPECT_TRUE(check_point(part, dated)) << "the day on an island in the Pacific";
  for (const std::string& date : {utc_day(std::chrono::hours(48)), std::string("9999-12-31")}) {
    dated.date = date;
    EXPECT_THAT(check_point(part, dated).error().message,
                HasSubstr("net: " + date + " is still to come, the latest day on earth is 2"));
  }
  struct Case {
    const char* key;
    Json value;
    const char* message;
  };
  for (const Case& it :
       {Case{"part", nullptr, "part"}, Case{"latency_us", 0, "above 0"},
        Case{"modelled_cycles", -1, "above 0"}, Case{"clock_hz", "fast", "clock_hz"},
        Case{"modelled_cycles", std::numeric_limits<double>::infinity(), "above 0, found inf"},
        Case{"clock_hz", 0, "above 0"}, Case{"measured_cycles", 5, "one of the two"},
        Case{"chip", "x", "chip"}, Case{"date", "yesterday", "expected a day as 2026-01-31"},
        Case{"date", "2026-02-29", "expected a day"}, Case{"date", "2026-1-31", "expected a day"},
        Case{"elf_sha256", "abc", "64 hex digits"}}) {
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

// Points once had a name, and neither firmware nor clock.
TEST(Calibration, NamesTheWayOutOfAFileThatCannotBeUsed) {
  const auto scratch = ScratchDirectory::create(std::filesystem::temp_directory_path(), "calib-");
  const auto store = scratch->path() / "assay.db";
  const Part part = load_part("stm32f405").value();
  const auto path = calibration_path(store, part.name);
  std::filesystem::create_directory(path.parent_path());
  const Json older{{"name", "net"},
                   {"board", "f405-a"},
                   {"date", "2026-01-31"},
                   {"measured_cycles", 1100},
                   {"modelled_cycles", 1000}};
  CalibrationPoint early = point_of('a', 1100, 1000);
  early.date = "9999-12-31";
  const Json from_future = to_json(calibration_of({early})).at("points")[0];
  struct Case {
    Json point;
    const char* words;
  };
  for (const Case& it : {Case{older, "points[0].network: is missing"},
                         Case{from_future, "9999-12-31 is still to come"}}) {
    const Json file{
        {"part", part.name}, {"cycle_model", part.core.cycle_model}, {"points", {it.point}}};
    ASSERT_TRUE(write_atomically(path, file.dump()));
    const auto refused = load_calibration(store, part);
    ASSERT_FALSE(refused) << it.words;
    EXPECT_EQ(refused.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(refused.error().message,
                AllOf(StartsWith(path.string()), HasSubstr(it.words),
                      EndsWith("; mend it, or remove it with assay calibrate --remove stm32f405")));
    EXPECT_FALSE(add_to_calibration(store, part, {point_of('b', 1100, 1000)}))
        << "what cannot be read is not written over";
  }
}

TEST(Calibration, RefusesPointsThatCannotBeOfThePart) {
  struct Case {
    const char* part;
    CalibrationPoint point;
    const char* words;
  };
  for (const Case& it :
       {Case{"stm32f405", point_of('a', 1, 1, Hertz(400'000'000)), "runs at 168 MHz at most"},
        Case{"stm32f405", point_of('a', 5100, 1000), "5.1 times the 1000 modelled ones"},
        Case{"stm32f405", point_of('a', 199, 1000), "0.199 times the 1000 modelled ones"},
        Case{"raspberry-pi-4", point_of('a', 1000, 1000), "has no cycle model"}}) {
    const auto refused = check_point(*load_part(it.part), it.point);
    ASSERT_FALSE(refused) << it.words;
    EXPECT_EQ(refused.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(refused.error().message, HasSubstr(it.words));
  }
  EXPECT_TRUE(check_point(*load_part("stm32f405"), point_of('a', 5000, 1000)));
  EXPECT_TRUE(check_point(*load_part("stm32f405"), point_of('a', 200, 1000)));
}

TEST(CycleClaim, IsOfTheCoreThePartOrTheCalibration) {
  const Part part = load_part("stm32f405").value();
  const CycleClaim slow = cycle_claim(part, slow_clock, Extent::network);
  EXPECT_EQ(slow.band_pct, part.core.cycle_band_pct);
  EXPECT_EQ(slow.evidence, part.core.cycle_evidence);
  const CycleClaim fast = cycle_claim(part, fast_clock, Extent::network);
  EXPECT_EQ(fast.evidence, part.flash_timing->evidence);

  const auto two = calibration_of({point_of('a', 1200, 1000), point_of('b', 2400, 2000)});
  const CycleClaim network = cycle_claim(part, fast_clock, Extent::network, two);
  EXPECT_EQ(band_text(network), "± 1 %");
  EXPECT_EQ(to_json(network).at("calibration_factor"), 1.2);
  EXPECT_EQ(network.evidence, two.evidence());
}

TEST(CycleClaim, OfOnePointIsNoCloserThanTheModelWas) {
  const Part part = load_part("stm32f405").value();
  const auto own = cycle_claim(part, fast_clock, Extent::network).band_pct;
  ASSERT_TRUE(own);
  const auto near = calibration_of({point_of('a', 1010, 1000)});
  const CycleClaim kept = cycle_claim(part, fast_clock, Extent::network, near);
  EXPECT_DOUBLE_EQ(kept.factor, 1.01);
  EXPECT_EQ(kept.band_pct, own) << "one point says nothing of the scatter";
  EXPECT_THAT(to_text(kept), HasSubstr("calibrated on 1 point of 1 network at 168 MHz"));

  // The model was off by half: whatever it promised, it does not keep.
  const auto far = calibration_of({point_of('a', 2000, 1000)});
  EXPECT_EQ(cycle_claim(part, fast_clock, Extent::network, far).band_pct, 50);

  Part unsupported = part;
  unsupported.flash_timing->band_pct.reset();
  const CycleClaim unknown = cycle_claim(unsupported, fast_clock, Extent::network, far);
  EXPECT_EQ(unknown.factor, 2);
  EXPECT_FALSE(unknown.band_pct);
  EXPECT_EQ(band_text(unknown), "of unknown band") << "it is calibrated, after all";
  EXPECT_EQ(band_text(to_json(unknown)), "of unknown band");
}

TEST(CycleClaim, OfACalibrationEndsWhereItWasMeasured) {
  const Part part = load_part("stm32f405").value();
  const auto calibration = calibration_of({point_of('a', 1500, 1000), point_of('b', 3000, 2000)});
  // At another number of wait states it is the model's, and says where it was calibrated.
  const CycleClaim slow = cycle_claim(part, slow_clock, Extent::network, calibration);
  EXPECT_EQ(slow.factor, 1);
  EXPECT_EQ(slow.band_pct, part.core.cycle_band_pct);
  EXPECT_THAT(slow.evidence, HasSubstr("calibrated at 168 MHz alone"));
  EXPECT_FALSE(to_json(slow).contains("calibration_factor"));
  // Of a layer no point says anything: the factor is the best there is, the band the model's, and
  // wider where the model was off by more.
  const CycleClaim layer = cycle_claim(part, fast_clock, Extent::layer, calibration);
  EXPECT_DOUBLE_EQ(layer.factor, 1.5);
  EXPECT_NEAR(layer.band_pct.value(), 100 * (1 - 1 / 1.5), 1e-9);
  EXPECT_THAT(layer.evidence, HasSubstr("no less than the model's"));
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
  EXPECT_EQ(band_text(cycle_claim(part, Hertz(16'000'000), Extent::layer)), "± 25 %");
}

}  // namespace
}  // namespace assay

// assay calibrate: from a measured figure in a file or in the store to the factor that later
// modelled figures carry, and what it refuses.
#include <gtest/gtest.h>

#include "harness/core/calibration_file.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/part.hpp"
#include "results/store.hpp"
#include "tests/harness/cli/user.hpp"
#include "tests/support/sample_records.hpp"

namespace assay::test {
namespace {

using ::testing::HasSubstr;

std::string model_version() {
  return load_part("stm32f405")->core.cycle_model;
}

/// Of the firmware that a letter stands for.
Json point_json(char firmware, double measured, double modelled) {
  return {{"part", "stm32f405"},
          {"cycle_model", model_version()},
          {"network", std::string("net ") + firmware},
          {"elf_sha256", std::string(64, firmware)},
          {"clock_hz", 168'000'000},
          {"board", "f405-desk"},
          {"date", "2026-01-31"},
          {"measured_cycles", measured},
          {"modelled_cycles", modelled}};
}

TEST(Calibrate, FitsShowsAndForgets) {
  const User user;
  user.write("a.json", point_json('a', 900, 1000).dump());
  user.write("b.json", point_json('b', 2200, 2000).dump());
  const auto fitted = user.run({"calibrate", "a.json", "b.json", "--json"});
  ASSERT_EQ(fitted.exit_code, 0) << fitted.errors;
  const Json json = Json::parse(fitted.output);
  ASSERT_EQ(json.size(), 1u);
  EXPECT_DOUBLE_EQ(json[0].at("fits")[0].at("factor").get<double>(), 1.06);
  EXPECT_EQ(json[0].at("points").size(), 2u);
  EXPECT_TRUE(user.project_files().contains("calibration/stm32f405.json"));

  const auto shown = user.run({"calibrate", "--show"});
  EXPECT_THAT(shown.output, HasSubstr("x 1.0600"));
  EXPECT_THAT(shown.output,
              HasSubstr("calibrated on 2 points of 2 networks at 168 MHz (f405-desk, 2026-01-31)"));
  EXPECT_EQ(user.run({"calibrate", "--remove", "stm32f405"}).exit_code, 0);
  EXPECT_EQ(user.run({"calibrate", "--show"}).output, "no part is calibrated\n");
  const auto again = user.run({"calibrate", "--remove", "stm32f405"});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.errors, IsOneSentence("stm32f405 is not calibrated"));
}

/// A virtual board's record and the same firmware's on a real board.
std::pair<Record, Record> twins(double factor) {
  Record modelled = sample_records().front();
  modelled.environment["board"]["core_clock_hz"] = 168'000'000;
  modelled.environment["board"]["cycle_model"] = {{"version", model_version()}};
  Record measured = modelled;
  measured.virtual_board = false;
  measured.board = "f405-desk";
  measured.measurement_key = "0123456789abcdef";
  measured.metrics["cycles"].provenance = Provenance::measured;
  measured.metrics["cycles"].value *= factor;
  return {modelled, measured};
}

TEST(Calibrate, FindsTheModelledTwinOfARecord) {
  const User user;
  auto [modelled, measured] = twins(1.25);
  // The twin's own figure carried a calibration: the fit is to the model alone.
  modelled.metrics["cycles"].value *= 1.1;
  modelled.environment["board"]["cycle_model"]["calibration_factor"] = 1.1;
  {
    auto store = Store::open(user.project() / "assay.db").value();
    ASSERT_TRUE(store.insert(modelled));
    ASSERT_TRUE(store.insert(measured));
  }
  const auto answer = user.run({"calibrate", "01234567", "--json"});
  ASSERT_EQ(answer.exit_code, 0) << answer.errors;
  const Json json = Json::parse(answer.output);
  EXPECT_NEAR(json[0].at("fits")[0].at("factor").get<double>(), 1.25, 1e-9);
  const Json& point = json[0].at("points")[0];
  EXPECT_EQ(point.at("board"), "f405-desk");
  EXPECT_EQ(point.at("network"), measured.label);
  EXPECT_EQ(point.at("elf_sha256"), measured.build.at("elf_sha256"));
  EXPECT_EQ(point.at("clock_hz"), 168'000'000);
}

// Two firmwares of a label, chosen for other goals, and one of them on two boards.
TEST(Calibrate, TakesEveryFirmwareAndBoardOfALabel) {
  const User user;
  {
    auto store = Store::open(user.project() / "assay.db").value();
    for (const char* goal : {"latency", "flash"}) {
      auto [modelled, measured] = twins(1.25);
      for (Record* record : {&modelled, &measured}) {
        record->cell_id = sha256_hex(std::string("cell for ") + goal);
        record->build["elf_sha256"] = sha256_hex(std::string("firmware for ") + goal);
        record->measurement_key = sha256_hex(std::string(goal) + record->board);
      }
      Record sibling = measured;
      sibling.board = "f405-other";
      sibling.measurement_key = sha256_hex(std::string(goal) + sibling.board);
      for (const Record& record : {modelled, measured, sibling})
        ASSERT_TRUE(store.insert(record));
    }
  }
  const auto answer = user.run({"calibrate", twins(1).first.label, "--json"});
  ASSERT_EQ(answer.exit_code, 0) << answer.errors;
  const Json json = Json::parse(answer.output);
  EXPECT_EQ(json[0].at("points").size(), 4u);
  EXPECT_EQ(json[0].at("fits")[0].at("networks"), 1) << "their modelled cycles are the same";
}

TEST(Calibrate, ARecordWithoutATwinIsNoPoint) {
  const User user;
  auto [modelled, measured] = twins(1.25);
  measured.build["elf_sha256"] = "another firmware";
  {
    auto store = Store::open(user.project() / "assay.db").value();
    ASSERT_TRUE(store.insert(modelled));
    ASSERT_TRUE(store.insert(measured));
  }
  const auto answer = user.run({"calibrate", measured.label});
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.errors, IsOneSentence("no modelled record of the same firmware"));
}

TEST(Calibrate, RefusesWhatIsNoMeasurement) {
  const User user;
  Json old = point_json('a', 1, 1);
  old["cycle_model"] = "m4-1";
  Json negative = point_json('b', -1, 1);
  Json far = point_json('c', 100, 1);
  user.write("old.json", old.dump());
  user.write("negative.json", negative.dump());
  user.write("text.json", "{");
  Json early = point_json('e', 1, 1);
  early["date"] = "9999-12-31";
  user.write("far.json", far.dump());
  user.write("early.json", early.dump());
  user.write("good.json", point_json('d', 1, 1).dump());
  struct Case {
    std::vector<std::string> arguments;
    const char* words;
  };
  for (const Case& it :
       {Case{{"calibrate"}, "one of the three"},
        Case{{"calibrate", "old.json"}, "cycle model \"m4-1\""},
        Case{{"calibrate", "negative.json"}, "measured_cycles"},
        Case{{"calibrate", "good.json", "far.json"}, "100 times the 1 modelled ones"},
        Case{{"calibrate", "good.json", "early.json"}, "9999-12-31 is still to come"},
        Case{{"calibrate", "text.json"}, "text.json"}, Case{{"calibrate", "nowhere"}, "assay.db"},
        Case{{"calibrate", "--remove", "z80"}, "unknown part"}}) {
    const auto answer = user.run(it.arguments);
    EXPECT_EQ(answer.exit_code, 2) << it.words;
    EXPECT_THAT(answer.errors, IsOneSentence(it.words));
  }
  EXPECT_FALSE(user.project_files().contains("calibration/stm32f405.json"));
}

// Points once had a name, and neither firmware nor clock.
TEST(Calibrate, AFileOfTheOlderFormatStopsAMeasurementUntilItIsRemoved) {
  const User user;
  const Json older{{"name", "net"},
                   {"board", "f405-desk"},
                   {"date", "2026-01-31"},
                   {"measured_cycles", 1100},
                   {"modelled_cycles", 1000}};
  const Json file{{"part", "stm32f405"}, {"cycle_model", model_version()}, {"points", {older}}};
  std::filesystem::create_directory(user.project() / "calibration");
  user.write("calibration/stm32f405.json", file.dump());
  const auto answer = user.run({"calibrate", "--show"});
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.errors, IsOneSentence("remove it with assay calibrate --remove stm32f405"));
  EXPECT_EQ(user.run({"bench", "kernels", "--on", "virtual:stm32f405"}).exit_code, 2);
  EXPECT_EQ(user.run({"calibrate", "--remove", "stm32f405"}).exit_code, 0);
  EXPECT_EQ(user.run({"calibrate", "--show"}).exit_code, 0);
}

TEST(Calibrate, ACalibrationOfAnotherModelStopsAMeasurement) {
  const User user;
  Json stored = point_json('a', 2, 1);
  stored.erase("part");
  stored.erase("cycle_model");
  std::filesystem::create_directory(user.project() / "calibration");
  user.write("calibration/stm32f405.json",
             Json{{"part", "stm32f405"}, {"cycle_model", "m4-1"}, {"points", {stored}}}.dump());
  const auto answer = user.run({"bench", "kernels", "--on", "virtual:stm32f405"});
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.errors, IsOneSentence("was made for cycle model m4-1"));
}

}  // namespace
}  // namespace assay::test

#include "reports/table.hpp"

#include <gmock/gmock.h>

#include "reports/grouping.hpp"
#include "tests/support/sample_records.hpp"

namespace assay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> column_names(const ReportTable& table) {
  std::vector<std::string> names;
  for (const auto& column : table.columns)
    names.push_back(column.name);
  return names;
}

const Column& column(const ReportTable& table, std::string_view name) {
  for (const auto& candidate : table.columns)
    if (candidate.name == name) return candidate;
  throw std::runtime_error("no such column");
}

constexpr FigureStyle style{",", " ± ", "–"};

TEST(ReportTable, OneSeedGivesARowPerCellWithTheColumnsOfAPrintedTable) {
  const auto table = build_table(test::sample_records(), ColumnChoice::printed);
  ASSERT_EQ(table.rows.size(), 8u);
  EXPECT_FALSE(table.grouped);
  EXPECT_EQ(table.rows.front().label, "width50_s1");
  EXPECT_THAT(column_names(table),
              ElementsAre("accuracy_top1", "accuracy_top1_float", "samples_confirmed", "rom_bytes",
                          "ram_bytes", "macc", "latency_us", "energy_uj", "compression_ratio"));
  EXPECT_FALSE(table.rows.front().figures.at("accuracy_top1").half_width);
}

TEST(ReportTable, APageHasRoomForInstructions) {
  auto records = test::sample_records();
  records[0].metrics["instructions"] = {1e6, "", Provenance::counted, {}};
  EXPECT_THAT(column_names(build_table(records, ColumnChoice::page)), Contains("instructions"));
  EXPECT_THAT(column_names(build_table(records, ColumnChoice::printed)),
              Not(Contains("instructions")));
}

TEST(ReportTable, AllColumnsFollowTheOrderOfTheMetricKinds) {
  const auto names = column_names(build_table(test::sample_records(), ColumnChoice::all));
  std::vector<std::string> expected;
  const auto records = test::sample_records();
  for (const auto& kind : metric_kinds())
    if (records.front().metrics.contains(std::string(kind.name))) expected.emplace_back(kind.name);
  EXPECT_EQ(names, expected);
}

TEST(ReportTable, SeedsOfOneGroupBecomeAMeanWithItsInterval) {
  auto records = test::sample_records(3);
  records.resize(3);
  records[0].metrics["accuracy_top1"].value = 89;
  records[1].metrics["accuracy_top1"].value = 90;
  records[2].metrics["accuracy_top1"].value = 91;
  const auto table = build_table(records, ColumnChoice::printed);
  ASSERT_EQ(table.rows.size(), 1u);
  const Row& row = table.rows.front();
  EXPECT_TRUE(table.grouped);
  EXPECT_EQ(row.label, "width50");
  EXPECT_EQ(row.seeds, 3u);
  EXPECT_EQ(figure_text(row, column(table, "accuracy_top1"), style), "90.00 ± 2.48");
  EXPECT_EQ(figure_text(row, column(table, "rom_bytes"), style), "48,912");
}

TEST(ReportTable, BoardsAreNeverAveraged) {
  const auto table = build_table(test::sample_records(3), ColumnChoice::printed);
  EXPECT_EQ(table.rows.size(), 8u);
  EXPECT_EQ(table.rows[0].board, "f405-a");
  EXPECT_EQ(table.rows[4].board, "f030-a");
}

TEST(ReportTable, AVirtualBoardIsNeverAveragedWithSilicon) {
  auto records = test::sample_records(2);
  records.resize(2);
  records[1].virtual_board = false;
  EXPECT_EQ(build_table(records, ColumnChoice::printed).rows.size(), 2u);
}

struct Difference {
  const char* what;
  void (*make)(Record& record);
};

class DifferenceTest : public ::testing::TestWithParam<Difference> {};

TEST_P(DifferenceTest, KeepsSeedsApart) {
  auto records = test::sample_records(3);
  records.resize(3);
  GetParam().make(records[1]);
  const auto table = build_table(records, ColumnChoice::printed);
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_THAT(table.rows[0].records, ElementsAre(0, 2));
  EXPECT_THAT(table.rows[1].records, ElementsAre(1));
}

constexpr Difference differences[] = {
    {"clock", [](Record& r) { r.environment["board"]["core_clock_hz"] = 84'000'000; }},
    {"compiler", [](Record& r) { r.build["compiler"] = "arm-none-eabi-g++ 13.2.1"; }},
    {"flags", [](Record& r) { r.build["flags"] = {"-Os"}; }},
    {"supply", [](Record& r) { r.environment["board"]["supply_mv"] = 1800; }},
    {"arithmetic", [](Record& r) { r.environment["host"]["arithmetic"] = 2; }},
    {"cycle_model", [](Record& r) { r.environment["board"]["cycle_model"]["version"] = "m4-2"; }},
    {"calibration",
     [](Record& r) { r.environment["board"]["cycle_model"]["calibration_factor"] = 1.3; }},
    {"samples", [](Record& r) { r.metrics["samples_confirmed"].value = 20; }},
    {"silicon", [](Record& r) { r.virtual_board = false; }},
};

INSTANTIATE_TEST_SUITE_P(Facts, DifferenceTest, ::testing::ValuesIn(differences),
                         [](const auto& test) { return std::string(test.param.what); });

/// Two seeds at the board's own clock and the same two at half of it.
std::vector<Record> records_at_two_clocks() {
  auto records = test::sample_records(2);
  records.resize(2);
  for (const auto i : {0u, 1u}) {
    Record slow = records[i];
    slow.cell_id += " at 84 MHz";
    slow.build["clock_hz"] = slow.environment["board"]["core_clock_hz"] = 84'000'000;
    slow.metrics["latency_us"].value *= 2;
    records.push_back(slow);
  }
  return records;
}

TEST(ReportTable, RowsThatDifferInTheirClockAloneSayIt) {
  const auto table = build_table(records_at_two_clocks(), ColumnChoice::printed);
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(board_name(table.rows[0]), "f405-a 168 MHz");
  EXPECT_EQ(board_name(table.rows[1]), "f405-a 84 MHz");
  EXPECT_EQ(figure_text(table.rows[1], column(table, "latency_us"), style), "23.04");
  auto one_clock = test::sample_records(2);
  for (const auto& row : build_table(one_clock, ColumnChoice::printed).rows)
    EXPECT_EQ(board_name(row), row.board);
}

TEST(ReportTable, AModelThatDoesNotFitJoinsTheRowOfItsSiblings) {
  auto records = test::sample_records(3);
  records.resize(3);
  records[0].verdict = Verdict::fail;  // nothing was built and nothing ran
  records[0].build = {{"layers", Json::array()}};
  records[0].environment.erase("board");
  records[0].metrics.erase("samples_confirmed");
  const auto table = build_table(records, ColumnChoice::printed);
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0].seeds, 2u);
  EXPECT_EQ(table.rows[0].verdict, Verdict::fail);
}

TEST(ReportTable, AModelThatDoesNotFitStandsAloneWhereItCouldBelongToTwoRows) {
  auto records = records_at_two_clocks();
  records.push_back(records[0]);
  Record& failed = records.back();
  failed.config_id = failed.cell_id = "a third seed";
  failed.verdict = Verdict::fail;
  failed.build = failed.environment = Json::object();
  EXPECT_EQ(build_table(records, ColumnChoice::printed).rows.size(), 3u);
}

TEST(ReportTable, ModelledFiguresSayWhatTheyPromise) {
  auto records = test::sample_records();
  records.resize(3);
  for (auto& record : records) {
    auto& board = record.environment["board"];
    board["supply_mv"] = 3300;
    board["run_current"] = {{"ua_per_mhz", 238}, {"source", "DS8626"}};
    board["cycle_model"] = {{"version", "m4-2"}, {"band_pct", 10}, {"evidence", "CoreMark"}};
  }
  records[2].environment["board"]["cycle_model"].erase("band_pct");
  ReportInput input;
  input.records = records;
  const auto notes = report_table(input, ColumnChoice::printed).notes;
  const std::string cycles = "~ cycles and latency of stm32f405:";
  EXPECT_EQ(notes,
            (std::vector<LegendEntry>{{cycles, "± 10 % (model m4-2; CoreMark)"},
                                      {"~ energy of stm32f405:", "3.3 V x 238 uA/MHz (DS8626)"},
                                      {cycles, "uncalibrated (model m4-2; CoreMark)"}}));
  for (const auto& format : report_formats())
    if (!format.complete) {
      EXPECT_NE(format.render(input).find("model m4-2; CoreMark"), std::string::npos)
          << format.name;
    }
}

TEST(ReportTable, OfOneCellTheNewestRecordIsKept) {
  auto records = test::sample_records();
  records.resize(4);
  Record newer = records[1];
  newer.measurement_key = "by a newer version of the code";
  newer.recorded_at = "2026-03-01T00:00:00Z";
  Record elsewhere = records[1];
  elsewhere.board = "f405-b";
  records.insert(records.begin(), newer);
  records.push_back(elsewhere);
  const auto kept = newest_of_each_cell(records);
  ASSERT_EQ(kept.size(), 5u);
  EXPECT_EQ(kept[0].measurement_key, newer.measurement_key);
  EXPECT_EQ(kept[1].label, records[1].label);
  EXPECT_EQ(kept[2].label, records[3].label);
  EXPECT_EQ(kept[4].board, "f405-b");
}

TEST(ReportTable, OfOneCellAtOneMomentTheLaterRecordIsKept) {
  auto records = test::sample_records();
  records.resize(1);
  records.push_back(records[0]);
  records[1].measurement_key = "second";
  const auto kept = newest_of_each_cell(records);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].measurement_key, "second");
}

TEST(ReportTable, ASeedThatOccursTwiceIsNoSecondSeed) {
  auto records = test::sample_records(1);
  records.resize(1);
  records.push_back(records.front());
  records.back().cell_id = "the same configuration at another clock";
  const auto table = build_table(records, ColumnChoice::printed);
  EXPECT_EQ(table.rows.size(), 2u);
  EXPECT_FALSE(table.grouped);
}

TEST(ReportTable, AFailedSeedDecidesTheVerdictButNotTheMean) {
  auto records = test::sample_records(3);
  records.resize(3);
  for (int i = 0; i < 3; ++i)
    records[static_cast<std::size_t>(i)].metrics["accuracy_top1"].value = i == 1 ? 10 : 90 + i;
  records[1].verdict = Verdict::fail;
  records[1].verdict_detail = "logit 3 differs";
  records[2].verdict = Verdict::infra;
  records[2].verdict_detail = "no answer";
  records[2].metrics.clear();
  const auto table = build_table(records, ColumnChoice::printed);
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows.front().verdict, Verdict::fail);
  EXPECT_EQ(table.rows.front().verdict_detail, "logit 3 differs");
  EXPECT_EQ(table.rows.front().seeds, 1u);
  EXPECT_EQ(figure_text(table.rows.front(), column(table, "accuracy_top1"), style), "90.00");
}

TEST(ReportTable, AnUnknownFigureIsADash) {
  auto records = test::sample_records();
  records[0].metrics.erase("energy_uj");
  for (auto& record : records)
    record.metrics.erase("ram_bytes");
  const auto table = build_table(records, ColumnChoice::printed);
  EXPECT_EQ(figure_text(table.rows[0], column(table, "energy_uj"), style), "–");
  EXPECT_THAT(column_names(table), Not(Contains("ram_bytes")));
}

TEST(ReportTable, AMetricNobodyKnowsIsStillShown) {
  auto records = test::sample_records();
  records[1].metrics["wobble_mv"] = {12.5, "mV", Provenance::measured, {}};
  const auto table = build_table(records, ColumnChoice::all);
  EXPECT_EQ(table.columns.back().name, "wobble_mv");
  EXPECT_EQ(table.columns.back().unit, "mV");
  EXPECT_EQ(figure_text(table.rows[1], table.columns.back(), style), "12.500");
}

TEST(ReportTable, TheRatioSaysWhatItWasTakenAgainstWhereTheRecordsTell) {
  auto records = test::sample_records();
  const auto meaning = [&] {
    return column(build_table(records, ColumnChoice::printed), "compression_ratio").meaning;
  };
  EXPECT_THAT(meaning(), Not(HasSubstr("teacher")));
  EXPECT_THAT(meaning(), HasSubstr("the family's whole network"));
  EXPECT_THAT(meaning(), Not(HasSubstr(" B")));  // without the model's bytes nobody knows
  double bytes = 20'003;
  for (auto& record : records) {
    record.metrics["model_bytes"] = {bytes, "B", Provenance::counted, {}};
    record.metrics["compression_ratio"].value = 247'476 / bytes;
    bytes += 117;
  }
  EXPECT_THAT(meaning(), HasSubstr("the whole network's file has 247,476 B"));
  records[3].metrics["compression_ratio"].value = 1e6 / 20'000;  // of another family
  EXPECT_THAT(meaning(), Not(HasSubstr(" B")));
}

TEST(ReportTable, ProvenanceStandsInTheHeadingWhenSharedAndAtTheFigureWhenNot) {
  auto records = test::sample_records();
  const auto uniform = build_table(records, ColumnChoice::printed);
  EXPECT_EQ(column(uniform, "latency_us").provenance, Provenance::modelled);
  EXPECT_EQ(figure_text(uniform.rows[0], column(uniform, "latency_us"), style), "11.52");
  records[0].metrics["latency_us"].provenance = Provenance::measured;
  const auto mixed = build_table(records, ColumnChoice::printed);
  EXPECT_EQ(column(mixed, "latency_us").provenance, std::nullopt);
  EXPECT_EQ(figure_text(mixed.rows[0], column(mixed, "latency_us"), style), "11.52 m");
  EXPECT_EQ(figure_text(mixed.rows[1], column(mixed, "latency_us"), style), "11.52 ~");
  EXPECT_THAT(legend(mixed), ::testing::SizeIs(4));
}

TEST(ReportTable, FiguresOfTwoProvenancesHaveNoMean) {
  auto records = test::sample_records(2);
  records.resize(2);
  records[1].metrics["latency_us"].provenance = Provenance::measured;
  const auto table = build_table(records, ColumnChoice::all);
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_FALSE(table.rows[0].figures.contains("latency_us"));
}

TEST(ReportTable, OfNothingIsEmpty) {
  const auto table = build_table({}, ColumnChoice::all);
  EXPECT_THAT(table.rows, IsEmpty());
  EXPECT_THAT(table.columns, IsEmpty());
}

}  // namespace
}  // namespace assay

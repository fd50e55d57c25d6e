// Rows held against their references: which belong together, what the figures come to by hand, and
// when a comparison says no.
#include "reports/comparison.hpp"

#include <gmock/gmock.h>

#include "tests/support/sample_records.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// What a record of these tests has.
struct Cell {
  std::string group;
  int seed = 1;
  double accuracy = 90;
  double flash = 1000;
  double microseconds = 100;
  std::string goal = "latency";
  std::string board = "l4-a";
};

Record record_of(const Cell& cell) {
  Record record = test::sample_records().front();
  record.group_id = cell.group;
  record.config_id = cell.group + std::to_string(cell.seed);
  record.cell_id = record.config_id + cell.goal + cell.board;
  record.measurement_key = record.cell_id;
  record.label = cell.group + "_s" + std::to_string(cell.seed);
  record.board = cell.board;
  record.config["seed"] = cell.seed;
  record.build["goal"] = {{"optimize", cell.goal}};
  record.metrics = {
      {"accuracy_top1", {cell.accuracy, "%", Provenance::computed, {}}},
      {"rom_bytes", {cell.flash, "B", Provenance::counted, {}}},
      {"latency_us", {cell.microseconds, "us", Provenance::modelled, {}}},
  };
  return record;
}

ReportInput report_of(const std::vector<Cell>& cells) {
  ReportInput input{"m",
                    {},
                    {{"comparison",
                      {{"to", "uncompressed"},
                       {"within_pp", 0.5},
                       {"references", {{"sparse", "dense"}, {"tiny", "dense"}}}}}}};
  for (const Cell& cell : cells)
    input.records.push_back(record_of(cell));
  return input;
}

struct Case {
  std::string name;
  Cell sparse;
  bool equal;
  std::string verdict;
};

class OneContrast : public ::testing::TestWithParam<Case> {};

TEST_P(OneContrast, SaysWhatItCameTo) {
  const Case& one = GetParam();
  const ReportInput input = report_of({{"dense"}, one.sparse});
  const ReportTable table = report_table(input, ColumnChoice::all);
  const auto contrasts = find_contrasts(table, input);
  ASSERT_EQ(contrasts.size(), 1u);
  EXPECT_EQ(contrasts[0].row->label, "sparse_s" + std::to_string(one.sparse.seed));
  EXPECT_EQ(contrasts[0].reference->label, "dense_s1");
  EXPECT_EQ(contrasts[0].equal, one.equal);
  EXPECT_EQ(contrasts[0].verdict(), one.verdict);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, OneContrast,
    ::testing::Values(
        Case{"Gains", {"sparse", 1, 89.75, 500, 60}, true, "smaller and faster at equal accuracy"},
        Case{"AtTheLimit",
             {"sparse", 1, 89.5, 500, 60},
             true,
             "smaller and faster at equal accuracy"},
        Case{"LosesTooMuch", {"sparse", 1, 89.25, 500, 60}, false, "accuracy not equal"},
        Case{"BetterIsNotEqual", {"sparse", 1, 91, 500, 60}, false, "accuracy not equal"},
        Case{"NotSmaller", {"sparse", 1, 90, 1000, 60}, true, "not smaller"},
        Case{"NotFaster", {"sparse", 1, 90, 500, 100}, true, "not faster"},
        Case{"NothingAtAll",
             {"sparse", 1, 80, 2000, 200},
             false,
             "not smaller; not faster; accuracy not equal"},
        Case{"AnotherSeed", {"sparse", 2, 90, 500, 60}, false, "accuracy not equal"}),
    [](const auto& test) { return test.param.name; });

TEST(Contrasts, AreOfOneBoardAndOneGoal) {
  for (const Cell& elsewhere : {Cell{"sparse", 1, 90, 500, 60, "flash"},
                                Cell{"sparse", 1, 90, 500, 60, "latency", "l4-b"}}) {
    const ReportInput input = report_of({{"dense"}, elsewhere});
    EXPECT_TRUE(find_contrasts(report_table(input, ColumnChoice::all), input).empty());
    EXPECT_FALSE(comparison_grid(input, {",", " ± ", "–"}));
  }
}

TEST(Contrasts, PairTheSeedsThatBothHave) {
  const ReportInput input = report_of({{"dense", 1, 90},
                                       {"dense", 2, 92},
                                       {"sparse", 1, 89.9, 500, 60},
                                       {"sparse", 2, 91.7, 500, 60},
                                       {"sparse", 3, 50, 500, 60}});
  const ReportTable table = report_table(input, ColumnChoice::all);
  const auto contrasts = find_contrasts(table, input);
  ASSERT_EQ(contrasts.size(), 1u);
  EXPECT_NEAR(contrasts[0].accuracy->value, -0.2, 1e-9);
  // Two values 0.2 apart: half of that times 12.706, the 97.5 % quantile of one degree of freedom.
  EXPECT_NEAR(*contrasts[0].accuracy->half_width, 1.2706, 1e-3);
}

TEST(Contrasts, LeaveOutSeedsThatDidNotPass) {
  ReportInput input = report_of({{"dense"}, {"sparse", 1, 90, 500, 60}});
  input.records[1].verdict = Verdict::fail;
  const ReportTable table = report_table(input, ColumnChoice::all);
  ASSERT_EQ(find_contrasts(table, input).size(), 1u);
  EXPECT_FALSE(find_contrasts(table, input)[0].accuracy);
}

TEST(ComparisonGrid, HasEachReferenceAboveItsRows) {
  const ReportInput input = report_of({{"sparse", 1, 89.75, 400, 60},
                                       {"tiny", 1, 88, 250, 40},
                                       {"dense"},
                                       {"sparse", 1, 89.75, 300, 70, "flash"},
                                       {"dense", 1, 90, 800, 110, "flash"}});
  const auto grid = comparison_grid(input, {",", " ± ", "–"});
  ASSERT_TRUE(grid);
  ASSERT_EQ(grid->rows.size(), 5u);
  for (const auto& row : grid->rows)
    EXPECT_EQ(row.size(), grid->columns.size());
  EXPECT_THAT(grid->rows[0], ElementsAre("dense_s1", "l4-a", "latency", "90.00", "1,000", "100.0",
                                         "", "", "1", "1", ""));
  EXPECT_THAT(grid->rows[1],
              ElementsAre("sparse_s1", "l4-a", "latency", "89.75", "400", "60.0", "-0.25", "met",
                          "0.400", "0.600", "smaller and faster at equal accuracy"));
  EXPECT_THAT(grid->rows[2],
              ElementsAre("tiny_s1", "l4-a", "latency", "88.00", "250", "40.0", "-2.00", "missed",
                          "0.250", "0.400", "accuracy not equal"));
  EXPECT_EQ(grid->rows[4][9], "0.636");
  EXPECT_THAT(grid->note, HasSubstr("at most 0.5 percentage points; met by 2 of 3 rows"));
  EXPECT_THAT(grid->note, HasSubstr("at equal accuracy: 2 of 3"));
}

TEST(ComparisonGrid, IsInTheFormatsForReaders) {
  const ReportInput input = report_of({{"dense"}, {"sparse", 1, 89.75, 400, 60}});
  for (const std::string& text : {render_markdown(input), render_html(input)}) {
    EXPECT_THAT(text, HasSubstr("Compared with uncompressed"));
    EXPECT_THAT(text, HasSubstr("smaller and faster at equal accuracy"));
  }
  EXPECT_THAT(render_text(input),
              HasSubstr("sparse_s1 on l4-a: 0.4 of the flash and 0.6 of the time of dense_s1: "
                        "smaller and faster at equal accuracy"));
  ReportInput without = input;
  without.context = {};
  for (const std::string& text :
       {render_markdown(without), render_html(without), render_text(without)})
    EXPECT_THAT(text, Not(HasSubstr("at equal accuracy")));
}

}  // namespace
}  // namespace assay

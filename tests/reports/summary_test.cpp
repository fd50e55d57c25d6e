#include "reports/summary.hpp"

#include <gmock/gmock.h>

#include "tests/support/sample_records.hpp"

namespace assay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(ReportSummary, CountsCellsAndVerdicts) {
  ReportInput input{"demo", test::sample_records(), {}};
  input.records[1].verdict = Verdict::fail;
  input.records[2].verdict = Verdict::infra;
  input.records[3].recorded_at = "2026-02-02T00:00:00Z";
  input.records.push_back(input.records[4]);
  const auto facts = heading_facts(summarize(input));
  EXPECT_THAT(facts, Contains(Pair("Matrix", "demo")));
  EXPECT_THAT(facts, Contains(Pair("Measured", "2026-01-31 to 2026-02-02")));
  EXPECT_THAT(facts, Contains(Pair("Data set", "fashion-mnist")));
  EXPECT_THAT(facts, Contains(Pair("Cells", "8 (7 passed, 1 failed, 1 without a result)")));
  EXPECT_THAT(facts, ::testing::Not(Contains(Pair("Teacher accuracy", ::testing::_))));
}

TEST(ReportSummary, TheContextCompletesTheHeading) {
  const ReportInput input{"demo",
                          test::sample_records(),
                          {{"data_set", "Fashion-MNIST"}, {"teacher_accuracy", 91.618}}};
  const auto facts = heading_facts(summarize(input));
  EXPECT_THAT(facts, Contains(Pair("Data set", "Fashion-MNIST")));
  EXPECT_THAT(facts, Contains(Pair("Teacher accuracy", "91.62 % (float)")));
}

TEST(ReportSummary, AMatrixThatShowsRecordsOfAnotherKeepsItsName) {
  const ReportInput input{"night", test::sample_records(), {{"matrix", "night"}}};
  EXPECT_THAT(heading_facts(summarize(input)), Contains(Pair("Matrix", "night")));
}

TEST(ReportSummary, VirtualBoardsAreAlwaysSaid) {
  ReportInput input{"demo", test::sample_records(), {}};
  EXPECT_EQ(board_notice(summarize(input)), "Virtual boards: modelled figures, not silicon.");
  input.records[0].virtual_board = false;
  EXPECT_THAT(board_notice(summarize(input)), HasSubstr("7 of 8 records"));
  for (auto& record : input.records)
    record.virtual_board = false;
  EXPECT_EQ(board_notice(summarize(input)), "");
}

TEST(ReportSummary, OfNothingSaysSo) {
  EXPECT_THAT(heading_facts(summarize({"empty", {}, {}})), ElementsAre(Pair("Cells", "0")));
}

}  // namespace
}  // namespace assay

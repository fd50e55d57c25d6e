#include "harness/run/publish.hpp"

#include <gmock/gmock.h>

#include "harness/core/file.hpp"
#include "harness/run/selection.hpp"
#include "tests/support/sample_records.hpp"

namespace assay {
namespace {

class StoredReportTest : public ::testing::Test {
 protected:
  ScratchDirectory folder_ = ScratchDirectory::create(::testing::TempDir(), "publish-").value();
  Store store_ = Store::open(folder_.path() / "assay.db").value();
};

TEST_F(StoredReportTest, IsTheReportOfTheRunThatFoundSomeOfItsRecords) {
  const auto records = test::sample_records(3);
  for (const auto& record : records) {  // "demo" measured seeds 1 and 2, "night" seed 3 alone
    Record measured = record;
    if (record.config.at("seed") == 3) measured.matrix = "night";
    ASSERT_TRUE(store_.insert(measured));
  }
  ReportInput night{
      "night",
      store_.query().value(),
      {{"matrix", "night"}, {"command", "assay run night.json"}, {"teacher_accuracy", 91.25}}};
  ASSERT_TRUE(note_report(night, store_));
  const auto found = stored_report("night", store_);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(render_json(*found), render_json(night));
  EXPECT_THAT(render_markdown(*found), ::testing::HasSubstr("Teacher accuracy: 91.25 % (float)"));
  EXPECT_EQ(stored_report("demo", store_)->records.size(), 16u);
}

TEST_F(StoredReportTest, ShowsTheNewestRecordOfACell) {
  Record record = test::sample_records().front();
  ASSERT_TRUE(store_.insert(record));
  record.measurement_key = "by a newer version of the code";
  record.recorded_at = "2026-03-01T00:00:00Z";
  ASSERT_TRUE(store_.insert(record));
  const auto found = stored_report("demo", store_);
  ASSERT_EQ(found->records.size(), 1u);
  EXPECT_EQ(found->records.front().measurement_key, record.measurement_key);
}

TEST_F(StoredReportTest, OfAMatrixNobodyRanIsAnError) {
  const auto found = stored_report("night", store_);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::bad_input);
}

TEST(ComparisonContext, HoldsEveryGroupAgainstItsBaseline) {
  const auto planned = [](const std::string& compare) {
    const auto json = parse_json(R"({"name": "m", "base": {"cluster.clusters": 16},
        "variants": [{"prune.sparsity": 0.5}, {"prune.sparsity": 0.75}],
        "sweep": {"seed": [1, 2]}, "baselines": ["uncompressed"])" +
                                     compare + "}",
                                 "m.json");
    return make_plan(parse_matrix(*json, "m.json").value()).value();
  };
  const Plan plan = planned(R"(, "compare": {"to": "uncompressed", "within_pp": 0.25})");
  const Json context = comparison_context(plan);
  EXPECT_EQ(context.at("to"), "uncompressed");
  EXPECT_EQ(context.at("within_pp"), 0.25);
  const Json& references = context.at("references");
  EXPECT_EQ(references.size(), 2u);
  for (const Config& config : plan.expansion.configs) {
    const bool compressed = config.has("cluster");
    EXPECT_EQ(references.contains(config.group_id()), compressed) << config.label();
    if (compressed) {
      EXPECT_EQ(references.at(config.group_id()), config.uncompressed().group_id());
    }
  }
  EXPECT_TRUE(comparison_context(planned("")).is_null());
}

}  // namespace
}  // namespace assay

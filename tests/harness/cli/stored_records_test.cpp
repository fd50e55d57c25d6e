// What a user reads of records that are in the store already.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/core/json.hpp"
#include "results/store.hpp"
#include "tests/harness/cli/user.hpp"
#include "tests/support/sample_records.hpp"

namespace assay::test {
namespace {

using ::testing::HasSubstr;

/// A store in which "demo" measured a cell twice, with two versions of the code, and "night" noted
/// the second record and another one.
void fill_store(const User& user) {
  auto store = Store::open(user.project() / "assay.db").value();
  auto records = sample_records();
  Record newer = records[0];
  newer.measurement_key = "by a newer version of the code";
  newer.recorded_at = "2026-03-01T00:00:00Z";
  newer.metrics["rom_bytes"].value = 11'111;
  records.push_back(newer);
  for (const auto& record : records)
    ASSERT_TRUE(store.insert(record));
  const std::vector<std::string> keys{newer.measurement_key, records[1].measurement_key};
  ASSERT_TRUE(store.note_run("night", keys, {{"matrix", "night"}, {"teacher_accuracy", 91.25}}));
}

std::size_t listed(const User& user, const std::vector<std::string>& arguments) {
  const Json json = Json::parse(user.run(arguments).output, nullptr, false);
  return json.is_discarded() ? 0 : json.at("records").size();
}

TEST(StoredRecords, OfAMatrixIncludeThoseThatAnotherMeasured) {
  const User user;
  fill_store(user);
  EXPECT_EQ(listed(user, {"results", "--matrix", "night", "--json"}), 2U);
  EXPECT_EQ(listed(user, {"results", "--matrix", "demo", "--json"}), 9U);
  const auto answer = user.run({"report", "night"});
  EXPECT_EQ(answer.exit_code, 0) << answer.errors;
  const auto table = read_text(user.project() / "assay-out/night/report/table.md").value();
  EXPECT_THAT(table, HasSubstr("Matrix: night\n"));
  EXPECT_THAT(table, HasSubstr("Teacher accuracy: 91.25 % (float)"));
  EXPECT_THAT(table, HasSubstr("Cells: 2 (2 passed)"));
}

TEST(StoredRecords, OfOneCellStandInATableOnce) {
  const User user;
  fill_store(user);
  const auto answer = user.run({"results", "--matrix", "demo"});
  EXPECT_THAT(answer.output, HasSubstr("11,111"));
  EXPECT_THAT(answer.output, HasSubstr("width50_s1"));
  const auto csv = user.run({"results", "--matrix", "demo", "--format", "csv"}).output;
  EXPECT_EQ(std::ranges::count(csv, '\n'), 1 + 9);
  EXPECT_EQ(user.run({"report", "demo"}).exit_code, 0);
  const auto table = read_text(user.project() / "assay-out/demo/report/table.csv").value();
  EXPECT_EQ(std::ranges::count(table, '\n'), 1 + 8);
}

}  // namespace
}  // namespace assay::test

// A network that is trained, quantized to int8 weights with int16 activations, and measured, beside
// the same training in int8.
#include <gmock/gmock.h>

#include <algorithm>

#include "harness/core/json.hpp"
#include "tests/harness/cli/user.hpp"

namespace assay::test {
namespace {

constexpr const char* matrix = R"({
  "name": "wide",
  "base": {"train": {"epochs": 1, "images": 600},
           "student": {"fewer_filters_pct": 50, "cut": 5}},
  "sweep": {"quantize.scheme": ["int8", "int8w-int16a"]},
  "deploy": {"on": [{"board_type": "stm32f405", "virtual": true},
                    {"board_type": "stm32f030cc", "virtual": true}], "samples": 20}})";

double metric(const Json& record, const char* name) {
  return record.at("metrics").at(name).at("value");
}

/// The records in `arithmetic`, by part.
std::map<std::string, Json> records_in(const Json& records, const char* arithmetic) {
  std::map<std::string, Json> found;
  for (const Json& record : records)
    if (record.at("build").at("arithmetic") == arithmetic) found.emplace(record.at("part"), record);
  return found;
}

TEST(RunOfInt16, TrainsQuantizesAndConfirmsEveryLogitOnBoards) {
  const User user;
  user.write("wide.json", matrix);
  const auto answer = user.run({"run", "wide.json", "--json"});
  ASSERT_EQ(answer.exit_code, 0) << answer.errors;
  const Json records = Json::parse(answer.output).at("records");
  ASSERT_EQ(records.size(), 4U);
  for (const Json& record : records) {
    EXPECT_EQ(record.at("verdict"), "pass") << record;
    EXPECT_EQ(metric(record, "samples_confirmed"), 20);
  }
  const auto narrow = records_in(records, "int8"), wide = records_in(records, "int16");
  ASSERT_EQ(narrow.size(), 2U);
  ASSERT_EQ(wide.size(), 2U);
  for (const auto& [part, record] : wide) {
    SCOPED_TRACE(part);
    const Json& other = narrow.at(part);
    // Percent of 10 000 images: int16 activations round next to nothing away, and the float network
    // is one.
    EXPECT_NEAR(metric(record, "accuracy_top1"), metric(record, "accuracy_top1_float"), 0.2);
    EXPECT_EQ(metric(record, "accuracy_top1_float"), metric(other, "accuracy_top1_float"));
    // The weights are as many bytes as they were; products of 32 and sums of 64 bits take longer.
    EXPECT_EQ(record.at("build").at("weights"), other.at("build").at("weights"));
    EXPECT_EQ(metric(record, "macc"), metric(other, "macc"));
    EXPECT_GT(metric(record, "cycles"), metric(other, "cycles"));
  }
  // One training for all.
  EXPECT_EQ(std::ranges::count_if(
                user.stages(), [](const auto& stage) { return stage.first.starts_with("train/"); }),
            1);
}

}  // namespace
}  // namespace assay::test

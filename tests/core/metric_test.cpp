#include "harness/core/metric.hpp"

#include <gtest/gtest.h>

#include <set>

#include "harness/core/record.hpp"

namespace assay {
namespace {

TEST(MetricKinds, HaveUniqueNamesAndProse) {
  std::set<std::string_view> names;
  for (const auto& kind : metric_kinds()) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    EXPECT_FALSE(kind.title.empty());
    EXPECT_FALSE(kind.meaning.empty());
    EXPECT_EQ(find_metric_kind(kind.name), &kind);
  }
  EXPECT_EQ(find_metric_kind("speed"), nullptr);
}

TEST(Metrics, SurviveJson) {
  const Metrics metrics{{"cycles", {12.5, "", Provenance::modelled, {12, 13}}},
                        {"rom_bytes", {1024, "B", Provenance::counted, {}}}};
  const auto json = to_json(metrics);
  EXPECT_FALSE(json["rom_bytes"].contains("samples"));
  const auto back = parse_metrics(json, "doc");
  ASSERT_TRUE(back);
  EXPECT_EQ(to_json(*back), json);
}

TEST(Metrics, RefuseAProvenanceThatIsNone) {
  const Json json{{"cycles", {{"value", 1}, {"unit", ""}, {"provenance", "guessed"}}}};
  const auto metrics = parse_metrics(json, "doc");
  ASSERT_FALSE(metrics);
  EXPECT_NE(metrics.error().message.find("cycles.provenance"), std::string::npos);
}

TEST(Records, SurviveJson) {
  Record record;
  record.measurement_key = "k";
  record.label = "width50 \"quoted\"";
  record.verdict = Verdict::fail;
  record.virtual_board = true;
  record.config = {{"seed", 1}};
  record.metrics["macc"] = {5, "", Provenance::counted, {}};
  const auto back = parse_record(to_json(record), "doc");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), to_json(record));
}

TEST(Records, NameWhatIsWrong) {
  auto json = to_json(Record{});
  json["verdict"] = "maybe";
  const auto record = parse_record(json, "doc");
  ASSERT_FALSE(record);
  EXPECT_NE(record.error().message.find("verdict"), std::string::npos);
}

}  // namespace
}  // namespace assay

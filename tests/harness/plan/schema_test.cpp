// The published schema accepts and refuses what the parser does, judged by an independent
// validator.
#include "harness/plan/schema.hpp"

#include <gtest/gtest.h>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "harness/core/paths.hpp"
#include "harness/plan/matrix.hpp"

namespace assay {
namespace {

bool schema_accepts(const Json& document) {
  static const auto schema = [] {
    auto parsed = std::make_unique<valijson::Schema>();
    const Json json = matrix_schema();
    valijson::adapters::NlohmannJsonAdapter adapter(json);
    valijson::SchemaParser().populateSchema(adapter, *parsed);
    return parsed;
  }();
  valijson::adapters::NlohmannJsonAdapter adapter(document);
  return valijson::Validator().validate(*schema, adapter, nullptr);
}

struct Document {
  const char* text;
  bool valid;
};

class Documents : public ::testing::TestWithParam<Document> {};

TEST_P(Documents, AreJudgedAlikeBySchemaAndParser) {
  const auto json = parse_json(GetParam().text, "m.json");
  ASSERT_TRUE(json);
  EXPECT_EQ(schema_accepts(*json), GetParam().valid);
  EXPECT_EQ(parse_matrix(*json, "m.json").has_value(), GetParam().valid);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, Documents,
    ::testing::Values(
        Document{R"({"name": "a"})", true}, Document{R"({"name": "a b"})", false},
        Document{R"({"nam": "a"})", false},
        Document{R"({"name": "a", "base": {"train": {"epochs": 3}, "student.cut": 4}})", true},
        Document{R"({"name": "a", "base": {"train": {"epochs": 0}}})", false},
        Document{R"({"name": "a", "base": {"train": {}}})", false},
        Document{R"({"name": "a", "base": {"distill": {"beta": "1-alpha"}}})", true},
        Document{R"({"name": "a", "base": {"distill": {"beta": "alpha"}}})", false},
        Document{R"({"name": "a", "base": {"distill": {"t_squared": 1}}})", false},
        Document{R"({"name": "a", "base": {"data": "cifar10"}})", true},
        Document{R"({"name": "a", "base": {"data": "sets/eyes.json"}})", true},
        Document{R"({"name": "a", "base": {"data": "eyes.jsonc"}})", false},
        Document{R"({"name": "a", "base": {"data": ".json"}})", false},
        Document{R"({"name": "a", "base": {"student.model": "eyes.json"}})", false},
        Document{R"({"name": "a", "base": {"student.from": "nets/a.onnx"}})", true},
        Document{R"({"name": "a", "base": {"student.from": "a.torchscript"}})", true},
        Document{R"({"name": "a", "base": {"student.from": "a.pth"}})", false},
        Document{R"({"name": "a", "base": {"student.from": ".pt"}})", false},
        Document{R"({"name": "a", "base": {"student.from": "aonnx"}})", false},
        Document{R"({"name": "a", "base": {"student.freeze": "all-but-head"}})", true},
        Document{R"({"name": "a", "base": {"student.freeze": ["conv1"]}})", true},
        Document{R"({"name": "a", "base": {"student.freeze": []}})", false},
        Document{R"({"name": "a", "base": {"student.head": "new"}})", false},
        Document{R"({"name": "a", "sweep": {"data": ["mnist", "eyes.json"]}})", true},
        Document{R"({"name": "a", "sweep": {"seed": [1, 2]}})", true},
        Document{R"({"name": "a", "sweep": {"seed": {"from": 1, "to": 3, "step": 1}}})", true},
        Document{R"({"name": "a", "sweep": {"seed": {"from": 1, "to": 3}}})", false},
        Document{R"({"name": "a", "sweep": {"seed": []}})", false},
        Document{R"({"name": "a", "sweep": {"seeds": [1]}})", false},
        Document{R"({"name": "a", "exclude": [{"student.cut": "none"}]})", true},
        Document{R"({"name": "a", "exclude": [{}]})", false},
        Document{R"({"name": "a", "baselines": ["plain", "teacher"]})", true},
        Document{R"({"name": "a", "baselines": ["none"]})", false},
        Document{R"({"name": "a", "deploy": {"on": [{"board_type": "stm32f405"}]}})", true},
        Document{R"({"name": "a", "deploy": {"on": []}})", false},
        Document{R"({"name": "a", "deploy": {}})", false},
        Document{R"({"name": "a", "sweep": {"seed": [1]}, "deploy": {"best_over": ["seed"]}})",
                 true},
        Document{R"({"name": "a", "sweep": {"seed": [1]}, "deploy": {"best_over": ["seed"],
                     "by": "accuracy_top1@test"}})",
                 true},
        Document{R"({"name": "a", "sweep": {"seed": [1]}, "deploy": {"best_over": ["seed"],
                     "by": "latency_us"}})",
                 false},
        Document{R"({"name": "a", "sweep": {"seed": [1]}, "deploy": {"best_over": ["seed"],
                     "on": []}})",
                 false},
        Document{R"({"name": "a", "sweep": {"seed": [1]}, "deploy": {"best_over": []}})", false},
        Document{R"({"name": "a", "sweep": {"seed": [1]}, "deploy": {"best_over": ["seed",
                     "seed"]}})",
                 false},
        Document{R"({"name": "a", "deploy": {"on": [{"board_type": "stm32f405"}],
                     "by": "accuracy_top1@test"}})",
                 false},
        Document{R"({"name": "a", "variants": [{}, {"prune": {"sparsity": 0.5}, "seed": 2}]})",
                 true},
        Document{R"({"name": "a", "variants": []})", false},
        Document{R"({"name": "a", "variants": [{"prune": {}}]})", false},
        Document{R"({"name": "a", "variants": {"prune.sparsity": 0.5}})", false},
        Document{R"({"name": "a", "deploy": {"on": [{"board_type": "stm32f405"}],
                     "optimize": "balanced", "flash_budget_bytes": 9000,
                     "latency_budget_us": 250.5, "ram_budget_bytes": 40000}})",
                 true},
        Document{R"({"name": "a", "deploy": {"on": [
                     {"board_type": "stm32f405", "ram_budget_bytes": 40000}]}})",
                 true},
        Document{R"({"name": "a", "deploy": {"on": [{"board_type": "stm32f405"}],
                     "ram_budget_bytes": -1}})",
                 false},
        Document{R"({"name": "a", "deploy": {"on": [{"board_type": "stm32f405"}],
                     "optimize": "speed"}})",
                 false},
        Document{R"({"name": "a", "deploy": {"on": [
                     {"board_type": "stm32f405", "optimize": "latency"},
                     {"board_type": "stm32f405", "optimize": "flash"}]}})",
                 true},
        Document{R"({"name": "a", "deploy": {"on": [
                     {"board_type": "stm32f405", "optimize": "speed"}]}})",
                 false},
        Document{R"({"name": "a", "baselines": ["plain"], "compare": {"to": "plain"}})", true},
        Document{R"({"name": "a", "baselines": ["plain"],
                     "compare": {"to": "plain", "within_pp": 1.5}})",
                 true},
        Document{R"({"name": "a", "baselines": ["plain"], "compare": {"within_pp": 1.5}})", false},
        Document{R"({"name": "a", "baselines": ["plain"],
                     "compare": {"to": "plain", "within_pp": -1}})",
                 false},
        Document{R"({"name": "a", "deploy": {"on": [{"board_type": "stm32f405"}],
                     "flash_budget_bytes": -1}})",
                 false},
        Document{R"({"name": "a", "deploy": {"on": [{"board_type": "stm32f405"}],
                     "latency_budget_us": 0}})",
                 false},
        Document{R"({"name": "a", "deploy": {"on": [{"board_type": "stm32f405"}], "samples": 0}})",
                 false}));

TEST(Schema, IsPublishedAsItIs) {
  const auto published =
      read_json_file(source_root() / "harness" / "matrices" / "matrix.schema.json");
  ASSERT_TRUE(published) << published.error().message;
  EXPECT_EQ(*published, matrix_schema())
      << "update it: assay plan --schema > harness/matrices/matrix.schema.json";
}

TEST(Schema, AcceptsEveryMatrixThatShips) {
  std::size_t found = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(source_root() / "harness" / "matrices")) {
    if (entry.path().filename() == "matrix.schema.json") continue;
    const auto json = read_json_file(entry.path());
    ASSERT_TRUE(json) << json.error().message;
    EXPECT_TRUE(schema_accepts(*json)) << entry.path();
    EXPECT_TRUE(load_matrix(entry.path())) << entry.path();
    ++found;
  }
  EXPECT_GE(found, 1u);
}

}  // namespace
}  // namespace assay

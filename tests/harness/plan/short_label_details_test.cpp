// Labels of printed reports against every detail of a step that a configuration can have.
#include <gmock/gmock.h>

#include "harness/plan/config.hpp"
#include "harness/plan/field.hpp"
#include "reports/short_labels.hpp"

namespace assay {
namespace {

/// A value of a step's detail that labels tell, if it has one beside the usual.
std::optional<Json> unusual_value(const Field& field) {
  std::vector<Json> candidates = field.words;
  candidates.insert(candidates.end(), {field.high, true, false, field.low, Json{"conv1"}});
  for (const Json& candidate : candidates) {
    const auto value = normalize_value(field, candidate);
    if (value && *value != field.fallback) return *value;
  }
  return std::nullopt;
}

/// One that all share is left out, whatever it is called: reports know their names by heart.
TEST(ShortLabels, LeaveOutEveryDetailThatStepsHave) {
  int details = 0;
  for (const Field& field : config_fields()) {
    const bool pruning = field.path.starts_with("prune.");
    if (!pruning && !field.path.starts_with("cluster.")) continue;
    const std::string step = pruning ? "prune.sparsity" : "cluster.clusters";
    if (field.path == step) continue;
    const auto value = unusual_value(field);
    ASSERT_TRUE(value) << field.path;
    const auto label = [&](const Json& amount) {
      return Config::from({{step, amount}, {field.path, *value}}).label();
    };
    const Json less = pruning ? Json(0.5) : Json(16), more = pruning ? Json(0.75) : Json(32);
    const std::vector<std::string> labels{label(less), label(more)};
    const auto shortened = shorten_labels(labels);
    ASSERT_THAT(labels[0], ::testing::HasSubstr("_" + field.label)) << field.path;
    EXPECT_EQ(shortened.labels[0].find("_" + field.label), std::string::npos)
        << field.path << " stays in " << shortened.labels[0];
    EXPECT_NE(shortened.labels[0], shortened.labels[1]) << field.path;
    ++details;
  }
  EXPECT_GT(details, 15);
}

}  // namespace
}  // namespace assay

#include "harness/plan/matrix.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>

#include "harness/plan/expansion.hpp"

namespace assay {
namespace {

Result<Matrix> matrix_of(const std::string& text) {
  ASSAY_TRY(const auto json, parse_json(text, "m.json"));
  return parse_matrix(json, "m.json");
}

TEST(ExpandRange, IsDecimalAndInclusive) {
  const auto values = expand_range(0.10, 0.89, 0.01);
  ASSERT_TRUE(values);
  ASSERT_EQ(values->size(), 80u);
  EXPECT_EQ(values->front(), 0.1);
  EXPECT_EQ((*values)[7], 0.17);  // 0.1 + 7 * 0.01 is 0.16999999999999998 in binary
  EXPECT_EQ(values->back(), 0.89);
  EXPECT_EQ(expand_range(1, 21, 5)->size(), 5u);
  EXPECT_EQ(expand_range(3, 1, -1)->size(), 3u);
  EXPECT_EQ(expand_range(2, 2, 1)->size(), 1u);
}

TEST(Matrix, RefusesBudgetsOnBoardsThatRunLinux) {
  const auto deployed = [](const std::string& section, const std::string& target) {
    return matrix_of(fmt::format(R"({{"name": "m", "deploy": {{{} "on": [
        {{"board_type": "stm32f405"}}, {{"board_type": "raspberry-pi-4"{}}}]}}}})",
                                 section, target));
  };
  for (const char* budget :
       {R"("flash_budget_bytes": 9,)", R"("latency_budget_us": 9,)", R"("ram_budget_bytes": 9,)"}) {
    const auto refused = deployed(budget, "");
    ASSERT_FALSE(refused) << budget;
    EXPECT_EQ(refused.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(refused.error().message,
                testing::HasSubstr("deploy.on[1].board_type: a flash, latency or RAM budget cannot "
                                   "be kept on Raspberry Pi 4"));
  }
  EXPECT_FALSE(deployed("", R"(, "ram_budget_bytes": 9)"));
  EXPECT_TRUE(deployed("", R"(, "optimize": "flash")"));
}

TEST(ExpandRange, RefusesWhatIsEmptyOrEndless) {
  EXPECT_FALSE(expand_range(2, 1, 1));
  EXPECT_FALSE(expand_range(1, 2, 0));
  EXPECT_FALSE(expand_range(0, 1, 1e-9));
}

TEST(Expand, MultipliesExcludesAndCollapses) {
  const auto matrix = matrix_of(R"({
    "name": "kd",
    "base": {"distill": {"beta": "1-alpha", "t_squared": false}},
    "sweep": {"student.cut": ["none", 5, 4], "student.fewer_filters_pct": [0, 10, 30, 50],
              "distill.alpha": [0, 0.25, 0.5, 0.75, 1],
              "distill.T": {"from": 1, "to": 21, "step": 5}, "seed": [1, 2, 3]},
    "exclude": [{"student.cut": "none", "student.fewer_filters_pct": 0}]
  })");
  ASSERT_TRUE(matrix) << matrix.error().message;
  const auto expansion = expand(*matrix);
  ASSERT_TRUE(expansion);
  // 12 networks less the whole one, 5 alphas, 5 temperatures, 3 seeds.
  EXPECT_EQ(expansion->points, 12u * 25 * 3);
  EXPECT_EQ(expansion->excluded, 25u * 3);
  // With alpha 1 the five temperatures are one experiment: 11 students x 21 x 3 seeds are left.
  EXPECT_EQ(expansion->configs.size(), 11u * 21 * 3);
  EXPECT_EQ(expansion->collapsed, 11u * 4 * 3);
}

std::vector<std::string> labels_of(const Expansion& expansion) {
  std::vector<std::string> labels;
  for (const auto& config : expansion.configs)
    labels.push_back(config.label());
  return labels;
}

TEST(Expand, MultipliesVariantsWithTheSweep) {
  const auto matrix = matrix_of(R"({
    "name": "ladder", "base": {"quantize.scheme": "none", "prune": {"sparsity": 0.5}},
    "variants": [{"prune": {"sparsity": 0}}, {}, {"quantize.scheme": "int8"}],
    "sweep": {"student.cut": [5, 4], "seed": [1, 2]},
    "exclude": [{"student.cut": 5, "quantize.scheme": "int8"}]})");
  ASSERT_TRUE(matrix) << matrix.error().message;
  const auto expansion = expand(*matrix);
  ASSERT_TRUE(expansion) << expansion.error().message;
  EXPECT_EQ(expansion->points, 3u * 2 * 2);
  EXPECT_EQ(expansion->excluded, 2u);
  // Variants vary slowest, and win over the base.
  EXPECT_EQ(labels_of(*expansion),
            (std::vector<std::string>{"cut5_as-none_s1", "cut4_as-none_s1", "cut5_as-none_s2",
                                      "cut4_as-none_s2", "cut5_p0.5_as-none_s1",
                                      "cut4_p0.5_as-none_s1", "cut5_p0.5_as-none_s2",
                                      "cut4_p0.5_as-none_s2", "cut4_p0.5_s1", "cut4_p0.5_s2"}));
}

/// The labels of every group's candidates.
using Groups = std::vector<std::vector<std::vector<std::string>>>;

Groups groups_of(const Expansion& expansion) {
  const auto labels = labels_of(expansion);
  Groups groups;
  for (const auto& group : expansion.groups) {
    groups.emplace_back();
    for (const auto& candidate : group.candidates) {
      groups.back().emplace_back();
      for (const auto config : candidate)
        groups.back().back().push_back(labels[config]);
    }
  }
  return groups;
}

TEST(Expand, GroupsWhatDiffersOnlyInTheFieldsOfASelection) {
  const auto matrix = matrix_of(R"({
    "name": "kd",
    "sweep": {"student.cut": [5, 4], "distill.alpha": [0, 1], "distill.T": [1, 4], "seed": [1, 2]},
    "baselines": ["teacher"],
    "deploy": {"best_over": ["distill.alpha", "distill.T"]}})");
  ASSERT_TRUE(matrix) << matrix.error().message;
  // With alpha 1 there is no teacher and no T: one candidate of the group, not a group of its own.
  EXPECT_EQ(groups_of(*expand(*matrix)), (Groups{{{"cut5_a0_T1_s1", "cut5_a0_T1_s2"},
                                                  {"cut5_s1", "cut5_s2"},
                                                  {"cut5_a0_T4_s1", "cut5_a0_T4_s2"}},
                                                 {{"conv5_s1"}},
                                                 {{"cut4_a0_T1_s1", "cut4_a0_T1_s2"},
                                                  {"cut4_s1", "cut4_s2"},
                                                  {"cut4_a0_T4_s1", "cut4_a0_T4_s2"}}}));
}

TEST(Expand, RefusesTwoConfigurationsOfOneName) {
  const auto expansion_of = [](const char* first, const char* second) {
    return expand(*matrix_of(fmt::format(
        R"({{"name": "nets", "sweep": {{"student.from": ["{}", "{}"]}}}})", first, second)));
  };
  EXPECT_TRUE(expansion_of("a/net.onnx", "a/net.pt"));
  EXPECT_TRUE(expansion_of("a/net.onnx", "b/net2.onnx"));
  const auto refused = expansion_of("a/net.onnx", "b/net.onnx");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::bad_input);
  EXPECT_EQ(refused.error().message,
            "nets: two configurations would both be called net_s1; rename one of the files or "
            "layers they differ in");
}

TEST(Expand, ASelectionOverTheSeedTellsSeedsApart) {
  const auto matrix = matrix_of(R"({"name": "s", "sweep": {"student.cut": [5, 4], "seed": [1, 2]},
    "deploy": {"best_over": ["seed"]}})");
  ASSERT_TRUE(matrix) << matrix.error().message;
  EXPECT_EQ(groups_of(*expand(*matrix)),
            (Groups{{{"cut5_s1"}, {"cut5_s2"}}, {{"cut4_s1"}, {"cut4_s2"}}}));
}

TEST(Expand, AVariantsFieldCanBeSelectedOver) {
  const auto matrix = matrix_of(R"({"name": "v", "sweep": {"student.cut": [5, 4]},
    "variants": [{"train.epochs": 3}, {"train.epochs": 4}],
    "deploy": {"best_over": ["train.epochs"], "by": "accuracy_top1@test"}})");
  ASSERT_TRUE(matrix) << matrix.error().message;
  EXPECT_TRUE(matrix->deploy.selection->by_test);
  EXPECT_EQ(expand(*matrix)->groups.size(), 2u);
}

TEST(Expand, AddsBaselinesOnce) {
  const auto matrix = matrix_of(R"({
    "name": "b", "base": {"distill": {"T": 4}},
    "sweep": {"student.cut": [5, 4], "distill.alpha": [0, 0.5]},
    "baselines": ["plain", "teacher"]})");
  const auto expansion = expand(*matrix);
  // 4 distilled, 2 plain, 1 teacher.
  EXPECT_EQ(expansion->configs.size(), 7u);
  EXPECT_EQ(expansion->collapsed, 0u);
}

TEST(Expand, NamesWhatHasNoEffect) {
  const auto matrix = matrix_of(R"({
    "name": "i", "base": {"teacher": {"epochs": 30}, "prune": {"sparsity": 0}, "train.epochs": 5},
    "sweep": {"student.cut": ["none", 4], "distill.T": [1, 4], "distill.alpha": [1],
              "distill.beta": [0]},
    "exclude": [{"student.cut": 5}, {"student.cut": 4, "distill.T": 4}, {"student.cut": 4}],
    "baselines": ["plain", "teacher"]})");
  ASSERT_TRUE(matrix) << matrix.error().message;
  EXPECT_EQ(
      expand(*matrix)->notices,
      (std::vector<std::string>{"exclude[0] drops no point", "baseline plain adds no configuration",
                                "baseline teacher adds no configuration",
                                "distill.T has no effect: no configuration uses it",
                                "distill.alpha has no effect: no configuration uses it",
                                "distill.beta has no effect: no configuration uses it",
                                "prune.sparsity has no effect: no configuration uses it",
                                "teacher.epochs has no effect: no configuration uses it"}));
}

TEST(Expand, HasNothingToSayWhereEverythingHasAnEffect) {
  const auto matrix = matrix_of(R"({
    "name": "e", "base": {"teacher.epochs": 3, "quantize.scheme": "int8"},
    "sweep": {"student.cut": [5, 4], "distill.T": [1, 4]},
    "exclude": [{"student.cut": 5, "distill.T": 1}], "baselines": ["plain"]})");
  ASSERT_TRUE(matrix) << matrix.error().message;
  EXPECT_EQ(expand(*matrix)->notices, std::vector<std::string>{});
}

TEST(Expand, AcceptsDottedAndNestedSpellings) {
  const auto nested = matrix_of(R"({"name": "a", "base": {"train": {"epochs": 7}}})");
  const auto dotted = matrix_of(R"({"name": "a", "base": {"train.epochs": 7.0}})");
  EXPECT_EQ(expand(*nested)->configs, expand(*dotted)->configs);
}

TEST(MatrixName, NamesAFolder) {
  const auto named = [](std::size_t length) {
    return matrix_of(fmt::format(R"({{"name": "{}"}})", std::string(length, 'm')));
  };
  EXPECT_TRUE(named(100));
  const auto refused = named(101);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(refused.error().message,
              ::testing::HasSubstr("name: expected at most 100 characters, which also name the "
                                   "folder, found 101"));
}

struct BadMatrix {
  const char* text;
  const char* message;
};

class BadMatrices : public ::testing::TestWithParam<BadMatrix> {};

TEST_P(BadMatrices, AreAnsweredWithPathAndExpectation) {
  const auto matrix = matrix_of(GetParam().text);
  ASSERT_FALSE(matrix);
  EXPECT_EQ(matrix.error().kind, ErrorKind::bad_input);
  EXPECT_EQ(matrix.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, BadMatrices,
    ::testing::Values(
        BadMatrix{R"({})", "m.json: name: is missing"},
        BadMatrix{R"({"name": "a/b"})",
                  "m.json: name: expected letters, digits, - and _, which also name the folder"},
        BadMatrix{R"({"name": "a", "bsae": {}})", "m.json: bsae: unknown field"},
        BadMatrix{R"({"name": "a", "base": {"train": {"epoch": 3}}})",
                  "m.json: base.train.epoch: unknown field"},
        BadMatrix{R"({"name": "a", "base": {"train": {"epochs": 0}}})",
                  "m.json: base.train.epochs: expected an integer from 1 to 10000, found number 0"},
        BadMatrix{R"({"name": "a", "base": {"seed": -1}})",
                  "m.json: base.seed: expected an integer from 0 to 2147483647, found number -1"},
        BadMatrix{
            R"({"name": "a", "base": {"quantize": {"layer_bits": {}}}})",
            "m.json: base.quantize.layer_bits: expected an object: layer name -> 8 or 4 or 2, "
            "found an empty one"},
        BadMatrix{
            R"({"name": "a", "base": {"quantize": {"layer_bits": {"a": 8, "b": 3}}}})",
            "m.json: base.quantize.layer_bits: expected an object: layer name -> 8 or 4 or 2, "
            "found number 3 for \"b\""},
        BadMatrix{R"({"name": "a", "base": {"prune": {"except": []}}})",
                  "m.json: base.prune.except: expected a list of layer names, found an empty one"},
        BadMatrix{
            R"({"name": "a", "base": {"prune": {"except": ["a", 3]}}})",
            "m.json: base.prune.except: expected a list of layer names, found number 3 in it"},
        BadMatrix{R"({"name": "a", "base": {"student": {"cut": 3}}})",
                  "m.json: base.student.cut: expected \"none\" or 5 or 4, found number 3"},
        BadMatrix{R"({"name": "a", "sweep": {"seed": []}})",
                  "m.json: sweep[\"seed\"]: the list is empty: give at least one value"},
        BadMatrix{R"({"name": "a", "sweep": {"seed": {"from": 5, "to": 1, "step": 1}}})",
                  "m.json: sweep[\"seed\"]: the range from 5 to 1 with step 1 is empty"},
        BadMatrix{R"({"name": "a", "sweep": {"seed": [1, "two"]}})",
                  "m.json: sweep[\"seed\"][1]: expected an integer from 0 to 2147483647, found "
                  "string \"two\""},
        BadMatrix{R"({"name": "a", "base": {"seed": 1}, "sweep": {"seed": [1]}})",
                  "m.json: sweep[\"seed\"]: is also given in base; keep one"},
        BadMatrix{R"({"name": "a", "compare": {"to": "uncompressed"}})",
                  "m.json: compare.to: \"uncompressed\" is not among baselines"},
        BadMatrix{R"({"name": "a", "baselines": ["plain"], "compare": {"to": "plain",
                      "within_pp": 101}})",
                  "m.json: compare.within_pp: expected 0 to 100 percentage points"},
        BadMatrix{R"({"name": "a", "deploy": {"optimize": "flash", "on": [
                      {"board_type": "stm32f405", "optimize": "flash"},
                      {"board_type": "stm32f405"}]}})",
                  "m.json: deploy.on[1].board_type: olimex-stm32-h405 is there twice, at the same "
                  "clock for the same goal"},
        BadMatrix{R"({"name": "a", "baselines": ["techer"]})",
                  "m.json: baselines: expected one of plain, uncompressed, teacher, "
                  "compressed-teacher, found \"techer\""},
        BadMatrix{R"({"name": "a", "variants": []})",
                  "m.json: variants: expected a list of objects, found an array"},
        BadMatrix{R"({"name": "a", "variants": [{"prune": {"sparsity": 2}}]})",
                  "m.json: variants[0].prune.sparsity: expected a number from 0 to 0.999999, found "
                  "number 2"},
        BadMatrix{R"({"name": "a", "variants": [{}, {"seed": 1}], "sweep": {"seed": [1]}})",
                  "m.json: sweep[\"seed\"]: is also given in variants[1]; keep one"},
        BadMatrix{R"({"name": "a", "deploy": {}})",
                  "m.json: deploy.on: needs at least one board type"},
        BadMatrix{R"({"name": "a", "deploy": {"by": "accuracy_top1@test"}})",
                  "m.json: deploy.best_over: needs at least one field of sweep or variants"},
        BadMatrix{R"({"name": "a", "deploy": {"best_over": ["seed"]}})",
                  "m.json: deploy.best_over[0]: seed is not in sweep or variants"},
        BadMatrix{R"({"name": "a", "sweep": {"seed": [1]}, "deploy": {"best_over": ["seed"],
                      "by": "latency_us"}})",
                  "m.json: deploy.by: expected one of accuracy_top1@validation, "
                  "accuracy_top1@test, found \"latency_us\""},
        BadMatrix{R"({"name": "a", "exclude": [{}]})",
                  "m.json: exclude[0]: expected an object of fields, found an object"},
        BadMatrix{R"({"name": "a", "deploy": {"on": []}})",
                  "m.json: deploy.on: needs at least one board type"},
        BadMatrix{R"({"name": "a", "deploy": {"on": [{"board_type": "stm32f405"}],
                      "formats": ["float32"]}})",
                  "m.json: deploy.formats: expected \"int8\", found \"float32\""}));

TEST(BadMatrix, AnUnknownPartNamesTheKnownOnes) {
  const auto matrix =
      matrix_of(R"({"name": "a", "deploy": {"on": [{"board_type": "stm32f999"}]}})");
  ASSERT_FALSE(matrix);
  const auto& message = matrix.error().message;
  EXPECT_NE(message.find("deploy.on[0].board_type"), std::string::npos) << message;
  EXPECT_NE(message.find("\"stm32f999\""), std::string::npos) << message;
  EXPECT_NE(message.find("stm32f405"), std::string::npos) << message;
}

TEST(BadMatrix, AClockAboveThePartsLimitIsRefused) {
  const auto matrix = matrix_of(
      R"({"name": "a", "deploy": {"on": [{"board_type": "stm32f405", "clock_mhz": 169}]}})");
  ASSERT_FALSE(matrix);
  EXPECT_NE(matrix.error().message.find("at most 168 MHz"), std::string::npos);
}

}  // namespace
}  // namespace assay

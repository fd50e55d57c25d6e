#include "harness/plan/config.hpp"
#include "harness/plan/field.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

TEST(Config, OfNothingIsTheDefaultPlainStudent) {
  const auto config = Config::from({});
  EXPECT_FALSE(config.distilled());
  EXPECT_EQ(config.at("data"), "fashion-mnist");
  EXPECT_EQ(config.at("seed"), 1);
  EXPECT_EQ(config.label(), "conv5_s1");
  EXPECT_FALSE(config.values().contains("teacher.model"));
}

/// Two ways to write what is, or is not, the same experiment.
struct Pair {
  const char* what;
  FieldValues one;
  FieldValues other;
  bool same;
};

class Identity : public ::testing::TestWithParam<Pair> {};

TEST_P(Identity, IsThatOfTheExperiment) {
  const auto one = Config::from(GetParam().one);
  const auto other = Config::from(GetParam().other);
  EXPECT_EQ(one.config_id() == other.config_id(), GetParam().same) << GetParam().what;
  EXPECT_EQ(one == other, GetParam().same) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(
    Pairs, Identity,
    ::testing::Values(
        Pair{"defaults may be written out", {}, {{"seed", 1}, {"student.cut", "none"}}, true},
        Pair{"seeds differ", {{"seed", 1}}, {{"seed", 2}}, false},
        Pair{"alpha 1 makes T inert",
             {{"distill.alpha", 1.0}, {"distill.T", 2.0}},
             {{"distill.alpha", 1.0}, {"distill.T", 9.0}},
             true},
        Pair{"alpha 1 is a plain student", {{"distill.alpha", 1.0}}, {}, true},
        Pair{"alpha 1 with a beta of its own is not",
             {{"distill.alpha", 1.0}, {"distill.beta", 1.0}},
             {},
             false},
        Pair{"1-alpha is a number",
             {{"distill.alpha", 0.25}, {"distill.beta", "1-alpha"}},
             {{"distill.alpha", 0.25}, {"distill.beta", 0.75}},
             true},
        Pair{"T 1 makes T^2 inert",
             {{"distill.T", 1.0}, {"distill.t_squared", true}},
             {{"distill.T", 1.0}, {"distill.t_squared", false}},
             true},
        Pair{"T 2 does not",
             {{"distill.T", 2.0}, {"distill.t_squared", true}},
             {{"distill.T", 2.0}, {"distill.t_squared", false}},
             false},
        Pair{"a file makes the family inert",
             {{"student.from", "a.onnx"}, {"student.model", "resnet8"}, {"student.cut", 4}},
             {{"student.from", "a.onnx"}, {"student.fewer_filters_pct", 30}},
             true},
        Pair{"a family has no head to keep and nothing frozen",
             {{"student.head", "keep"}, {"student.freeze", "all-but-head"}},
             {},
             true},
        Pair{"a file has",
             {{"student.from", "a.onnx"}, {"student.head", "keep"}},
             {{"student.from", "a.onnx"}},
             false},
        Pair{"a plain student has no teacher", {{"teacher.seed", 7}}, {}, true},
        Pair{"a distilled one has",
             {{"distill.T", 4.0}, {"teacher.seed", 7}},
             {{"distill.T", 4.0}},
             false},
        Pair{"the teacher's epochs follow train.epochs",
             {{"distill.T", 4.0}, {"train.epochs", 9}},
             {{"distill.T", 4.0}, {"train.epochs", 9}, {"teacher.epochs", 9}},
             true}));

TEST(Config, GroupLeavesTheSeedOut) {
  const auto one = Config::from({{"seed", 1}});
  const auto two = Config::from({{"seed", 2}});
  EXPECT_EQ(one.group_id(), two.group_id());
  EXPECT_NE(one.group_id(), Config::from({{"student.cut", 4}}).group_id());
}

TEST(Config, LabelsSayWhatMatters) {
  EXPECT_EQ(Config::from({{"student.cut", 4},
                          {"student.fewer_filters_pct", 30},
                          {"distill.alpha", 0.5},
                          {"distill.T", 14.0}})
                .label(),
            "cut4-width30_a0.5_T14_s1");
  EXPECT_EQ(Config::from({{"student.fewer_filters_pct", 50}, {"seed", 3}}).label(), "width50_s3");
  EXPECT_EQ(Config::from({{"train.epochs", 77}}).label(), "conv5_e77_s1");
  EXPECT_EQ(Config::from({{"student.model", "resnet8"}}).label(), "resnet8_s1");
  EXPECT_EQ(Config::from({{"student.model", "conv3"}, {"student.fewer_filters_pct", 70}}).label(),
            "conv3-width70_s1");
  EXPECT_EQ(Config::from({{"teacher.model", "resnet18"}, {"distill.T", 4.0}}).label(),
            "conv5_teacher-resnet18_a0.5_T4_s1");
  EXPECT_EQ(Config::from({{"seed", 123456789}}).label(), "conv5_s123456789");
  EXPECT_EQ(Config::from({{"data", "mnist"}}).label(), "conv5_on-mnist_s1");
  // A label names a folder: a path in it may not be one.
  EXPECT_EQ(Config::from({{"data", "../sets/my eyes.json"}}).label(),
            "conv5_on-..+sets+my-eyes_s1");
}

TEST(Config, LabelOfAFileBeginsWithItsName) {
  EXPECT_EQ(Config::from({{"student.from", "../nets/my resnet18.onnx"}}).label(), "my-resnet18_s1");
  EXPECT_EQ(Config::from({{"student.from", "a.pt"},
                          {"student.head", "keep"},
                          {"student.freeze", {"conv1", "conv2"}},
                          {"seed", 3}})
                .label(),
            "a.pt_head-keep_fz-conv1+conv2_s3");
}

TEST(Config, LabelsOfNamesFromOutsideNameAFolder) {
  EXPECT_EQ(
      Config::from({{"prune.sparsity", 0.5}, {"prune.layers", {"/layer1/../conv\n1"}}}).label(),
      "conv5_p0.5_pl-+layer1+..+conv-1_s1");
  EXPECT_EQ(Config::from({{"distill.hints", {{"a/b", "c d"}}}}).label(),
            "conv5_a0.5_T4_hintsa+b-c-d_s1");
  Json many = Json::array();
  for (int i = 0; i < 100; ++i)
    many.push_back(fmt::format("/layer4/conv{}/Conv", i));
  const auto config = Config::from({{"prune.sparsity", 0.5}, {"prune.layers", many}});
  EXPECT_EQ(config.label().size(), 160U);
  EXPECT_TRUE(config.label().starts_with("conv5_p0.5_pl-+layer4+conv0+Conv++layer4"));
  EXPECT_TRUE(config.label().ends_with("_" + config.config_id().substr(0, 8)));
  many.push_back("last");
  const auto other = Config::from({{"prune.sparsity", 0.5}, {"prune.layers", many}});
  EXPECT_NE(config.label(), other.label());
}

TEST(Config, TeacherOfAStudentFromAFileIsAFamily) {
  const auto config = Config::from(
      {{"student.from", "a.onnx"}, {"student.freeze", "all-but-head"}, {"distill.T", 4.0}});
  EXPECT_EQ(config.source(), "a.onnx");
  EXPECT_EQ(config.teacher(), Config::from({}));
  EXPECT_FALSE(config.teacher().source());
  EXPECT_EQ(config.uncompressed(), config);
}

TEST(Config, LabelsTellEveryTwoExperimentsApart) {
  const FieldValues distilled{{"distill.T", 4.0}};
  for (const auto& field : config_fields()) {
    if (field.words.size() < 2 && field.type == FieldType::text) continue;
    auto other = distilled;
    for (const Json& value : std::vector<Json>{
             field.words.empty() ? Json(field.high) : field.words.back(), true, false, field.low}) {
      const auto normal = normalize_value(field, value);
      if (!normal || *normal == field.fallback) continue;
      other[field.path] = *normal;
      const auto changed = Config::from(other);
      if (changed == Config::from(distilled)) continue;
      EXPECT_NE(changed.label(), Config::from(distilled).label()) << field.path << " " << *normal;
    }
  }
}

TEST(Config, KnowsItsTeacherAndItsPlainTwin) {
  const auto config = Config::from({{"student.cut", 5},
                                    {"distill.T", 4.0},
                                    {"teacher.seed", 9},
                                    {"teacher.epochs", 6},
                                    {"seed", 2}});
  const auto teacher = config.teacher();
  EXPECT_EQ(teacher, Config::from({{"seed", 9}, {"train.epochs", 6}}));
  EXPECT_EQ(config.plain(), Config::from({{"student.cut", 5}, {"seed", 2}}));
}

}  // namespace
}  // namespace assay

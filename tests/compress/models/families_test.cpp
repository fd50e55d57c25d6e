// What holds for every family, and what the table refuses.
#include <gmock/gmock.h>

#include <algorithm>

#include "compress/models/model_spec.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A family on its usual input.
struct Usual {
  const char* family;
  LayerShape input;
  int classes;
  std::vector<int> widths;  ///< besides 0, in per cent of fewer filters
};

const std::vector<int> small_widths{10, 30, 50, 70};

const std::vector<Usual> usual = {
    {"conv3", {3, 32, 32}, 10, small_widths},
    {"conv5", {1, 28, 28}, 10, small_widths},
    {"lenet-300-100", {1, 28, 28}, 10, small_widths},
    {"lenet5", {1, 28, 28}, 10, small_widths},
    {"resnet8", {3, 32, 32}, 10, {}},
    {"ds-cnn", {1, 49, 10}, 12, small_widths},
    {"mcunet-vww0", {3, 64, 64}, 2, {}},
    {"mobilenet-v1-025", {3, 96, 96}, 2, {}},
    {"mobilenet-v2", {3, 224, 224}, 1000, {}},
    {"resnet18", {3, 224, 224}, 1000, {}},
    {"resnet50", {3, 224, 224}, 1000, {}},
    {"densenet121", {3, 224, 224}, 1000, {}},
    {"se-preact-resnet101", {3, 224, 224}, 1000, {}},
};

Result<ModelSpec> build(const Usual& row, int fewer_filters_pct = 0) {
  const auto [channels, height, width] = row.input;
  return build_model({row.family, 0, fewer_filters_pct}, channels, height, width, row.classes);
}

TEST(Families, AreTheseTwelve) {
  std::vector<std::string> names;
  for (const Usual& row : usual)
    names.emplace_back(row.family);
  EXPECT_EQ(known_model_families(), names);
}

TEST(Families, TogetherHaveTheseWidths) {
  EXPECT_THAT(known_fewer_filters_pct(), ElementsAre(0, 10, 30, 50, 70));
}

class EveryFamily : public ::testing::TestWithParam<Usual> {};

// Stages name modules and values after layers, which leaves letters, digits and underscores.
TEST_P(EveryFamily, NamesEveryLayerOnceInPlainWords) {
  const auto spec = build(GetParam());
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->name, GetParam().family);
  std::vector<std::string> names;
  for (const LayerSpec& layer : spec->layers) {
    names.push_back(layer.name);
    EXPECT_EQ(layer.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"),
              std::string::npos)
        << layer.name;
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST_P(EveryFamily, UsesEveryLayer) {
  const auto spec = build(GetParam());
  ASSERT_TRUE(spec) << spec.error().message;
  std::vector<bool> read(spec->layers.size(), false);
  for (const LayerSpec& layer : spec->layers)
    for (int input : layer.inputs)
      if (input >= 0) read[std::size_t(input)] = true;
  for (std::size_t i = 0; i + 1 < read.size(); ++i)
    EXPECT_TRUE(read[i]) << spec->layers[i].name;
}

TEST_P(EveryFamily, ShrinksWithEveryWidthItHas) {
  auto spec = build(GetParam());
  ASSERT_TRUE(spec) << spec.error().message;
  std::uint64_t parameters = count_parameters(*spec).value();
  Macs macs = count_macs(*spec).value();
  for (int fewer : GetParam().widths) {
    spec = build(GetParam(), fewer);
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(spec->name, GetParam().family + ("-width" + std::to_string(fewer)));
    EXPECT_LT(count_parameters(*spec).value(), parameters) << fewer;
    EXPECT_LT(count_macs(*spec).value(), macs) << fewer;
    parameters = count_parameters(*spec).value();
    macs = count_macs(*spec).value();
  }
}

TEST_P(EveryFamily, RefusesEveryOtherWidth) {
  for (int fewer = 1; fewer <= 100; ++fewer) {
    const auto& widths = GetParam().widths;
    if (std::find(widths.begin(), widths.end(), fewer) != widths.end()) continue;
    EXPECT_FALSE(build(GetParam(), fewer)) << fewer;
  }
}

TEST_P(EveryFamily, BuildsForOtherChannelsAndClasses) {
  Usual other = GetParam();
  other.input.channels = 2;
  other.classes = 7;
  const auto spec = build(other);
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(infer_shapes(*spec).value().back().channels, 7);
}

INSTANTIATE_TEST_SUITE_P(All, EveryFamily, ::testing::ValuesIn(usual), [](const auto& row) {
  std::string name = row.param.family;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(BuildModel, WorksForOtherImages) {
  const auto spec = build_model({"conv5", 4, 50}, 3, 32, 48, 4);
  ASSERT_TRUE(spec) << spec.error().message;
  const auto shapes = infer_shapes(*spec);
  ASSERT_TRUE(shapes);
  EXPECT_EQ(shapes->back().channels, 4);
  EXPECT_EQ((*shapes)[shapes->size() - 2].channels, 16 * 4 * 6);
}

struct BadChoice {
  const char* family;
  int cut;
  int fewer_filters_pct;
  int side;
  const char* message;
};

TEST(BuildModel, RefusesWhatAFamilyDoesNotHave) {
  const BadChoice table[] = {
      {"conv6", 0, 0, 28, "unknown model family 'conv6'; known: conv3, conv5, lenet-300-100"},
      {"conv5", 3, 0, 28, "no cut 3; it has 0 (whole), 4, 5"},
      {"conv5", -1, 0, 28, "no cut -1"},
      {"resnet8", 4, 0, 32, "no cut 4; it has 0 (whole) only"},
      {"conv5", 0, 20, 28, "20 % fewer filters; it has 0, 10, 30, 50, 70"},
      {"conv5", 0, 100, 28, "100 % fewer filters"},
      {"resnet18", 0, 50, 32, "50 % fewer filters; it has 0 only"},
      {"conv5", 0, 0, 7, "'pool3': its 2 x 2 window does not fit an input of 1 x 1"},
      {"conv5", 0, 0, 0, "1 x 0 x 0 is not an image"},
      {"lenet5", 0, 0, 11, "'conv2': its 5 x 5 window does not fit an input of 3 x 3"},
      {"lenet-300-100", 0, 0, 257, "'flatten': its input is too large"},
      {"ds-cnn", 0, 0, 1, "'pool': kernel 0 x 0"},
      {"densenet121", 0, 0, 7, "'transition3_pool': its 2 x 2 window does not fit"},
  };
  for (const BadChoice& bad : table) {
    const auto spec =
        build_model({bad.family, bad.cut, bad.fewer_filters_pct}, 1, bad.side, bad.side, 10);
    ASSERT_FALSE(spec) << bad.message;
    EXPECT_EQ(spec.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(spec.error().message, HasSubstr(bad.message));
  }
}

}  // namespace
}  // namespace assay

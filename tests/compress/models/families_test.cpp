#include "compress/models/families.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The teacher and its eleven students on 28 x 28 images of ten classes. By hand, with f1..f5 the
/// filters and f0 = 1: parameters are the sum of (9 f(i-1) + 1) f(i), MACs the sum of
/// 9 f(i-1) f(i) times 784, 196, 49, 49, 49 output positions; the head has 9 f(last) weights for
/// each class.
struct Variant {
  const char* name;
  int cut;
  int fewer_filters_pct;
  std::vector<int> filters;
  std::uint64_t parameters;
  std::uint64_t macs;
};

const std::vector<Variant> variants = {
    {"conv5", 0, 0, {16, 32, 32, 48, 64}, 61402, 3505536},
    {"conv5-cut5", 5, 0, {16, 32, 32, 48}, 32250, 2149344},
    {"conv5-cut4", 4, 0, {16, 32, 32}, 16938, 1470528},
    {"conv5-width10", 0, 10, {14, 28, 28, 44, 58}, 50168, 2809980},
    {"conv5-cut5-width10", 5, 10, {14, 28, 28, 44}, 25882, 1683288},
    {"conv5-cut4-width10", 4, 10, {14, 28, 28}, 13310, 1138536},
    {"conv5-width30", 0, 30, {12, 22, 22, 34, 44}, 31140, 1757376},
    {"conv5-cut5-width30", 5, 30, {12, 22, 22, 34}, 16732, 1096740},
    {"conv5-cut4-width30", 4, 30, {12, 22, 22}, 8886, 765792},
    {"conv5-width50", 0, 50, {8, 16, 16, 24, 32}, 16882, 906048},
    {"conv5-cut5-width50", 5, 50, {8, 16, 16, 24}, 9218, 566640},
    {"conv5-cut4-width50", 4, 50, {8, 16, 16}, 5018, 396576},
};

ModelSpec build(const Variant& variant) {
  auto spec = build_model({"conv5", variant.cut, variant.fewer_filters_pct}, 1, 28, 28, 10);
  EXPECT_TRUE(spec) << spec.error().message;
  return spec ? *spec : ModelSpec{};
}

class Conv5 : public ::testing::TestWithParam<Variant> {};

TEST_P(Conv5, HasTheStatedFiltersAndSize) {
  const ModelSpec spec = build(GetParam());
  EXPECT_EQ(spec.name, GetParam().name);
  std::vector<int> filters;
  for (const LayerSpec& layer : spec.layers)
    if (layer.op == LayerOp::convolution) filters.push_back(layer.out_channels);
  EXPECT_EQ(filters, GetParam().filters);
  EXPECT_EQ(count_parameters(spec).value(), GetParam().parameters);
  EXPECT_EQ(count_macs(spec).value(), Macs(GetParam().macs));
}

TEST_P(Conv5, EndsInTheSameHead) {
  const ModelSpec spec = build(GetParam());
  const auto shapes = infer_shapes(spec);
  ASSERT_TRUE(shapes) << shapes.error().message;
  ASSERT_GE(shapes->size(), 3u);
  const LayerShape& pooled = (*shapes)[shapes->size() - 3];
  EXPECT_EQ(pooled.height, 3);
  EXPECT_EQ(pooled.width, 3);
  EXPECT_EQ(spec.layers.back().name, "dense");
  EXPECT_EQ(shapes->back().channels, 10);
}

TEST_P(Conv5, NamesEveryLayerOnce) {
  std::vector<std::string> names;
  for (const LayerSpec& layer : build(GetParam()).layers)
    names.push_back(layer.name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

INSTANTIATE_TEST_SUITE_P(All, Conv5, ::testing::ValuesIn(variants), [](const auto& variant) {
  std::string name = variant.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Conv5Teacher, ReadsTopDown) {
  std::vector<std::string> names;
  for (const LayerSpec& layer : build(variants.front()).layers)
    names.push_back(layer.name);
  EXPECT_THAT(names,
              ElementsAre("conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "conv3", "relu3",
                          "conv4", "relu4", "conv5", "relu5", "pool3", "flatten", "dense"));
}

TEST(Conv5Teacher, StaysWithinSixMillionMacs) {
  EXPECT_LE(count_macs(build(variants.front())).value(), Macs(6'000'000));
}

TEST(ScaledFilters, AreTheNearestEvenNumber) {
  for (int filters = 2; filters <= 128; ++filters)
    for (int fewer : {0, 10, 30, 50}) {
      const double exact = filters * (100 - fewer) / 100.0;
      const int scaled = scaled_filters(filters, fewer);
      EXPECT_EQ(scaled % 2, 0) << filters << " less " << fewer << " %";
      EXPECT_LE(std::abs(scaled - std::max(exact, 2.0)), 1.0)
          << filters << " less " << fewer << " %";
    }
  EXPECT_EQ(scaled_filters(1, 50), 2);   // never none
  EXPECT_EQ(scaled_filters(10, 50), 6);  // a tie goes up
}

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
      {"conv6", 0, 0, 28, "unknown model family 'conv6'; known: conv5"},
      {"conv5", 3, 0, 28, "no cut 3; it has 0 (whole), 4, 5"},
      {"conv5", -1, 0, 28, "no cut -1"},
      {"conv5", 0, 20, 28, "20 % fewer filters; it has 0, 10, 30, 50"},
      {"conv5", 0, 100, 28, "100 % fewer filters"},
      {"conv5", 0, 0, 7, "'pool3': its 2 x 2 window does not fit an input of 1 x 1"},
      {"conv5", 0, 0, 0, "1 x 0 x 0 is not an image"},
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

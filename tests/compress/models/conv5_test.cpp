#include <gmock/gmock.h>

#include <algorithm>

#include "compress/models/model_spec.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;

/// The teacher and its students on 28 x 28 images of ten classes. By hand, with f1..f5 the
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
    {"conv5-width70", 0, 70, {4, 10, 10, 14, 20}, 6944, 329904},
    {"conv5-cut5-width70", 5, 70, {4, 10, 10, 14}, 3864, 205884},
    {"conv5-cut4-width70", 4, 70, {4, 10, 10}, 2230, 143784},
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

}  // namespace
}  // namespace assay

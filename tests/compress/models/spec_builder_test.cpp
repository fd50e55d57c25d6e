#include "compress/models/spec_builder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace assay {
namespace {

ModelSpec image(int height, int width) {
  return {.name = "net", .channels = 2, .height = height, .width = width, .layers = {}};
}

TEST(ScaledFilters, AreTheNearestEvenNumber) {
  for (int filters = 2; filters <= 128; ++filters)
    for (int fewer : {0, 10, 30, 50, 70}) {
      const double exact = filters * (100 - fewer) / 100.0;
      const int scaled = scaled_filters(filters, fewer);
      EXPECT_EQ(scaled % 2, 0) << filters << " less " << fewer << " %";
      EXPECT_LE(std::abs(scaled - std::max(exact, 2.0)), 1.0)
          << filters << " less " << fewer << " %";
    }
  EXPECT_EQ(scaled_filters(1, 50), 2);   // never none
  EXPECT_EQ(scaled_filters(10, 50), 6);  // a tie goes up
}

struct PaddingCase {
  PaddingRule rule;
  int height, width;
  KernelExtent kernel;
  int stride;
  Padding padding;
};

// SAME by hand, from the description in TensorFlow's manual (tf.nn): of 96 rows a stride of 2 makes
// 48 outputs, which need 47 * 2 + 3 = 97 rows; the one too few is below. The 10x4 window on 49 x 10
// needs 24 * 2 + 10 - 49 = 9 rows (4 above, 5 below) and 4 * 2 + 4 - 10 = 2 columns.
TEST(SpecBuilder, PadsByItsRule) {
  const PaddingCase table[] = {
      {PaddingRule::none, 8, 8, 5, 1, 0},
      {PaddingRule::half, 8, 8, 1, 1, 0},
      {PaddingRule::half, 8, 8, 2, 2, 0},
      {PaddingRule::half, 8, 8, 3, 2, 1},
      {PaddingRule::half, 8, 8, 7, 2, 3},
      {PaddingRule::half, 8, 8, {3, 5}, 1, {1, 2, 1, 2}},
      {PaddingRule::same, 8, 8, 3, 1, 1},
      {PaddingRule::same, 8, 8, 1, 2, 0},
      {PaddingRule::same, 96, 96, 3, 2, {0, 0, 1, 1}},
      {PaddingRule::same, 97, 96, 3, 2, {1, 0, 1, 1}},
      {PaddingRule::same, 49, 10, {10, 4}, 2, {4, 1, 5, 1}},
  };
  for (const PaddingCase& row : table) {
    ModelSpec spec = image(row.height, row.width);
    SpecBuilder net(spec, row.rule);
    net.conv("conv", 4, row.kernel, row.stride);
    net.from(-1).depthwise("depthwise", row.kernel, row.stride);
    net.from(-1).max_pool("pool", row.kernel, row.stride);
    for (const LayerSpec& layer : spec.layers)
      EXPECT_EQ(layer.padding, row.padding)
          << layer.name << ", kernel " << row.kernel.height << " x " << row.kernel.width
          << ", stride " << row.stride;
  }
}

// The definition: SAME has ceil(extent / stride) outputs, whatever the window.
TEST(SpecBuilder, SameKeepsTheExtentDividedByTheStride) {
  for (int extent = 1; extent <= 33; ++extent)
    for (int kernel = 1; kernel <= 7; ++kernel)
      for (int stride = 1; stride <= 3; ++stride) {
        ModelSpec spec = image(extent, 7);
        SpecBuilder net(spec, PaddingRule::same);
        net.conv("conv", 1, kernel, stride);
        EXPECT_EQ(net.shape().height, int(std::ceil(double(extent) / stride)))
            << extent << ", kernel " << kernel << ", stride " << stride;
      }
}

TEST(SpecBuilder, NeverPadsAnAveragePool) {
  ModelSpec spec = image(25, 5);
  SpecBuilder net(spec, PaddingRule::same);
  net.average_pool("pool", {24, 5}, 24);
  EXPECT_EQ(spec.layers[0].padding, Padding(0));
  EXPECT_EQ(net.shape().height, 1);
  EXPECT_EQ(net.shape().width, 1);
}

TEST(SpecBuilder, ChainsUnlessToldOtherwise) {
  ModelSpec spec = image(4, 4);
  SpecBuilder net(spec);
  EXPECT_EQ(net.current(), -1);
  net.conv("a", 2, 3, 1, Offset::none);
  net.apply("b", LayerOp::relu);
  net.from(0).apply("c", LayerOp::sigmoid);
  net.join("d", LayerOp::add, 1, net.current());
  net.from(-1).conv("e", 2, 3, 1, Offset::bias);
  const std::vector<std::vector<int>> inputs{{-1}, {0}, {0}, {1, 2}, {-1}};
  ASSERT_EQ(spec.layers.size(), inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    EXPECT_EQ(spec.layers[i].inputs, inputs[i]) << spec.layers[i].name;
  EXPECT_FALSE(spec.layers[0].bias);
  EXPECT_FALSE(spec.layers[0].batch_norm);
  EXPECT_TRUE(spec.layers[4].bias);
  EXPECT_FALSE(spec.layers[4].batch_norm);
}

TEST(SpecBuilder, GoesOnBehindALayerThatDoesNotFit) {
  ModelSpec spec = image(2, 2);
  SpecBuilder net(spec, PaddingRule::none);
  net.conv("wide", 2, 3);
  EXPECT_EQ(net.shape().channels, 0);
  net.conv("next", 2, 3);
  const auto shapes = infer_shapes(spec);
  ASSERT_FALSE(shapes);
  EXPECT_NE(shapes.error().message.find("'wide'"), std::string::npos) << shapes.error().message;
}

TEST(LargeImages, BeginAt64PixelsASide) {
  EXPECT_FALSE(has_large_images(image(63, 224)));
  EXPECT_FALSE(has_large_images(image(224, 63)));
  EXPECT_TRUE(has_large_images(image(64, 64)));
}

}  // namespace
}  // namespace assay

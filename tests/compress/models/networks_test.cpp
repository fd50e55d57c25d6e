// Structure that sizes alone do not show.
#include <gmock/gmock.h>

#include <algorithm>

#include "compress/models/model_spec.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;

ModelSpec build(const char* family, int channels, int height, int width, int classes) {
  auto spec = build_model({family, 0, 0}, channels, height, width, classes);
  EXPECT_TRUE(spec) << spec.error().message;
  return spec ? *spec : ModelSpec{};
}

int count(const ModelSpec& spec, LayerOp op) {
  return int(std::count_if(spec.layers.begin(), spec.layers.end(),
                           [&](const LayerSpec& layer) { return layer.op == op; }));
}

/// Outputs of every layer with that operator.
std::vector<LayerShape> shapes_of(const ModelSpec& spec, LayerOp op) {
  const auto shapes = infer_shapes(spec).value();
  std::vector<LayerShape> found;
  for (std::size_t i = 0; i < shapes.size(); ++i)
    if (spec.layers[i].op == op) found.push_back(shapes[i]);
  return found;
}

/// Rows and columns of what the global average pool sees.
std::pair<int, int> last_positions(const ModelSpec& spec) {
  const auto shapes = infer_shapes(spec).value();
  for (const LayerSpec& layer : spec.layers)
    if (layer.name == "pool")
      return {shapes[std::size_t(layer.inputs[0])].height,
              shapes[std::size_t(layer.inputs[0])].width};
  return {};
}

// ImageNet forms halve the image five times; the CIFAR-10 forms three times.
TEST(Networks, SkipTwoHalvingsOfSmallImages) {
  for (const char* family :
       {"mobilenet-v2", "resnet18", "resnet50", "densenet121", "se-preact-resnet101"}) {
    EXPECT_EQ(last_positions(build(family, 3, 32, 32, 10)), std::pair(4, 4)) << family;
    EXPECT_EQ(last_positions(build(family, 3, 224, 224, 10)), std::pair(7, 7)) << family;
    EXPECT_EQ(last_positions(build(family, 3, 64, 96, 10)), std::pair(2, 3)) << family;
    const ModelSpec small = build(family, 3, 32, 32, 10);
    EXPECT_EQ(small.layers[0].kernel, KernelExtent(3)) << family;
    EXPECT_EQ(small.layers[0].stride, 1) << family;
    EXPECT_EQ(count(small, LayerOp::max_pool), 0) << family;
  }
}

TEST(DsCnn, HalvesFramesAndCoefficientsOnce) {
  const ModelSpec spec = build("ds-cnn", 1, 49, 10, 12);
  for (const LayerShape& shape : shapes_of(spec, LayerOp::depthwise)) {
    EXPECT_EQ(shape.height, 25);
    EXPECT_EQ(shape.width, 5);
  }
  EXPECT_EQ(count(spec, LayerOp::depthwise), 4);
}

// Caffe's pools round up: 32, 16, 8, 4. In Caffe's order of operators.
TEST(Conv3, PoolsToFourByFour) {
  const ModelSpec spec = build("conv3", 3, 32, 32, 10);
  std::vector<std::string> names;
  for (const LayerSpec& layer : spec.layers)
    names.push_back(layer.name);
  EXPECT_THAT(names, ElementsAre("conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "conv3",
                                 "relu3", "pool3", "flatten", "dense"));
  std::vector<int> sides;
  for (const LayerShape& shape : shapes_of(spec, LayerOp::max_pool))
    sides.push_back(shape.height);
  EXPECT_THAT(sides, ElementsAre(16, 8, 4));
}

// Table 1 of the paper with growth rate 32: blocks of 6, 12, 24 and 16 layers on 64, 128, 256 and
// 512 channels, and 58 + 3 + 1 normalizations that stay layers of their own.
TEST(Densenet121, GrowsBy32ChannelsALayer) {
  const ModelSpec spec = build("densenet121", 3, 224, 224, 1000);
  std::vector<int> expected;
  int start = 64;
  for (int layers : {6, 12, 24, 16}) {
    for (int i = 1; i <= layers; ++i)
      expected.push_back(start + 32 * i);
    start = (start + 32 * layers) / 2;
  }
  std::vector<int> channels;
  for (const LayerShape& shape : shapes_of(spec, LayerOp::concat))
    channels.push_back(shape.channels);
  EXPECT_EQ(channels, expected);
  EXPECT_EQ(count(spec, LayerOp::batch_norm), 62);
}

// Tables 2 of MobileNetV2: 17 blocks, of which 10 repeat their shape and so have a shortcut.
TEST(MobilenetV2, HasSeventeenBlocksAndTenShortcuts) {
  const ModelSpec spec = build("mobilenet-v2", 3, 224, 224, 1000);
  EXPECT_EQ(count(spec, LayerOp::depthwise), 17);
  EXPECT_EQ(count(spec, LayerOp::add), 10);
  EXPECT_EQ(count(spec, LayerOp::relu), 0);
}

TEST(SePreactResnet101, ExcitesEveryBlockAndEndsNormalized) {
  const ModelSpec spec = build("se-preact-resnet101", 3, 32, 32, 10);
  EXPECT_EQ(count(spec, LayerOp::multiply), 33);
  EXPECT_EQ(count(spec, LayerOp::add), 33);
  EXPECT_EQ(count(spec, LayerOp::batch_norm), 34);
  for (const LayerSpec& layer : spec.layers)
    if (layer.op == LayerOp::multiply) {
      EXPECT_EQ(spec.layers[std::size_t(layer.inputs[0])].op, LayerOp::convolution) << layer.name;
      EXPECT_EQ(spec.layers[std::size_t(layer.inputs[1])].op, LayerOp::sigmoid) << layer.name;
    }
}

// Four stages of residual blocks: the first of each later stage projects its shortcut, and with
// bottlenecks the very first block too, because it widens 64 channels to 256.
TEST(Resnets, ProjectShortcutsWhereShapesChange) {
  const auto projections = [](const char* family) {
    std::vector<std::string> names;
    for (const LayerSpec& layer : build(family, 3, 224, 224, 1000).layers)
      if (layer.name.ends_with("shortcut")) names.push_back(layer.name);
    return names;
  };
  EXPECT_THAT(
      projections("resnet18"),
      ElementsAre("stage2_block1_shortcut", "stage3_block1_shortcut", "stage4_block1_shortcut"));
  EXPECT_THAT(projections("resnet50"),
              ElementsAre("stage1_block1_shortcut", "stage2_block1_shortcut",
                          "stage3_block1_shortcut", "stage4_block1_shortcut"));
}

}  // namespace
}  // namespace assay

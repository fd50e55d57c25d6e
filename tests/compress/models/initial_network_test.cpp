// The network that training starts from: its nodes, and the statistics of its weights.
#include "compress/models/initial_network.hpp"

#include <gmock/gmock.h>

#include <cmath>

namespace assay {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Integers = std::vector<std::int64_t>;

const InputMeaning two_planes{"two-planes", {{0.25F, 0.5F}, {0.125F, 1.0F}}};

LayerSpec layer(const char* name, LayerOp op, std::vector<int> inputs, int out_channels = 0,
                int kernel = 1, int stride = 1, int padding = 0, bool batch_norm = false) {
  return {name, op, std::move(inputs), out_channels, kernel, stride, padding, batch_norm};
}

/// Every operator of the vocabulary; batch normalization behind a convolution and a depthwise one.
ModelSpec every_operator() {
  ModelSpec spec{"every-operator", 2, 12, 12, 5, {}};
  spec.layers = {layer("conv", LayerOp::convolution, {-1}, 6, 3, 1, 1, true),
                 layer("relu", LayerOp::relu, {0}),
                 layer("dw", LayerOp::depthwise, {1}, 0, 3, 1, 1, true),
                 layer("clip", LayerOp::relu6, {2}),
                 layer("add", LayerOp::add, {3, 1}),
                 layer("max", LayerOp::max_pool, {4}, 0, 2, 2),
                 layer("mean", LayerOp::average_pool, {5}, 0, 3, 1, 1),
                 layer("plain", LayerOp::convolution, {6}, 4, 3, 2, 1),
                 layer("global", LayerOp::global_average_pool, {7}),
                 layer("flat", LayerOp::flatten, {8}),
                 layer("head", LayerOp::dense, {9}, 5)};
  return spec;
}

onnx::Model built(const ModelSpec& spec, std::optional<std::uint64_t> seed) {
  const auto model = initial_network(spec, seed, two_planes);
  EXPECT_TRUE(model) << model.error().message;
  return model.value_or(onnx::Model{});
}

TEST(InitialNetwork, WritesOneNodePerLayer) {
  const onnx::Model model = built(every_operator(), 1);
  EXPECT_EQ(model.opset, 17);
  EXPECT_EQ(model.graph_name, "every-operator");
  ASSERT_EQ(model.inputs.size(), 1U);
  EXPECT_EQ(model.inputs[0].name, "input");
  EXPECT_THAT(model.inputs[0].shape, ElementsAre(-1, 2, 12, 12));
  ASSERT_EQ(model.outputs.size(), 1U);
  EXPECT_EQ(model.outputs[0].name, "logits");
  EXPECT_THAT(model.outputs[0].shape, ElementsAre(-1, 5));
  const struct {
    const char* name;
    const char* op_type;
    std::vector<std::string> inputs;
    const char* output;
  } expected[] = {
      {"conv", "Conv", {"input", "conv.weight"}, "conv.raw"},
      {"conv.norm",
       "BatchNormalization",
       {"conv.raw", "conv.norm.gamma", "conv.norm.beta", "conv.norm.mean", "conv.norm.variance"},
       "conv.output"},
      {"relu", "Relu", {"conv.output"}, "relu.output"},
      {"dw", "Conv", {"relu.output", "dw.weight"}, "dw.raw"},
      {"dw.norm",
       "BatchNormalization",
       {"dw.raw", "dw.norm.gamma", "dw.norm.beta", "dw.norm.mean", "dw.norm.variance"},
       "dw.output"},
      {"clip", "Clip", {"dw.output", "clip.min", "clip.max"}, "clip.output"},
      {"add", "Add", {"clip.output", "relu.output"}, "add.output"},
      {"max", "MaxPool", {"add.output"}, "max.output"},
      {"mean", "AveragePool", {"max.output"}, "mean.output"},
      {"plain", "Conv", {"mean.output", "plain.weight", "plain.bias"}, "plain.output"},
      {"global", "GlobalAveragePool", {"plain.output"}, "global.output"},
      {"flat", "Flatten", {"global.output"}, "flat.output"},
      {"head", "Gemm", {"flat.output", "head.weight", "head.bias"}, "logits"},
  };
  ASSERT_EQ(model.nodes.size(), std::size(expected));
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    EXPECT_EQ(model.nodes[i].name, expected[i].name);
    EXPECT_EQ(model.nodes[i].op_type, expected[i].op_type);
    EXPECT_EQ(model.nodes[i].inputs, expected[i].inputs);
    EXPECT_THAT(model.nodes[i].outputs, ElementsAre(expected[i].output));
  }
}

TEST(InitialNetwork, WritesWindowsShapesAndBounds) {
  const onnx::Model model = built(every_operator(), 1);
  const onnx::Node& depthwise = model.nodes[3];
  EXPECT_EQ(depthwise.integer("group", 0), 6);
  EXPECT_THAT(depthwise.integers("kernel_shape", {}), ElementsAre(3, 3));
  EXPECT_THAT(depthwise.integers("strides", {}), ElementsAre(1, 1));
  EXPECT_THAT(depthwise.integers("pads", {}), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(model.nodes[9].integers("strides", {}), ElementsAre(2, 2));
  EXPECT_EQ(model.nodes[12].integer("transB", 0), 1);
  EXPECT_EQ(model.initializer("conv.weight")->shape, (Integers{6, 2, 3, 3}));
  EXPECT_EQ(model.initializer("dw.weight")->shape, (Integers{6, 1, 3, 3}));
  EXPECT_EQ(model.initializer("head.weight")->shape, (Integers{5, 4}));
  EXPECT_EQ(model.initializer("clip.min")->as<float>()[0], 0);
  EXPECT_EQ(model.initializer("clip.max")->as<float>()[0], 6);
  EXPECT_THAT(model.initializer("plain.bias")->as<float>(), ElementsAre(0, 0, 0, 0));
  for (const std::string name : {"gamma", "variance"})
    EXPECT_THAT(model.initializer("dw.norm." + name)->as<float>(), Each(1));
  for (const std::string name : {"beta", "mean"})
    EXPECT_THAT(model.initializer("dw.norm." + name)->as<float>(), Each(0));
}

TEST(InitialNetwork, SurvivesTheFileAndKeepsItsMeaning) {
  const onnx::Model model = built(every_operator(), 1);
  const std::string bytes = onnx::serialize_model(model);
  const auto read = onnx::parse_model(std::as_bytes(std::span(bytes)), "tiny.onnx");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, model);
  EXPECT_EQ(onnx::serialize_model(*read), bytes);
  const auto meaning = read_input_meaning(*read, "tiny.onnx");
  ASSERT_TRUE(meaning) << meaning.error().message;
  EXPECT_EQ(meaning->dataset, "two-planes");
  EXPECT_EQ(meaning->normalization.deviation, two_planes.normalization.deviation);
}

TEST(InitialNetwork, SeedDecidesTheWeights) {
  const ModelSpec spec = every_operator();
  const onnx::Model first = built(spec, 1);
  EXPECT_EQ(onnx::serialize_model(first), onnx::serialize_model(built(spec, 1)));
  const onnx::Model other = built(spec, 2);
  for (const char* name : {"conv.weight", "dw.weight", "plain.weight", "head.weight"})
    EXPECT_NE(first.initializer(name)->data, other.initializer(name)->data) << name;
}

TEST(InitialNetwork, WithoutASeedEveryWeightIsZero) {
  const onnx::Model model = built(every_operator(), std::nullopt);
  for (const char* name : {"conv.weight", "dw.weight", "plain.weight", "head.weight"})
    EXPECT_THAT(model.initializer(name)->as<float>(), Each(0)) << name;
}

TEST(InitialNetwork, DrawsWeightsWithTheDeviationOfHe) {
  ModelSpec spec{"wide", 64, 8, 8, 50, {}};
  spec.layers = {layer("conv", LayerOp::convolution, {-1}, 128, 3, 1, 1),
                 layer("dw", LayerOp::depthwise, {0}, 0, 7, 1, 3),
                 layer("flat", LayerOp::flatten, {1}), layer("head", LayerOp::dense, {2}, 50)};
  const onnx::Model model = built(spec, 3);
  const struct {
    const char* name;
    double deviation;
  } cases[] = {{"conv.weight", std::sqrt(2.0 / (128 * 9))},  // fan-out: filters times window
               {"dw.weight", std::sqrt(2.0 / 49)},           // one filter reads each channel
               {"head.weight", 1 / std::sqrt(128.0 * 64)}};
  for (const auto& test : cases) {
    const auto values = model.initializer(test.name)->as<float>();
    const auto n = double(values.size());
    double mean = 0;
    double square = 0;
    double within = 0;
    for (const float value : values) {
      mean += value / n;
      square += double(value) * value / n;
      within += std::abs(value) < test.deviation ? 1 / n : 0;
    }
    // Five standard errors of the mean, of the deviation, and of the share within one deviation,
    // which for a normal distribution is 68.27 %.
    EXPECT_NEAR(mean, 0, 5 * test.deviation / std::sqrt(n)) << test.name;
    EXPECT_NEAR(std::sqrt(square), test.deviation, 5 * test.deviation / std::sqrt(2 * n))
        << test.name;
    EXPECT_NEAR(within, 0.6827, 5 * std::sqrt(0.6827 * 0.3173 / n)) << test.name;
  }
}

TEST(InitialNetwork, DrawsNoNumberTwice) {
  const onnx::Model model = built(every_operator(), 1);
  std::vector<float> all;
  for (const char* name : {"conv.weight", "dw.weight", "plain.weight", "head.weight"}) {
    const auto values = model.initializer(name)->as<float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
}

TEST(InitialNetwork, RefusesLayersThatDoNotFit) {
  ModelSpec spec = every_operator();
  spec.layers[0].kernel = 99;
  const auto model = initial_network(spec, 1, two_planes);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(model.error().message, HasSubstr("conv"));
}

}  // namespace
}  // namespace assay

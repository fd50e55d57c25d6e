// The exported, batch-norm-folded ONNX model computes what the trained module computes.
#include "compress/train/network.hpp"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include "compress/train/export.hpp"
#include "compress/train/interpreter.hpp"

namespace assay {
namespace {

LayerSpec layer(const char* name, LayerOp op, std::vector<int> inputs, int out_channels = 0,
                int kernel = 1, int stride = 1, int padding = 0) {
  return {name, op, std::move(inputs), out_channels, kernel, stride, padding, false};
}

/// Every operator of the vocabulary once: a residual block with a depthwise convolution, all pools.
ModelSpec every_operator() {
  ModelSpec spec{"every-operator", 2, 12, 12, 5, {}};
  spec.layers = {layer("conv", LayerOp::convolution, {-1}, 6, 3, 1, 1),
                 layer("relu", LayerOp::relu, {0}),
                 layer("dw", LayerOp::depthwise, {1}, 0, 3, 1, 1),
                 layer("clip", LayerOp::relu6, {2}),
                 layer("add", LayerOp::add, {3, 1}),
                 layer("max", LayerOp::max_pool, {4}, 0, 2, 2),
                 layer("mean", LayerOp::average_pool, {5}, 0, 3, 1, 1),
                 layer("plain", LayerOp::convolution, {6}, 4, 1),
                 layer("global", LayerOp::global_average_pool, {7}),
                 layer("flat", LayerOp::flatten, {8}),
                 layer("head", LayerOp::dense, {9}, 5)};
  spec.layers[0].batch_norm = spec.layers[2].batch_norm = true;
  return spec;
}

/// A network whose batch statistics differ from their initial values.
Network warmed_up(const ModelSpec& spec) {
  torch::manual_seed(3);
  Network network(spec, *infer_shapes(spec));
  network.train();
  for (int step = 0; step < 5; ++step)
    network.forward(torch::randn({16, spec.channels, spec.height, spec.width}) * 2 + 0.5);
  network.eval();
  return network;
}

void expect_export_agrees(const ModelSpec& spec) {
  const torch::NoGradGuard no_gradients;
  Network network = warmed_up(spec);
  std::vector<LayerParameters> folded;
  for (const LayerParameters& parameters : network.layer_parameters())
    folded.push_back(parameters.shape.empty() ? parameters : fold_batch_norm(parameters));
  const std::vector<float> zeros(std::size_t(spec.channels), 0);
  const std::vector<float> ones(std::size_t(spec.channels), 1);
  const onnx::Model model = export_float(spec, folded, {"none", {zeros, ones}});
  const auto interpreter = Interpreter::create(model, spec.name);
  ASSERT_TRUE(interpreter) << interpreter.error().message;

  const int images = 7;
  const torch::Tensor input = torch::randn({images, spec.channels, spec.height, spec.width});
  const auto output =
      interpreter->run({input.data_ptr<float>(), std::size_t(input.numel())}, images);
  ASSERT_TRUE(output) << output.error().message;
  const torch::Tensor expected = network.forward(input).contiguous();
  ASSERT_EQ(std::int64_t(output->size()), expected.numel());
  // Folding reorders float32 sums of a few hundred terms.
  const double tolerance = 1e-4 * std::max(1.0F, expected.abs().max().item<float>());
  for (std::size_t i = 0; i < output->size(); ++i)
    EXPECT_NEAR((*output)[i], expected.data_ptr<float>()[i], tolerance) << i;
}

TEST(Network, ExportsEveryOperator) {
  expect_export_agrees(every_operator());
}

TEST(Network, ExportsTheConv5Family) {
  for (const ModelChoice& choice :
       {ModelChoice{"conv5", 0, 0}, ModelChoice{"conv5", 5, 10}, ModelChoice{"conv5", 4, 50}})
    expect_export_agrees(*build_model(choice, 1, 28, 28, 10));
}

TEST(Network, SeedDecidesTheInitialWeights) {
  const ModelSpec spec = every_operator();
  const auto weights = [&](std::uint64_t seed) {
    torch::manual_seed(seed);
    return Network(spec, *infer_shapes(spec)).layer_parameters()[0].weights;
  };
  EXPECT_EQ(weights(1), weights(1));
  EXPECT_NE(weights(1), weights(2));
}

}  // namespace
}  // namespace assay

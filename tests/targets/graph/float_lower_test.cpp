// Structure of lowered float networks: what is fused, what is stored in which form, what is
// refused.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "targets/graph/lower.hpp"
#include "tests/targets/graph/float_form.hpp"

namespace assay::test {
namespace {

using onnx::ElementType;
using onnx::Tensor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const ConvOptions plain{.outputs = 4};

onnx::Model network(FloatForm form, bool as_matmul = false) {
  QdqBuilder b(7, 2, 6, 6);
  const auto x = b.max_pool(b.conv(b.input(), plain, "Relu"), 2, 2);
  return in_float(b.finish(b.dense(b.flatten(x), 3, as_matmul, "Clip")), form);
}

std::vector<IntegerOp> operators(const IntegerGraph& graph) {
  std::vector<IntegerOp> ops;
  for (const IntegerLayer& layer : graph.layers)
    ops.push_back(layer.op);
  return ops;
}

std::string refusal(const onnx::Model& model) {
  const auto graph = lower(model);
  return graph ? "" : graph.error().message;
}

TEST(LowerFloat, FusesActivationsAndBiases) {
  for (const bool as_matmul : {false, true}) {
    const auto graph = lower(network(FloatForm::float32, as_matmul));
    ASSERT_TRUE(graph) << graph.error().message;
    EXPECT_THAT(operators(*graph),
                ElementsAre(IntegerOp::convolution, IntegerOp::max_pool, IntegerOp::dense));
    EXPECT_THAT(graph->notices, IsEmpty());
    EXPECT_EQ(arithmetic_of(*graph), "float32");
    const FloatParameters& conv = graph->layers[0].real;
    EXPECT_EQ(conv.clamp_min, 0.0f);
    EXPECT_TRUE(std::isinf(conv.clamp_max));
    const FloatParameters& dense = graph->layers[2].real;
    EXPECT_EQ(dense.clamp_max, 6.0f);
    EXPECT_NE(dense.bias[0], 0.0f);
    EXPECT_EQ(graph->tensors.back().bytes(), 12);
  }
}

TEST(LowerFloat, KeepsTheFormOfTheWeights) {
  const auto float32 = lower(network(FloatForm::float32));
  const auto float16 = lower(network(FloatForm::float16));
  const auto dynamic = lower(network(FloatForm::dynamic));
  ASSERT_TRUE(float32 && float16 && dynamic);
  EXPECT_FALSE(float32->layers[0].real.half);
  EXPECT_EQ(float32->layers[0].real.weights.size(), 4u * 9 * 2);
  EXPECT_THAT(float32->layers[0].real.scale, IsEmpty());
  EXPECT_TRUE(float16->layers[0].real.half);
  EXPECT_THAT(dynamic->layers[0].real.weights, IsEmpty());
  EXPECT_EQ(dynamic->layers[0].weights.size(), 4u * 9 * 2);
  EXPECT_EQ(dynamic->layers[0].real.scale.size(), 4u);
  // [out][kh][kw][in]: the second input channel of output 0's first position is NCHW element 9.
  const auto model = network(FloatForm::float32);
  const auto weights = model.initializers.at("conv0_w").as<float>();
  EXPECT_EQ(float32->layers[0].real.weights[1], weights[9]);
}

/// A value that two nodes read is computed once.
TEST(LowerFloat, ComputesWhatIsReadTwiceOnce) {
  QdqBuilder b(9, 2, 4, 4);
  const auto x = b.conv(b.input(), plain);
  const auto y = b.add(x, b.conv(x, plain, "Relu"), "Relu");
  auto model = in_float(b.finish(b.dense(b.flatten(y), 3)), FloatForm::float32);
  const auto graph = lower(model);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_THAT(operators(*graph), ElementsAre(IntegerOp::convolution, IntegerOp::convolution,
                                             IntegerOp::add, IntegerOp::dense));
  // The output before its ReLU is read as well: the ReLU is a pass of its own.
  onnx::Node& second = model.nodes.emplace_back(model.nodes.back());
  second = {"twice", "Relu", "", {"conv0"}, {"conv0_relu"}, {}};
  const auto split = lower(model);
  ASSERT_TRUE(split) << split.error().message;
  EXPECT_EQ(split->layers.back().op, IntegerOp::average_pool);
  EXPECT_EQ(split->layers.back().real.scale, std::vector<float>{1});
  EXPECT_THAT(split->notices, ElementsAre(HasSubstr("costs a pass of its own")));
}

TEST(LowerFloat, RefusesWhatHasNoKernel) {
  const struct {
    void (*spoil)(onnx::Model&);
    const char* words;
  } rows[] = {
      {[](onnx::Model& model) { model.initializers.erase("conv0_w"); }, "are not a constant"},
      {[](onnx::Model& model) {
         const std::vector<float> weights(4 * 2 * 9, std::numeric_limits<float>::quiet_NaN());
         model.initializers["conv0_w"] = Tensor::of("conv0_w", ElementType::float32, {4, 2, 3, 3},
                                                    std::span<const float>(weights));
       },
       "not finite"},
      {[](onnx::Model& model) {
         model.nodes.push_back({"gate", "HardSigmoid", "", {"logits"}, {"gated"}, {}});
         model.nodes.back().attributes["alpha"] = std::numeric_limits<float>::infinity();
       },
       "its alpha or its beta is not a finite number"},
      {[](onnx::Model& model) { model.nodes.front().op_type = "ConvTranspose"; }, "ConvTranspose"},
      {[](onnx::Model& model) {
         model.inputs.front().shape = {8, 2, 6, 6};
       },
       "one image of [1, channels, height, width]"},
      {[](onnx::Model& model) {
         model.nodes.back().op_type = "Add";
         model.nodes.back().inputs.push_back("conv0_b");
       },
       "is not the network's input or a layer's output"},
  };
  for (const auto& row : rows) {
    onnx::Model model = network(FloatForm::float32);
    row.spoil(model);
    EXPECT_THAT(refusal(model), HasSubstr(row.words));
  }
}

TEST(LowerFloat, RefusesActivationsThatAreQuantizedHereAndThere) {
  QdqBuilder b(11, 2, 4, 4);
  onnx::Model model = b.finish(b.dense(b.flatten(b.conv(b.input(), plain)), 3));
  for (onnx::Node& node : model.nodes)  // the dense layer reads past the quantization before it
    if (node.op_type == "Flatten") node.inputs[0] = "conv0";
  EXPECT_THAT(refusal(model), HasSubstr("put QuantizeLinear and DequantizeLinear between layers"));
}

}  // namespace
}  // namespace assay::test

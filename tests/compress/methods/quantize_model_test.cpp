// The QDQ form of a float model: where the pairs stand, what the constants become, what is refused.
#include "compress/methods/quantize_model.hpp"

#include <gmock/gmock.h>

#include "tests/compress/methods/float_models.hpp"

namespace assay {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing_models::conv_pool_dense;
using testing_models::Integers;
using testing_models::ModelBuilder;

const onnx::Node* producer(const onnx::Model& model, const std::string& tensor) {
  for (const onnx::Node& node : model.nodes)
    if (node.outputs[0] == tensor) return &node;
  return nullptr;
}

const Ranges ranges{{"x", {-1.28F, 1.27F}}, {"relu", {0, 5.1F}}, {"y", {-2, 3}}};

TEST(QuantizeModel, ObservesInputsAndOperatorsAfterTheirActivation) {
  const auto tensors = activations_to_observe(conv_pool_dense());
  ASSERT_TRUE(tensors) << tensors.error().message;
  EXPECT_THAT(*tensors, ElementsAre("relu", "x", "y"));
}

TEST(QuantizeModel, PutsAPairAfterTheInputAndEveryOperator) {
  const auto quantized = quantize_model(conv_pool_dense(), ranges);
  ASSERT_TRUE(quantized) << quantized.error().message;
  std::vector<std::string> operators;
  for (const onnx::Node& node : quantized->model.nodes)
    operators.push_back(node.op_type);
  const std::string q = "QuantizeLinear";
  const std::string dq = "DequantizeLinear";
  EXPECT_THAT(operators, ElementsAre(q, dq, dq, dq, "Conv", "Relu", q, dq, "MaxPool", q, dq,
                                     "Flatten", q, dq, dq, dq, "Gemm", q, dq));
  EXPECT_EQ(producer(quantized->model, "conv.raw")->inputs[0], "x.dequantized");
  EXPECT_EQ(producer(quantized->model, "relu.raw")->inputs[0], "conv.raw");
  EXPECT_EQ(producer(quantized->model, "y")->op_type, dq);
}

TEST(QuantizeModel, StartsAReluAtMinus128AndKeepsScalesThroughPools) {
  const onnx::Model model = quantize_model(conv_pool_dense(), ranges)->model;
  for (const char* tensor : {"relu", "pool", "flat"}) {
    EXPECT_EQ(model.initializer(std::string(tensor) + ".zero_point")->as<std::int8_t>()[0], -128);
    EXPECT_FLOAT_EQ(model.initializer(std::string(tensor) + ".scale")->as<float>()[0], 0.02F);
  }
  EXPECT_EQ(model.initializer("x.zero_point")->as<std::int8_t>()[0], 0);
}

TEST(QuantizeModel, QuantizesWeightsPerOutputChannelAndBiasesAtTheAccumulatorsScale) {
  const onnx::Model model = quantize_model(conv_pool_dense(), ranges)->model;
  for (const char* name : {"conv.weight", "y.weight"}) {
    const onnx::Tensor& weights = *model.initializer(std::string(name) + ".quantized");
    EXPECT_EQ(weights.type, onnx::ElementType::int8);
    EXPECT_EQ(model.initializer(std::string(name) + ".scale")->shape, Integers{2});
    EXPECT_THAT(model.initializer(std::string(name) + ".zero_point")->as<std::int8_t>(), Each(0));
    EXPECT_EQ(producer(model, name)->integer("axis", -1), 0);
  }
  EXPECT_THAT(model.initializer("conv.weight.quantized")->shape, ElementsAre(2, 1, 3, 3));
  const onnx::Tensor& bias = *model.initializer("conv.bias.quantized");
  EXPECT_EQ(bias.type, onnx::ElementType::int32);
  const auto scales = model.initializer("conv.bias.scale")->as<float>();
  const float input_scale = model.initializer("x.scale")->as<float>()[0];
  const auto weight_scales = model.initializer("conv.weight.scale")->as<float>();
  for (std::size_t c = 0; c < 2; ++c)
    EXPECT_EQ(scales[c], input_scale * weight_scales[c]);
  EXPECT_NEAR(bias.as<std::int32_t>()[0] * scales[0], 0.5, scales[0]);
}

TEST(QuantizeModel, IsAValidFileWithTheSameBytesEachTime) {
  const std::string bytes = onnx::serialize_model(quantize_model(conv_pool_dense(), ranges)->model);
  EXPECT_EQ(onnx::serialize_model(quantize_model(conv_pool_dense(), ranges)->model), bytes);
  const auto read = onnx::parse_model(std::as_bytes(std::span(bytes)), "quantized.onnx");
  EXPECT_TRUE(read) << read.error().message;
}

TEST(QuantizeModel, TellsOfRaisedChannels) {
  onnx::Model model = conv_pool_dense();
  std::vector<float> weights(18, 1.0F);
  std::fill(weights.begin() + 9, weights.end(), 1e-4F);
  model.initializers["w"] =
      onnx::Tensor::of<float>("w", onnx::ElementType::float32, {2, 1, 3, 3}, weights);
  const auto quantized = quantize_model(model, ranges);
  ASSERT_EQ(quantized->report["notices"].size(), 1U);
  EXPECT_THAT(quantized->report["notices"][0].get<std::string>(), HasSubstr("conv: "));
  EXPECT_EQ(quantized->report["weights"]["conv"]["raised_channels"], 1);
}

TEST(QuantizeModel, AddsKeepTheirOwnScale) {
  const onnx::Model model = ModelBuilder(1, 2, 2)
                                .constant("w", {1, 1, 1, 1}, {1})
                                .node("Conv", {"x", "w"}, "a", {{"kernel_shape", Integers{1, 1}}})
                                .node("Add", {"a", "x"}, "sum")
                                .node("Relu", {"sum"}, "relu")
                                .node("Flatten", {"relu"}, "y")
                                .build();
  const auto tensors = activations_to_observe(model);
  ASSERT_TRUE(tensors) << tensors.error().message;
  EXPECT_THAT(*tensors, ElementsAre("a", "relu", "x"));
  const auto quantized = quantize_model(model, {{"a", {-1, 1}}, {"x", {-2, 2}}, {"relu", {0, 3}}});
  ASSERT_TRUE(quantized) << quantized.error().message;
  EXPECT_THAT(producer(quantized->model, "sum.raw")->inputs, ElementsAre("a", "x.dequantized"));
}

TEST(QuantizeModel, RefusesByNodeName) {
  const struct {
    onnx::Model model;
    const char* expected;
  } cases[] = {
      {ModelBuilder(1, 2, 2).node("Elu", {"x"}, "y").build(), "'y' (Elu)"},
      {ModelBuilder(1, 2, 2).node("BatchNormalization", {"x"}, "y").build(), "fold batch"},
      {ModelBuilder(1, 2, 2).constant("k", {1}, {1}).node("Mul", {"x", "k"}, "y").build(),
       "input 1 is not an activation"},
      {ModelBuilder(1, 2, 2).constant("k", {1}, {1}).node("Concat", {"x", "x", "k"}, "y").build(),
       "input 2 is not an activation"},
      {ModelBuilder(1, 2, 2).node("Sigmoid", {"x"}, "s").node("Relu", {"s"}, "y").build(),
       "the only reader"},
      {ModelBuilder(1, 2, 2).node("Relu", {"x"}, "y").build(), "the only reader"},
      {ModelBuilder(1, 2, 2).node("Conv", {"x", "x"}, "y").build(), "must be a float32 constant"},
      {ModelBuilder(1, 2, 2)
           .constant("w", {1, 4}, {1, 2, 3, 4})
           .node("Flatten", {"x"}, "flat")
           .node("Gemm", {"flat", "w"}, "y")
           .build(),
       "transB = 1"},
      {ModelBuilder(1, 2, 2)
           .constant("w", {2, 1, 1, 1}, {1, 2})
           .constant("b", {1}, {1})
           .node("Conv", {"x", "w", "b"}, "y")
           .build(),
       "one per output channel"},
      {ModelBuilder(1, 2, 2)
           .constant("w", {1, 1, 1, 1}, {1})
           .constant("low", {}, {-1})
           .node("Conv", {"x", "w"}, "a")
           .node("Clip", {"a", "low"}, "y")
           .build(),
       "lower bound"},
      {ModelBuilder(1, 2, 2).constant("k", {1}, {1}).node("Add", {"x", "k"}, "y").build(),
       "input 1 is not an activation"},
  };
  for (const auto& test : cases) {
    const auto quantized = quantize_model(test.model, ranges);
    ASSERT_FALSE(quantized) << test.expected;
    EXPECT_EQ(quantized.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(quantized.error().message, HasSubstr(test.expected));
  }
}

TEST(QuantizeModel, NeedsEveryRange) {
  const auto quantized = quantize_model(conv_pool_dense(), {{"x", {-1, 1}}, {"y", {-1, 1}}});
  ASSERT_FALSE(quantized);
  EXPECT_THAT(quantized.error().message, HasSubstr("'relu'"));
}

}  // namespace
}  // namespace assay

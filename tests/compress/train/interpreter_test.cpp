// Operators of the interpreter against values worked out by hand, and its refusals.
#include "compress/train/interpreter.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "compress/methods/quantize_model.hpp"
#include "tests/compress/methods/float_models.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using testing_models::conv_pool_dense;
using testing_models::Integers;
using testing_models::ModelBuilder;
using testing_models::squeeze_and_excite;

const std::vector<float> three_by_three{1, 2, 3, 4, 5, 6, 7, 8, 9};

struct OperatorCase {
  const char* name;
  onnx::Model model;
  std::vector<float> input;
  std::vector<float> expected;
};

class Operators : public ::testing::TestWithParam<OperatorCase> {};

TEST_P(Operators, GiveTheValuesOfTheSpecification) {
  const OperatorCase& test = GetParam();
  const auto interpreter = Interpreter::create(test.model, test.name);
  ASSERT_TRUE(interpreter) << interpreter.error().message;
  const auto output = interpreter->run(test.input, 1);
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_THAT(*output, ElementsAreArray(test.expected));
}

INSTANTIATE_TEST_SUITE_P(
    Interpreter, Operators,
    ::testing::Values(
        OperatorCase{"ConvPaddedOnOneSide",
                     ModelBuilder(1, 3, 3)
                         .constant("w", {1, 1, 2, 2}, {1, 10, 100, 1000})
                         .node("Conv", {"x", "w"}, "y",
                               {{"pads", Integers{0, 0, 1, 1}}, {"strides", Integers{2, 2}}})
                         .build(),
                     three_by_three,
                     {5421, 603, 87, 9}},
        OperatorCase{"DepthwiseConvWithBias",
                     ModelBuilder(2, 1, 2)
                         .constant("w", {2, 1, 1, 1}, {2, -1})
                         .constant("b", {2}, {0.5F, 1})
                         .node("Conv", {"x", "w", "b"}, "y", {{"group", std::int64_t{2}}})
                         .build(),
                     {1, 2, 3, 4},
                     {2.5F, 4.5F, -2, -3}},
        OperatorCase{"GemmWithoutTransposition",
                     ModelBuilder(1, 1, 2)
                         .constant("w", {2, 3}, {1, 2, 3, 4, 5, 6})
                         .constant("b", {3}, {10, 20, 30})
                         .node("Flatten", {"x"}, "flat")
                         .node("Gemm", {"flat", "w", "b"}, "y", {{"beta", 0.5F}})
                         .build(),
                     {1, 2},
                     {14, 22, 30}},
        OperatorCase{"MaxPoolPaddedOnOneSide",
                     ModelBuilder(1, 3, 3)
                         .node("MaxPool", {"x"}, "y",
                               {{"kernel_shape", Integers{2, 2}},
                                {"strides", Integers{2, 2}},
                                {"pads", Integers{1, 1, 0, 0}}})
                         .build(),
                     {-1, -2, -3, -4, -5, -6, -7, -8, -9},
                     {-1, -2, -4, -5}},
        OperatorCase{"AveragePoolLeavesPaddingOut",
                     ModelBuilder(1, 3, 3)
                         .node("AveragePool", {"x"}, "y",
                               {{"kernel_shape", Integers{3, 3}},
                                {"strides", Integers{2, 2}},
                                {"pads", Integers{1, 1, 1, 1}}})
                         .build(),
                     three_by_three,
                     {3, 4, 6, 7}},
        OperatorCase{"GlobalAveragePool",
                     ModelBuilder(1, 3, 3).node("GlobalAveragePool", {"x"}, "y").build(),
                     three_by_three,
                     {5}},
        OperatorCase{"Clip",
                     ModelBuilder(1, 1, 3)
                         .constant("low", {}, {0})
                         .constant("high", {}, {6})
                         .node("Clip", {"x", "low", "high"}, "y")
                         .build(),
                     {-1, 3, 7},
                     {0, 3, 6}},
        OperatorCase{"Reshape",
                     ModelBuilder(1, 2, 2)
                         .constant<std::int64_t>("shape", onnx::ElementType::int64, {2}, {0, -1})
                         .node("Reshape", {"x", "shape"}, "y")
                         .build(),
                     {1, 2, 3, 4},
                     {1, 2, 3, 4}},
        OperatorCase{"QuantizeRoundsHalfToEvenAndSaturates",
                     ModelBuilder(1, 1, 5)
                         .constant("s", {}, {0.5F})
                         .constant<std::int8_t>("z", onnx::ElementType::int8, {}, {10})
                         .node("QuantizeLinear", {"x", "s", "z"}, "q")
                         .node("DequantizeLinear", {"q", "s", "z"}, "y")
                         .build(),
                     {0.25F, 0.75F, -0.25F, 1000, -1000},
                     {0, 1, 0, 58.5F, -69}},
        OperatorCase{"QuantizeUnsigned",
                     ModelBuilder(1, 1, 3)
                         .constant("s", {}, {1})
                         .constant<std::uint8_t>("z", onnx::ElementType::uint8, {}, {128})
                         .node("QuantizeLinear", {"x", "s", "z"}, "q")
                         .node("DequantizeLinear", {"q", "s", "z"}, "y")
                         .build(),
                     {-500, 3, 500},
                     {-128, 3, 127}},
        OperatorCase{"QuantizeToSixteenBits",
                     ModelBuilder(1, 1, 4)
                         .constant("s", {}, {0.5F})
                         .constant<std::int16_t>("z", onnx::ElementType::int16, {}, {0})
                         .node("QuantizeLinear", {"x", "s", "z"}, "q", {}, "com.microsoft")
                         .node("DequantizeLinear", {"q", "s", "z"}, "y", {}, "com.microsoft")
                         .build(),
                     {0.75F, -200.25F, 1e6F, -1e6F},
                     {1, -200, 16383.5F, -16384}},
        OperatorCase{"BatchNormalization",
                     ModelBuilder(2, 1, 2)
                         .constant("scale", {2}, {2, -1})
                         .constant("offset", {2}, {0.5F, 1})
                         .constant("mean", {2}, {1, 3})
                         .constant("variance", {2}, {3, 0})
                         .node("BatchNormalization", {"x", "scale", "offset", "mean", "variance"},
                               "y", {{"epsilon", 1.0F}})
                         .build(),
                     {1, 3, 3, 5},
                     {0.5F, 2.5F, 1, -1}},
        OperatorCase{"ConcatOfChannels",
                     ModelBuilder(2, 1, 1)
                         .node("Concat", {"x", "x"}, "y", {{"axis", std::int64_t{1}}})
                         .build(),
                     {1, 2},
                     {1, 2, 1, 2}},
        OperatorCase{"MulBroadcastsOverHeightAndWidth",
                     ModelBuilder(2, 1, 2)
                         .node("GlobalAveragePool", {"x"}, "mean")
                         .node("Mul", {"x", "mean"}, "y")
                         .build(),
                     {1, 3, -2, -4},
                     {2, 6, 6, 12}},
        OperatorCase{"Sigmoid",
                     ModelBuilder(1, 1, 3).node("Sigmoid", {"x"}, "y").build(),
                     {0, 100, -200},
                     {0.5F, 1, 0}},
        OperatorCase{
            "HardSigmoid",
            ModelBuilder(1, 1, 4).node("HardSigmoid", {"x"}, "y", {{"alpha", 0.25F}}).build(),
            {0, 1, 5, -5},
            {0.5F, 0.75F, 1, 0}},
        OperatorCase{"Softmax",
                     ModelBuilder(2, 1, 1)
                         .node("Flatten", {"x"}, "flat")
                         .node("Softmax", {"flat"}, "y")
                         .build(),
                     {7, 7},
                     {0.5F, 0.5F}},
        OperatorCase{"CastsRoundToFloat16AndBack",
                     ModelBuilder(1, 1, 3)
                         .node("Cast", {"x"}, "half", {{"to", std::int64_t{10}}})
                         .node("Cast", {"half"}, "y", {{"to", std::int64_t{1}}})
                         .build(),
                     {1, 2049, 2051},
                     {1, 2048, 2052}},
        OperatorCase{
            "CastOfAConstant",
            ModelBuilder(1, 1, 1)
                .constant<std::uint16_t>("h", onnx::ElementType::float16, {1, 1, 1, 1}, {0xc100})
                .node("Cast", {"h"}, "w", {{"to", std::int64_t{1}}})
                .node("Conv", {"x", "w"}, "y")
                .build(),
            {2},
            {-5}},
        OperatorCase{"IdentityAndDropout",
                     ModelBuilder(1, 1, 2)
                         .constant("ratio", {}, {0.5F})
                         .node("Identity", {"x"}, "same")
                         .node("Dropout", {"same", "ratio"}, "y")
                         .build(),
                     {1, -2},
                     {1, -2}},
        OperatorCase{"ReduceMeanByAttribute",
                     ModelBuilder(2, 1, 2)
                         .node("ReduceMean", {"x"}, "y",
                               {{"axes", Integers{-1, -2}}, {"keepdims", std::int64_t{0}}})
                         .build(),
                     {1, 3, -2, -4},
                     {2, -3}},
        OperatorCase{"ReduceMeanByInput",
                     ModelBuilder(1, 3, 3)
                         .constant<std::int64_t>("axes", onnx::ElementType::int64, {2}, {2, 3})
                         .node("ReduceMean", {"x", "axes"}, "y")
                         .build(),
                     three_by_three,
                     {5}},
        OperatorCase{
            "ConstantsDequantizePerChannel",
            ModelBuilder(1, 1, 1)
                .constant<std::int8_t>("q", onnx::ElementType::int8, {2, 1, 1, 1}, {-3, 5})
                .constant("s", {2}, {0.5F, 2})
                .constant<std::int8_t>("z", onnx::ElementType::int8, {2}, {0, 1})
                .node("DequantizeLinear", {"q", "s", "z"}, "w", {{"axis", std::int64_t{0}}})
                .node("Conv", {"x", "w"}, "y")
                .build(),
            {2},
            {-3, 16}}),
    [](const auto& test) { return test.param.name; });

TEST(Interpreter, ShowsEveryActivation) {
  const auto interpreter = Interpreter::create(conv_pool_dense(), "model");
  ASSERT_TRUE(interpreter) << interpreter.error().message;
  std::map<std::string, std::size_t> sizes;
  const std::vector<float> input(32, 0.5F);
  const auto output =
      interpreter->run(input, 2, [&](const std::string& name, std::span<const float> values, int) {
        sizes[name] = values.size();
      });
  ASSERT_TRUE(output) << output.error().message;
  const std::map<std::string, std::size_t> expected{{"x", 32},    {"conv", 64}, {"relu", 64},
                                                    {"pool", 16}, {"flat", 16}, {"y", 4}};
  EXPECT_EQ(sizes, expected);
}

struct SchemeCase {
  const char* name;
  QuantizeSettings settings;
  double tolerance;  ///< of a logit, as a part of the largest one
};

class Schemes : public ::testing::TestWithParam<SchemeCase> {};

TEST_P(Schemes, StayNearTheFloatModel) {
  for (const onnx::Model& model : {conv_pool_dense(), squeeze_and_excite()}) {
    const auto interpreter = Interpreter::create(model, "float");
    ASSERT_TRUE(interpreter) << interpreter.error().message;
    std::vector<float> input(64);
    for (std::size_t i = 0; i < input.size(); ++i)
      input[i] = float((i * 37) % 64) / 32 - 1;
    Ranges ranges;
    const auto expected = interpreter->run(
        input, 4, [&](const std::string& name, std::span<const float> values, int) {
          const auto [low, high] = std::minmax_element(values.begin(), values.end());
          ranges[name] = {*low, *high};
        });
    ASSERT_TRUE(expected);
    const auto quantized = quantize_model(model, ranges, GetParam().settings);
    ASSERT_TRUE(quantized) << quantized.error().message;
    const auto written = Interpreter::create(quantized->model, GetParam().name);
    ASSERT_TRUE(written) << written.error().message;
    const auto output = written->run(input, 4);
    ASSERT_TRUE(output) << output.error().message;
    const double largest = std::max(-ranges["y"].low, ranges["y"].high);
    for (std::size_t i = 0; i < output->size(); ++i)
      EXPECT_NEAR((*output)[i], (*expected)[i], GetParam().tolerance * largest) << i;
  }
}

// Int8 activations are off by half of 1/255 of their range, low-bit weights by half of 1/7 of
// theirs, float16 weights by 2^-11.
INSTANTIATE_TEST_SUITE_P(
    Interpreter, Schemes,
    ::testing::Values(SchemeCase{"None", {.scheme = Scheme::none}, 0}, SchemeCase{"Int8", {}, 0.02},
                      SchemeCase{"Int8ByTensor", {.weight_scales = WeightScales::tensor}, 0.03},
                      SchemeCase{"Dynamic", {.scheme = Scheme::dynamic}, 0.01},
                      SchemeCase{"Float16", {.scheme = Scheme::float16}, 0.001},
                      SchemeCase{"Int16Activations", {.scheme = Scheme::int16_activations}, 0.01},
                      SchemeCase{"Int4", {.weight_bits = 4}, 0.15},
                      SchemeCase{
                          "DynamicInt4", {.scheme = Scheme::dynamic, .weight_bits = 4}, 0.15}),
    [](const auto& test) { return test.param.name; });

TEST(Interpreter, Int16ActivationsAddNothingToTheErrorOfTheWeights) {
  const onnx::Model model = squeeze_and_excite();
  const std::vector<float> input{0.1F, 0.9F, -0.4F, 0.3F, 0.7F,  -0.2F, 0.5F, 0,
                                 0.8F, -1,   0.6F,  0.2F, -0.6F, 0.4F,  1,    -0.8F};
  Ranges ranges;
  const auto interpreter = Interpreter::create(model, "float");
  ASSERT_TRUE(interpreter);
  ASSERT_TRUE(
      interpreter->run(input, 1, [&](const std::string& name, std::span<const float> values, int) {
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        ranges[name] = {1.1F * *low, 1.1F * *high};  // nothing is clipped
      }));
  std::map<Scheme, std::vector<float>> logits;
  for (Scheme scheme : {Scheme::dynamic, Scheme::int16_activations}) {
    const auto quantized = quantize_model(model, ranges, {.scheme = scheme});
    ASSERT_TRUE(quantized) << quantized.error().message;
    const auto written = Interpreter::create(quantized->model, "quantized");
    ASSERT_TRUE(written) << written.error().message;
    const auto output = written->run(input, 1);
    ASSERT_TRUE(output) << output.error().message;
    logits[scheme] = *output;
  }
  // 16-bit steps are 1/32767 of a range; the same int8 weights act on both.
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(logits[Scheme::int16_activations][i], logits[Scheme::dynamic][i], 1e-3);
}

TEST(Interpreter, RefusesByNodeName) {
  const struct {
    onnx::Model model;
    const char* expected;
  } cases[] = {
      {ModelBuilder(1, 2, 2).node("Elu", {"x"}, "y").build(), "node 'y': operator Elu"},
      {ModelBuilder(1, 2, 2).node("Relu", {"x"}, "y", {}, "com.microsoft").build(),
       "node 'y': operator Relu"},
      {ModelBuilder(1, 2, 2).node("Cast", {"x"}, "y", {{"to", std::int64_t{6}}}).build(),
       "between float32 and float16"},
      {ModelBuilder(1, 2, 2).node("ReduceMean", {"x"}, "y", {{"axes", Integers{1}}}).build(),
       "axes 2 and 3"},
      {ModelBuilder(1, 2, 2).node("Softmax", {"x"}, "y").build(), "[images, classes]"},
      {ModelBuilder(1, 2, 2).node("Conv", {"x"}, "y").build(), "node 'y': operator Conv"},
      {ModelBuilder(1, 2, 2)
           .node("MaxPool", {"x"}, "y",
                 {{"kernel_shape", Integers{2, 2}}, {"auto_pad", std::string("SAME_UPPER")}})
           .build(),
       "auto_pad"},
      {ModelBuilder(1, 2, 2)
           .constant("w", {1, 3, 1, 1}, {1, 2, 3})
           .node("Conv", {"x", "w"}, "y")
           .build(),
       "node 'y' (Conv)"},
      {ModelBuilder(1, 2, 2).node("Flatten", {"x"}, "y", {{"axis", std::int64_t{2}}}).build(),
       "axis 1"},
  };
  for (const auto& test : cases) {
    const auto interpreter = Interpreter::create(test.model, "m.onnx");
    const std::vector<float> input(4, 1);
    const Status status = interpreter ? Status(interpreter->run(input, 1).map([](auto&&) {}))
                                      : tl::unexpected(interpreter.error());
    ASSERT_FALSE(status) << test.expected;
    EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(status.error().message, HasSubstr(test.expected));
  }
}

TEST(Interpreter, NeedsOneImageInput) {
  onnx::Model model = conv_pool_dense();
  model.inputs[0].shape = {-1, 16};
  const auto interpreter = Interpreter::create(model, "m.onnx");
  ASSERT_FALSE(interpreter);
  EXPECT_THAT(interpreter.error().message, HasSubstr("one image input"));
}

}  // namespace
}  // namespace assay

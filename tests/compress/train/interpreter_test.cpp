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

TEST(Interpreter, RunsTheQuantizedFormWithinItsSteps) {
  const onnx::Model model = conv_pool_dense();
  const auto interpreter = Interpreter::create(model, "float");
  ASSERT_TRUE(interpreter);
  std::vector<float> input(64);
  for (std::size_t i = 0; i < input.size(); ++i)
    input[i] = float((i * 37) % 64) / 32 - 1;
  Ranges ranges;
  const auto expected =
      interpreter->run(input, 4, [&](const std::string& name, std::span<const float> values, int) {
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        ranges[name] = {*low, *high};
      });
  ASSERT_TRUE(expected);
  const auto quantized = quantize_model(model, ranges);
  ASSERT_TRUE(quantized) << quantized.error().message;
  const auto integer = Interpreter::create(quantized->model, "int8");
  ASSERT_TRUE(integer) << integer.error().message;
  const auto output = integer->run(input, 4);
  ASSERT_TRUE(output) << output.error().message;
  // Eight inputs of at most 0.4 weight, each half a step of the largest activation off, and the
  // output's own step.
  const double step = ranges["relu"].high / 255 + (ranges["y"].high - ranges["y"].low) / 255;
  for (std::size_t i = 0; i < output->size(); ++i)
    EXPECT_NEAR((*output)[i], (*expected)[i], 3 * step) << i;
}

TEST(Interpreter, RefusesByNodeName) {
  const struct {
    onnx::Model model;
    const char* expected;
  } cases[] = {
      {ModelBuilder(1, 2, 2).node("Sigmoid", {"x"}, "y").build(), "node 'y': operator Sigmoid"},
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

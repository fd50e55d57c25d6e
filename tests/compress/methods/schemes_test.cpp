// Every quantization scheme: the form it writes, and what it keeps.
#include <gmock/gmock.h>

#include <filesystem>

#include "compress/methods/quantize_model.hpp"
#include "compress/onnx/packed_size.hpp"
#include "compress/onnx/weight_tensors.hpp"
#include "harness/core/process.hpp"
#include "tests/compress/methods/quantized_models.hpp"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using testing_models::conv_pool_dense;
using testing_models::ranges;
using testing_models::squeeze_and_excite;
using testing_models::with_integer_kernel;
using testing_models::with_kernel;

const Scheme all_schemes[] = {Scheme::none, Scheme::int8, Scheme::dynamic, Scheme::float16,
                              Scheme::int16_activations};
const Scheme integer_weights[] = {Scheme::int8, Scheme::dynamic, Scheme::int16_activations};

QuantizedModel quantize(const onnx::Model& model, const QuantizeSettings& settings,
                        const GivenScales& given = {}) {
  auto quantized = quantize_model(model, ranges, settings, given);
  EXPECT_TRUE(quantized) << quantized.error().message;
  return quantized ? *quantized : QuantizedModel{};
}

template <class T>
std::vector<T> values(const onnx::Model& model, const std::string& name) {
  const onnx::Tensor* tensor = model.initializer(name);
  EXPECT_TRUE(tensor) << name;
  if (!tensor) return {};
  return {tensor->as<T>().begin(), tensor->as<T>().end()};
}

const onnx::Node* producer(const onnx::Model& model, const std::string& tensor) {
  for (const onnx::Node& node : model.nodes)
    if (node.outputs[0] == tensor) return &node;
  return nullptr;
}

TEST(Schemes, AllPassOnnxsCheckerAndReadBack) {
  for (const onnx::Model& model : {conv_pool_dense(), squeeze_and_excite(), with_integer_kernel()})
    for (Scheme scheme : all_schemes) {
      const onnx::Model written = quantize(model, {.scheme = scheme}).model;
      const std::string bytes = onnx::serialize_model(written);
      const auto read = onnx::parse_model(std::as_bytes(std::span(bytes)), "written");
      ASSERT_TRUE(read) << to_string(scheme) << ": " << read.error().message;
      EXPECT_EQ(*read, written) << to_string(scheme);
      const auto path = std::filesystem::path(::testing::TempDir()) / "assay_scheme.onnx";
      ASSERT_TRUE(onnx::write_model(written, path));
      ProcessSpec check;
      check.arguments = {"/usr/bin/python3", CHECK_MODEL_SCRIPT, path.string()};
      const auto outcome = run_process(check);
      ASSERT_TRUE(outcome) << outcome.error().message;
      EXPECT_EQ(outcome->exit_code, 0) << to_string(scheme) << ": " << outcome->errors;
    }
}

TEST(Schemes, AreCheckedWithoutRanges) {
  for (const onnx::Model& model : {conv_pool_dense(), squeeze_and_excite(), with_integer_kernel()})
    for (Scheme scheme : all_schemes) {
      const Status checked = check_quantization(model, {.scheme = scheme});
      EXPECT_TRUE(checked) << to_string(scheme) << ": " << checked.error().message;
    }
}

TEST(Schemes, NoneKeepsTheModel) {
  const QuantizedModel kept = quantize(squeeze_and_excite(), {.scheme = Scheme::none});
  EXPECT_EQ(kept.model, squeeze_and_excite());
  EXPECT_THAT(kept.report["notices"], IsEmpty());
}

TEST(Schemes, DynamicKeepsOperatorsAndBiasesInFloat) {
  const onnx::Model model = quantize(conv_pool_dense(), {.scheme = Scheme::dynamic}).model;
  std::vector<std::string> operators;
  for (const onnx::Node& node : model.nodes)
    operators.push_back(node.op_type);
  EXPECT_THAT(operators, ElementsAre("DequantizeLinear", "Conv", "Relu", "MaxPool", "Flatten",
                                     "DequantizeLinear", "Gemm"));
  EXPECT_THAT(producer(model, "conv")->inputs, ElementsAre("x", "conv.weight", "b"));
  EXPECT_EQ(*model.initializer("b"), *conv_pool_dense().initializer("b"));
  EXPECT_FALSE(model.initializer("w"));
  // The kernel is 0.1 * (i - 8): the first channel's largest magnitude is 0.8, the second's 0.9.
  const auto scales = values<float>(model, "conv.weight.scale");
  EXPECT_FLOAT_EQ(scales[0], 0.8F / 127);
  EXPECT_FLOAT_EQ(scales[1], 0.9F / 127);
  EXPECT_EQ(values<std::int8_t>(model, "conv.weight.quantized")[17], 127);
  const auto observed = activations_to_observe(conv_pool_dense(), {.scheme = Scheme::dynamic});
  ASSERT_TRUE(observed);
  EXPECT_THAT(*observed, IsEmpty());
}

TEST(Schemes, DynamicNeedsNoBoundOnTheRatioOfScales) {
  std::vector<float> weights(18, 1.0F);
  std::fill(weights.begin() + 9, weights.end(), 1e-4F);
  weights[9] = 1e-5F;
  const QuantizedModel bounded = quantize(with_kernel(weights), {.scheme = Scheme::int8});
  EXPECT_EQ(bounded.report["weights"]["conv"]["raised_channels"], 1);
  const QuantizedModel free = quantize(with_kernel(weights), {.scheme = Scheme::dynamic});
  EXPECT_EQ(free.report["weights"]["conv"]["raised_channels"], 0);
  EXPECT_FLOAT_EQ(values<float>(free.model, "conv.weight.scale")[1], 1e-4F / 127);
}

TEST(Schemes, Float16StoresWeightsAndBiasesAsHalves) {
  std::vector<float> weights(18, 0.1F);
  weights[3] = -0.0F;
  weights[4] = 65504;
  const onnx::Model model = quantize(with_kernel(weights), {.scheme = Scheme::float16}).model;
  const onnx::Tensor& halves = *model.initializer("conv.weight.float16");
  EXPECT_EQ(halves.type, onnx::ElementType::float16);
  EXPECT_THAT(halves.shape, ElementsAre(2, 1, 3, 3));
  EXPECT_EQ(halves.as<std::uint16_t>()[0], 0x2e66);  // 0.1 as numpy has it
  EXPECT_EQ(halves.as<std::uint16_t>()[4], 0x7bff);
  EXPECT_THAT(values<std::uint16_t>(model, "conv.bias.float16"), ElementsAre(0x3800, 0xb400));
  const onnx::Node& cast = *producer(model, "conv.weight");
  EXPECT_EQ(cast.op_type, "Cast");
  EXPECT_EQ(cast.integer("to", 0), 1);
  EXPECT_THAT(producer(model, "conv")->inputs, ElementsAre("x", "conv.weight", "conv.bias"));
}

TEST(Schemes, Int16ActivationsAreSymmetricAndOfMicrosoftsDomain) {
  const onnx::Model model =
      quantize(conv_pool_dense(), {.scheme = Scheme::int16_activations}).model;
  int nodes = 0;
  for (const onnx::Node& node : model.nodes) {
    EXPECT_TRUE(node.op_type != "QuantizeLinear" || node.domain == "com.microsoft") << node.name;
    if (node.domain != "com.microsoft") continue;
    ++nodes;
    const onnx::Tensor& zero = *model.initializer(node.inputs[2]);
    EXPECT_EQ(zero.type, onnx::ElementType::int16);
    EXPECT_EQ(zero.as<std::int16_t>()[0], 0);
  }
  EXPECT_EQ(nodes, 2 * 5);  // of x, relu, pool, flat, y
  EXPECT_FLOAT_EQ(values<float>(model, "relu.scale")[0], 5.1F / 32767);
  EXPECT_FLOAT_EQ(values<float>(model, "y.scale")[0], 3.0F / 32767);
  EXPECT_EQ(producer(model, "conv.weight")->domain, "");
  EXPECT_EQ(model.initializer("conv.weight.quantized")->type, onnx::ElementType::int8);
  // 0.5 in steps of 1/32767 * 0.8/127.
  EXPECT_NEAR(values<std::int32_t>(model, "conv.bias.quantized")[0], 0.5 * 32767 * 127 / 0.8, 2);
}

TEST(Schemes, LowBitWeightsStayInTheirRange) {
  for (Scheme scheme : integer_weights)
    for (int bits : {4, 2}) {
      const QuantizedModel quantized =
          quantize(conv_pool_dense(), {.scheme = scheme, .weight_bits = bits});
      for (const auto& weights : onnx::weight_statistics(quantized.model))
        EXPECT_EQ(weights.bits, bits) << weights.layer;
      EXPECT_EQ(quantized.report["weights"]["y"]["bits"], bits);
      // 18 and 16 weights.
      EXPECT_EQ(onnx::packed_weight_bytes(quantized.model).weights,
                std::uint64_t((18 * bits + 7) / 8 + 16 * bits / 8));
    }
}

TEST(Schemes, WidthsDifferByLayer) {
  const QuantizedModel quantized =
      quantize(conv_pool_dense(), {.weight_bits = 4, .layer_bits = {{"conv", 8}}});
  const auto statistics = onnx::weight_statistics(quantized.model);
  ASSERT_EQ(statistics.size(), 2U);
  EXPECT_EQ(statistics[0].bits, 8);
  EXPECT_EQ(statistics[1].bits, 4);
}

TEST(Schemes, OneScaleForTheLayerIsAScalar) {
  for (Scheme scheme : integer_weights) {
    const onnx::Model model =
        quantize(conv_pool_dense(), {.scheme = scheme, .weight_scales = WeightScales::tensor})
            .model;
    EXPECT_THAT(model.initializer("conv.weight.scale")->shape, IsEmpty());
    EXPECT_FLOAT_EQ(values<float>(model, "conv.weight.scale")[0], 0.9F / 127);
  }
}

TEST(Schemes, ZerosStayZeros) {
  std::vector<float> weights;
  for (int i = 0; i < 18; ++i)
    weights.push_back(i % 3 == 0 ? 0.0F : 0.013F * float(i) - 0.2F);
  for (Scheme scheme : all_schemes)
    for (int bits : {8, 4, 2}) {
      QuantizeSettings settings{.scheme = scheme};
      if (settings.quantizes_weights()) settings.weight_bits = bits;
      const auto statistics =
          onnx::weight_statistics(quantize(with_kernel(weights), settings).model);
      EXPECT_GE(statistics[0].zeros, 6) << to_string(scheme) << bits;
    }
}

TEST(Schemes, IntegerWeightsPassUnchanged) {
  const onnx::Model model = with_integer_kernel();
  for (Scheme scheme : integer_weights) {
    // Neither the width nor a shared scale touches them, nor the bound of 128 on scales.
    const QuantizedModel quantized = quantize(
        model, {.scheme = scheme, .weight_bits = 2, .weight_scales = WeightScales::tensor});
    EXPECT_EQ(values<std::int8_t>(quantized.model, "conv.weight.quantized"),
              values<std::int8_t>(model, "w.q"));
    EXPECT_THAT(values<float>(quantized.model, "conv.weight.scale"), ElementsAre(0.01F, 0.5F));
    EXPECT_FALSE(quantized.model.initializer("w.q"));
    ASSERT_EQ(quantized.report["notices"].size(), 1U);
    EXPECT_THAT(quantized.report["notices"][0].get<std::string>(),
                HasSubstr("integers of 8 bits already"));
  }
}

TEST(Schemes, IntegerWeightsBecomeTheirValuesInFloat16) {
  const onnx::Model model = quantize(with_integer_kernel(), {.scheme = Scheme::float16}).model;
  const auto halves = values<std::uint16_t>(model, "conv.weight.float16");
  EXPECT_EQ(halves[9], 0x4100);  // 5 * 0.5 = 2.5
  EXPECT_EQ(halves[2], 0);
}

TEST(Schemes, ClusteredLayersKeepTheirNumberOfValues) {
  // Four values over two channels of different ranges.
  std::vector<float> weights(18, 0.1F);
  for (std::size_t i : {1U, 4U, 11U, 16U})
    weights[i] = -0.3F;
  weights[7] = 1;
  weights[12] = weights[2] = 0;
  for (Scheme scheme : integer_weights) {
    const QuantizedModel quantized = quantize(with_kernel(weights), {.scheme = scheme});
    EXPECT_EQ(onnx::weight_statistics(quantized.model)[0].distinct, 4);
    EXPECT_THAT(values<float>(quantized.model, "conv.weight.scale"), ElementsAre(1 / 127.0F));
    ASSERT_EQ(quantized.report["notices"].size(), 1U);
    EXPECT_THAT(quantized.report["notices"][0].get<std::string>(),
                AllOf(HasSubstr("conv: its weights take 4 values"), HasSubstr("would make 6")));
  }
}

TEST(Schemes, FewValuesThatScalesDoNotMultiplyKeepScalesPerChannel) {
  std::vector<float> weights(18, 0.1F);
  std::fill(weights.begin() + 9, weights.end(), 0.2F);
  const QuantizedModel quantized = quantize(with_kernel(weights), {});
  EXPECT_EQ(values<float>(quantized.model, "conv.weight.scale").size(), 2U);
  EXPECT_THAT(quantized.report["notices"], IsEmpty());
}

TEST(Schemes, GivenScalesReplaceObservedOnes) {
  GivenScales given;
  given.weights["conv"] = {0.125F, 0.25F};
  given.weights["y"] = {0.5F};
  given.activations["relu"] = {0.0625F, -100};
  Ranges others = ranges;
  others.erase("relu");
  const auto quantized =
      quantize_model(conv_pool_dense(), others, {.layer_bits = {{"conv", 4}}}, given);
  ASSERT_TRUE(quantized) << quantized.error().message;
  const onnx::Model& model = quantized->model;
  EXPECT_THAT(values<float>(model, "conv.weight.scale"), ElementsAre(0.125F, 0.25F));
  const auto integers = values<std::int8_t>(model, "conv.weight.quantized");
  EXPECT_EQ(integers[0], -6);  // -0.8 / 0.125 = -6.4
  EXPECT_EQ(integers[17], 4);  // 0.9 / 0.25 = 3.6
  EXPECT_THAT(values<float>(model, "y.weight.scale"), ElementsAre(0.5F));
  EXPECT_THAT(values<float>(model, "relu.scale"), ElementsAre(0.0625F));
  EXPECT_THAT(values<std::int8_t>(model, "pool.zero_point"), ElementsAre(-100));
}

TEST(Schemes, GivenWeightsAreClampedToTheirWidth) {
  GivenScales given;
  given.weights["conv"] = {0.01F};
  const onnx::Model model =
      quantize(conv_pool_dense(), {.scheme = Scheme::dynamic, .weight_bits = 4}, given).model;
  for (int q : values<std::int8_t>(model, "conv.weight.quantized"))
    EXPECT_THAT(q, AllOf(Ge(-7), Le(7)));
  EXPECT_EQ(values<std::int8_t>(model, "conv.weight.quantized")[8], 0);
}

}  // namespace
}  // namespace assay

// What quantization schemes refuse: settings, given scales, weights and models.
#include <gmock/gmock.h>

#include <limits>

#include "tests/compress/methods/quantized_models.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;
using testing_models::conv_pool_dense;
using testing_models::ModelBuilder;
using testing_models::ranges;
using testing_models::with_integer_kernel;
using testing_models::with_kernel;

std::string refusal(const onnx::Model& model, const QuantizeSettings& settings,
                    const GivenScales& given = {}) {
  const auto quantized = quantize_model(model, ranges, settings, given);
  if (quantized) return "";
  EXPECT_EQ(quantized.error().kind, ErrorKind::bad_input);
  return quantized.error().message;
}

/// The same without given scales, which is known before any range is.
std::string early_refusal(const onnx::Model& model, const QuantizeSettings& settings) {
  const Status checked = check_quantization(model, settings);
  EXPECT_FALSE(checked);
  const std::string message = checked ? "" : checked.error().message;
  EXPECT_EQ(message, refusal(model, settings));
  return message;
}

TEST(Schemes, RefuseSettingsThatDoNotFitTheModelOrTheScheme) {
  const auto expect = [](const QuantizeSettings& settings, const char* expected) {
    EXPECT_THAT(early_refusal(conv_pool_dense(), settings), HasSubstr(expected));
  };
  expect({.layer_bits = {{"conv9", 4}}},
         "layer 'conv9', which the model does not have; its layers are conv, y");
  expect({.scheme = Scheme::dynamic, .layer_bits = {{"relu", 4}}}, "layer 'relu'");
  expect({.weight_bits = 3}, "8, 4 or 2 bits, not 3");
  expect({.layer_bits = {{"conv", 16}}}, "layer 'conv' can have 8, 4 or 2 bits, not 16");
  expect({.scheme = Scheme::float16, .weight_bits = 4}, "scheme float16 has no use for weight");
  expect({.scheme = Scheme::none, .layer_bits = {{"conv", 4}}}, "scheme none has no use");
}

TEST(Schemes, RefuseGivenScalesThatDoNotFitTheModelOrTheScheme) {
  const auto expect_weights = [](Scheme scheme, const char* layer, std::vector<float> scales,
                                 const char* expected) {
    GivenScales given;
    given.weights[layer] = std::move(scales);
    EXPECT_THAT(refusal(conv_pool_dense(), {.scheme = scheme}, given), HasSubstr(expected));
  };
  expect_weights(Scheme::int8, "fc", {1}, "layer 'fc'");
  expect_weights(Scheme::int8, "conv", {1, 1, 1}, "2 output channels, 3 weight scales");
  expect_weights(Scheme::int8, "conv", {1, 0}, "not a positive number");
  expect_weights(Scheme::float16, "conv", {1}, "no use for given weight scales");
  GivenScales given;
  given.weights["conv"] = {1};
  EXPECT_THAT(refusal(with_integer_kernel(), {}, given), HasSubstr("scales of their own"));

  const auto expect_activation = [](Scheme scheme, const char* tensor, ActivationScale scale,
                                    const char* expected) {
    GivenScales one;
    one.activations[tensor] = scale;
    EXPECT_THAT(refusal(conv_pool_dense(), {.scheme = scheme}, one), HasSubstr(expected));
  };
  expect_activation(Scheme::int8, "pool", {1, 0}, "'pool', which is no observed tensor");
  expect_activation(Scheme::int8, "relu", {-1, 0}, "tensor 'relu' is given the scale -1");
  expect_activation(Scheme::int16_activations, "relu", {1, 3}, "the zero point of int16 is 0");
  expect_activation(Scheme::dynamic, "relu", {1, 0}, "no use for given activation");
}

TEST(Schemes, RefuseWeightsThatAreNotNumbers) {
  for (float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    std::vector<float> weights(18, 0.5F);
    weights[11] = bad;
    for (Scheme scheme : {Scheme::int8, Scheme::dynamic, Scheme::float16})
      EXPECT_THAT(refusal(with_kernel(weights), {.scheme = scheme}),
                  HasSubstr("node 'conv' (Conv): its weight 11 is"));
  }
  onnx::Model model = conv_pool_dense();
  const std::vector<float> bias{1, std::numeric_limits<float>::quiet_NaN()};
  model.initializers["c"] = onnx::Tensor::of<float>("c", onnx::ElementType::float32, {2}, bias);
  EXPECT_THAT(refusal(model, {}), HasSubstr("node 'y' (Gemm): its bias 1 is nan"));
}

TEST(Schemes, RefuseWhatIsBeyondFloat16) {
  std::vector<float> weights(18, 0.5F);
  weights[2] = -65505;
  EXPECT_THAT(refusal(with_kernel(weights), {.scheme = Scheme::float16}),
              HasSubstr("node 'conv' (Conv): its weight -65505 is beyond float16"));
  EXPECT_EQ(refusal(with_kernel(weights), {.scheme = Scheme::dynamic}), "");
}

TEST(Schemes, RefuseModelsTheyCannotWrite) {
  onnx::Model old = conv_pool_dense();
  old.opset = 12;
  EXPECT_THAT(early_refusal(old, {}), HasSubstr("opset 12"));
  onnx::Model shared = with_integer_kernel();
  shared.nodes.push_back({"reuse", "Relu", "", {"w"}, {"z"}, {}});
  EXPECT_THAT(early_refusal(shared, {.scheme = Scheme::dynamic}),
              HasSubstr("'reuse' (Relu): it reads 'w', the weights of a layer"));
  onnx::Model asymmetric = with_integer_kernel();
  asymmetric.initializers["w.z"].data[1] = std::byte{3};
  EXPECT_THAT(early_refusal(asymmetric, {}), HasSubstr("zero point 0"));
  onnx::Model other_axis = with_integer_kernel();
  other_axis.nodes[0].attributes["axis"] = std::int64_t{1};
  EXPECT_THAT(early_refusal(other_axis, {}), HasSubstr("one per output channel (axis 0)"));
  const onnx::Model product = ModelBuilder(1, 1, 2)
                                  .constant("m", {2, 2}, {1, 2, 3, 4})
                                  .node("Flatten", {"x"}, "flat")
                                  .node("MatMul", {"flat", "m"}, "y")
                                  .build();
  EXPECT_THAT(early_refusal(product, {.scheme = Scheme::float16}), HasSubstr("write it as Gemm"));
}

}  // namespace
}  // namespace assay

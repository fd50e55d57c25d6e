// Which tensors get scales of their own, and where the pairs of branching networks stand.
#include "compress/methods/quantization_plan.hpp"

#include <gmock/gmock.h>

#include "compress/methods/quantize_model.hpp"
#include "tests/compress/methods/float_models.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;
using testing_models::squeeze_and_excite;

const Ranges ranges{{"x", {-1, 1}},     {"relu", {0, 5.1F}},    {"excited", {-3, 3}},
                    {"scaled", {0, 2}}, {"joined", {0, 2.55F}}, {"y", {-2, 3}}};

TEST(QuantizationPlan, ObservesCombinationsButNotSigmoids) {
  const auto plan = plan_quantization(squeeze_and_excite());
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(plan->observed, ElementsAre("excited", "joined", "relu", "scaled", "x", "y"));
  EXPECT_THAT(plan->unit, ElementsAre("gate"));
  EXPECT_EQ(plan->scale_from.at("squeezed"), "relu");
  EXPECT_EQ(plan->scale_from.at("flat"), "joined");
}

TEST(QuantizationPlan, GivesEveryBranchItsOwnPair) {
  const auto quantized = quantize_model(squeeze_and_excite(), ranges);
  ASSERT_TRUE(quantized) << quantized.error().message;
  const onnx::Model& model = quantized->model;
  EXPECT_EQ(model.initializer("gate.scale")->as<float>()[0], 1.0F / 256);
  EXPECT_EQ(model.initializer("gate.zero_point")->as<std::int8_t>()[0], -128);
  EXPECT_FLOAT_EQ(model.initializer("joined.scale")->as<float>()[0], 0.01F);
  std::map<std::string, std::vector<std::string>> inputs;
  for (const onnx::Node& node : model.nodes)
    inputs[node.op_type] = node.inputs;
  EXPECT_THAT(inputs["Mul"], ElementsAre("relu", "gate"));
  EXPECT_THAT(inputs["Concat"], ElementsAre("scaled", "relu"));
}

TEST(QuantizationPlan, ReadsTheGraphsInputDequantizedEverywhere) {
  const onnx::Model model = testing_models::ModelBuilder(1, 2, 2)
                                .node("Concat", {"x", "x", "x"}, "y", {{"axis", std::int64_t{1}}})
                                .build();
  const auto quantized = quantize_model(model, ranges);
  ASSERT_TRUE(quantized) << quantized.error().message;
  EXPECT_THAT(quantized->model.nodes[2].inputs,
              ElementsAre("x.dequantized", "x.dequantized", "x.dequantized"));
}

TEST(QuantizationPlan, FusesAReluIntoACombination) {
  const onnx::Model model = testing_models::ModelBuilder(1, 2, 2)
                                .node("Concat", {"x", "x"}, "both", {{"axis", std::int64_t{1}}})
                                .node("Relu", {"both"}, "y")
                                .build();
  const auto plan = plan_quantization(model);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(plan->observed, ElementsAre("x", "y"));
  EXPECT_THAT(plan->fused, ElementsAre("both"));
}

}  // namespace
}  // namespace assay

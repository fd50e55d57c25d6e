// Folding against its closed form, and against the same network computed by hand at one pixel.
#include "compress/onnx/fold_batch_norm.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/compress/methods/float_models.hpp"

namespace assay::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing_models::Integers;
using testing_models::ModelBuilder;

const std::vector<float> ones{1, 1};

/// Four constants called after the normalization, two channels.
ModelBuilder& add_norm(ModelBuilder& builder, const std::string& input, const std::string& name,
                       std::vector<float> gamma = {0.5F, 2}) {
  return builder.constant(name + ".gamma", {2}, std::move(gamma))
      .constant(name + ".beta", {2}, {10, -1})
      .constant(name + ".mean", {2}, {3, -0.5F})
      .constant(name + ".variance", {2}, {3, 0.21F})
      .node("BatchNormalization",
            {input, name + ".gamma", name + ".beta", name + ".mean", name + ".variance"}, name,
            {{"epsilon", 1.0F}});
}

// What add_norm says in closed form: y = factor * x + shift.
const std::vector<double> factor{0.5 / 2, 2 / std::sqrt(1.21)};
const std::vector<double> shift{10 - 3 * 0.25, -1 + 0.5 * 2 / std::sqrt(1.21)};

std::vector<float> numbers(const Model& model, const std::string& name) {
  const Tensor* tensor = model.initializer(name);
  if (!tensor) return {};
  const auto values = tensor->as<float>();
  return {values.begin(), values.end()};
}

std::vector<std::string> operators(const Model& model) {
  std::vector<std::string> types;
  for (const Node& node : model.nodes)
    types.push_back(node.op_type);
  return types;
}

struct LayerCase {
  const char* name;
  std::string op_type;
  std::vector<float> bias;  ///< empty: none
  std::map<std::string, Attribute> attributes;
  double effective_bias[2];  ///< what the layer adds, by its attributes
};

class FoldedLayers : public ::testing::TestWithParam<LayerCase> {};

TEST_P(FoldedLayers, HaveTheClosedForm) {
  const LayerCase& test = GetParam();
  ModelBuilder builder(1, 1, 1);
  const Integers shape = test.op_type == "Conv" ? Integers{2, 1, 1, 1} : Integers{2, 1};
  builder.constant("w", shape, {2, -3});
  std::vector<std::string> inputs{"x", "w"};
  if (!test.bias.empty()) {
    builder.constant("b", {std::int64_t(test.bias.size())}, test.bias);
    inputs.emplace_back("b");
  }
  builder.node(test.op_type, inputs, "layer", test.attributes);
  const auto folded = fold_batch_norm(add_norm(builder, "layer", "y").build());
  ASSERT_TRUE(folded) << folded.error().message;
  ASSERT_THAT(operators(*folded), ElementsAre(test.op_type));
  const Node& layer = folded->nodes[0];
  EXPECT_THAT(layer.outputs, ElementsAre("y"));
  ASSERT_EQ(layer.inputs.size(), 3U);
  const auto weights = numbers(*folded, "w");
  const auto bias = numbers(*folded, layer.inputs[2]);
  const double beta = layer.real("beta", 1);
  ASSERT_EQ(bias.size(), 2U);
  for (std::size_t c = 0; c < 2; ++c) {
    EXPECT_FLOAT_EQ(weights[c], float((c == 0 ? 2 : -3) * factor[c]));
    EXPECT_FLOAT_EQ(float(beta * bias[c]), float(test.effective_bias[c] * factor[c] + shift[c]));
  }
  EXPECT_EQ(folded->initializers.size(), 2U);  // the normalization's own are gone
}

const std::map<std::string, Attribute> transposed{{"transB", std::int64_t{1}}};
const std::map<std::string, Attribute> doubled{{"transB", std::int64_t{1}}, {"beta", 2.0F}};

INSTANTIATE_TEST_SUITE_P(
    FoldBatchNorm, FoldedLayers,
    ::testing::Values(LayerCase{"Conv", "Conv", {}, {}, {0, 0}},
                      LayerCase{"ConvBias", "Conv", {1, 0.5F}, {}, {1, 0.5}},
                      LayerCase{"Gemm", "Gemm", {}, transposed, {0, 0}},
                      LayerCase{"GemmBias", "Gemm", {1, 0.5F}, transposed, {1, 0.5}},
                      LayerCase{"OneBias", "Gemm", {4}, transposed, {4, 4}},
                      LayerCase{"GemmBeta", "Gemm", {1, 0.5F}, doubled, {2, 1}}),
    [](const auto& test) { return test.param.name; });

TEST(FoldBatchNorm, WithoutOneTheModelStaysAsItIs) {
  const Model model = testing_models::conv_pool_dense();
  const auto folded = fold_batch_norm(model);
  ASSERT_TRUE(folded) << folded.error().message;
  EXPECT_EQ(*folded, model);
}

TEST(FoldBatchNorm, TakesARowOfWeightsPerChannel) {
  ModelBuilder builder(1, 2, 1);
  builder.constant("w", {2, 1, 2, 1}, {1, 2, 3, 4}).node("Conv", {"x", "w"}, "conv");
  const auto folded = fold_batch_norm(add_norm(builder, "conv", "y", {8, 2.2F}).build());
  ASSERT_TRUE(folded) << folded.error().message;
  EXPECT_THAT(numbers(*folded, "w"),
              ElementsAre(4, 8, ::testing::FloatEq(6), ::testing::FloatEq(8)));
}

void expect_depthwise(const Model& model, const Node& node) {
  EXPECT_EQ(node.op_type, "Conv");
  EXPECT_EQ(node.integer("group", 0), 2);
  EXPECT_THAT(node.integers("kernel_shape", {}), ElementsAre(1, 1));
  ASSERT_EQ(node.inputs.size(), 3U);
  EXPECT_EQ(model.initializer(node.inputs[1])->shape, (Integers{2, 1, 1, 1}));
  const auto weights = numbers(model, node.inputs[1]);
  const auto bias = numbers(model, node.inputs[2]);
  for (std::size_t c = 0; c < 2; ++c) {
    EXPECT_FLOAT_EQ(weights[c], float(factor[c]));
    EXPECT_FLOAT_EQ(bias[c], float(shift[c]));
  }
}

TEST(FoldBatchNorm, BecomesADepthwiseConvolutionWhereItStandsAlone) {
  ModelBuilder builder(2, 3, 3);
  builder.node("Relu", {"x"}, "relu");
  const auto folded = fold_batch_norm(add_norm(builder, "relu", "y").build());
  ASSERT_TRUE(folded) << folded.error().message;
  ASSERT_THAT(operators(*folded), ElementsAre("Relu", "Conv"));
  expect_depthwise(*folded, folded->nodes[1]);
}

TEST(FoldBatchNorm, TakesNoNameThatIsInUse) {
  ModelBuilder builder(2, 3, 3);
  builder.constant("y.weight", {2, 1, 1, 1}, {7, 8})
      .node("Conv", {"x", "y.weight"}, "other", {{"group", std::int64_t{2}}})
      .node("Relu", {"other"}, "relu");
  const auto folded = fold_batch_norm(add_norm(builder, "relu", "y").build());
  ASSERT_TRUE(folded) << folded.error().message;
  EXPECT_THAT(numbers(*folded, "y.weight"), ElementsAre(7, 8));
  expect_depthwise(*folded, folded->nodes[2]);
}

/// Two after each other: f2 (f1 x + s1) + s2.
void expect_twice(const Model& model, const Node& node, const std::vector<double>& weights) {
  const auto found = numbers(model, node.inputs[1]);
  const auto bias = numbers(model, node.inputs[2]);
  for (std::size_t c = 0; c < 2; ++c) {
    EXPECT_FLOAT_EQ(found[c], float(weights[c] * factor[c] * factor[c]));
    EXPECT_FLOAT_EQ(bias[c], float(shift[c] * factor[c] + shift[c]));
  }
}

TEST(FoldBatchNorm, FoldsTwoInARowIntoOneLayer) {
  ModelBuilder behind_conv(1, 1, 1);
  behind_conv.constant("w", {2, 1, 1, 1}, {2, -3}).node("Conv", {"x", "w"}, "conv");
  add_norm(behind_conv, "conv", "first");
  const auto folded = fold_batch_norm(add_norm(behind_conv, "first", "y").build());
  ASSERT_TRUE(folded) << folded.error().message;
  ASSERT_THAT(operators(*folded), ElementsAre("Conv"));
  expect_twice(*folded, folded->nodes[0], {2, -3});

  ModelBuilder alone(2, 1, 1);
  add_norm(alone, "x", "first");
  const auto depthwise = fold_batch_norm(add_norm(alone, "first", "y").build());
  ASSERT_TRUE(depthwise) << depthwise.error().message;
  ASSERT_THAT(operators(*depthwise), ElementsAre("Conv"));
  expect_twice(*depthwise, depthwise->nodes[0], {1, 1});
}

TEST(FoldBatchNorm, LeavesALayerAloneWhoseOutputOthersRead) {
  for (const bool read_by_node : {true, false}) {
    ModelBuilder builder(1, 2, 2);
    builder.constant("w", {2, 1, 1, 1}, {2, -3}).node("Conv", {"x", "w"}, "conv");
    add_norm(builder, "conv", "norm");
    if (read_by_node) builder.node("Add", {"norm", "conv"}, "y");
    Model model = builder.build();
    if (!read_by_node) model.outputs = {{"conv", ElementType::float32, {}}, model.outputs[0]};
    const auto folded = fold_batch_norm(model);
    ASSERT_TRUE(folded) << folded.error().message;
    EXPECT_THAT(numbers(*folded, "w"), ElementsAre(2, -3));
    EXPECT_EQ(folded->nodes[0], model.nodes[0]);
    expect_depthwise(*folded, folded->nodes[1]);
  }
}

TEST(FoldBatchNorm, LeavesSharedNumbersAlone) {
  for (const bool share_bias : {false, true}) {
    ModelBuilder builder(2, 2, 2);
    builder.constant("w", {2, 2, 1, 1}, {1, 2, 3, 4})
        .constant("v", {2, 2, 1, 1}, {5, 6, 7, 8})
        .constant("b", {2}, {0.5F, 0.25F})
        .constant("c", {2}, {0, 0})
        .node("Conv", {"x", "w", "b"}, "one")
        .node("Conv", {"one", share_bias ? "v" : "w", share_bias ? "b" : "c"}, "two");
    const auto folded = fold_batch_norm(add_norm(builder, "two", "y").build());
    ASSERT_TRUE(folded) << folded.error().message;
    ASSERT_THAT(operators(*folded), ElementsAre("Conv", "Conv", "Conv"));
    EXPECT_THAT(numbers(*folded, "w"), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(numbers(*folded, "b"), ElementsAre(0.5F, 0.25F));
    expect_depthwise(*folded, folded->nodes[2]);
  }
}

TEST(FoldBatchNorm, RefusesByNodeName) {
  const auto conv = [] {
    ModelBuilder builder(1, 2, 2);
    builder.constant("w", {2, 1, 1, 1}, {2, -3}).node("Conv", {"x", "w"}, "conv");
    return add_norm(builder, "conv", "y").build();
  };
  const auto without = [&](const std::string& number) {
    Model model = conv();
    model.initializers.erase(number);
    return model;
  };
  Model short_variance = conv();
  short_variance.initializers["y.variance"] =
      Tensor::of<float>("y.variance", ElementType::float32, {1}, std::span(ones).first(1));
  Model integers = conv();
  integers.initializers["y.mean"].type = ElementType::int32;
  Model training = conv();
  training.nodes[1].attributes["training_mode"] = std::int64_t{1};
  Model three_channels = conv();
  three_channels.initializers["w"] =
      Tensor::of<float>("w", ElementType::float32, {3, 1, 1, 1}, std::vector<float>{1, 2, 3});
  Model few_inputs = conv();
  few_inputs.nodes[1].inputs.pop_back();
  ModelBuilder flat(1, 1, 2);
  flat.node("Flatten", {"x"}, "flat").node("Relu", {"flat"}, "relu");
  const char* constants = "node 'y' (BatchNormalization): it needs four float32 constants";
  const struct {
    Model model;
    const char* expected;
  } cases[] = {{without("y.gamma"), constants},
               {without("y.variance"), constants},
               {short_variance, constants},
               {integers, constants},
               {few_inputs, constants},
               {training, "node 'y' (BatchNormalization): it is in training mode"},
               {three_channels, "it has 2 channels, layer 'conv' has 3"},
               {add_norm(flat, "relu", "y").build(), "its input is no image"}};
  for (const auto& test : cases) {
    const auto folded = fold_batch_norm(test.model);
    ASSERT_FALSE(folded) << test.expected;
    EXPECT_EQ(folded.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(folded.error().message, HasSubstr(test.expected));
  }
}

}  // namespace
}  // namespace assay::onnx

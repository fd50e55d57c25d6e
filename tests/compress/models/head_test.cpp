// Heads are found and replaced; everything else keeps its bits.
#include "compress/models/head.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "compress/models/initial_network.hpp"
#include "tests/compress/methods/float_models.hpp"

namespace assay {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using testing_models::conv_pool_dense;
using testing_models::Integers;
using testing_models::ModelBuilder;

const std::map<std::string, onnx::Attribute> transposed{{"transB", std::int64_t{1}}};

/// A 1x1 convolution for a head, as in SqueezeNet: conv -> relu -> pool -> flatten -> softmax.
onnx::Model convolution_head(Integers shape = {3, 2, 1, 1}, std::int64_t group = 1) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape)
    count *= extent;
  return ModelBuilder(1, 4, 4)
      .constant("b.w", {2, 1, 1, 1}, {1, 2})
      .node("Conv", {"x", "b.w"}, "body")
      .constant("h.w", std::move(shape), std::vector<float>(std::size_t(count), 0.5F))
      .constant("h.b", {3}, {1, 2, 3})
      .node("Conv", {"body", "h.w", "h.b"}, "head", {{"group", group}})
      .node("Relu", {"head"}, "relu")
      .node("GlobalAveragePool", {"relu"}, "pool")
      .node("Flatten", {"pool"}, "flat")
      .node("Softmax", {"flat"}, "y")
      .build();
}

TEST(Head, OfADenseNetworkIsReplaced) {
  const onnx::Model before = conv_pool_dense();
  EXPECT_EQ(find_head(before, "m").value_or(""), "y");
  const auto after = replace_head(before, 5, 1, "m");
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->initializer("v")->shape, (Integers{5, 8}));
  EXPECT_EQ(after->initializer("c")->shape, (Integers{5}));
  EXPECT_THAT(after->initializer("c")->as<float>(), Each(0.0F));
  EXPECT_EQ(after->outputs[0].shape, (Integers{-1, 5}));
  EXPECT_EQ(after->nodes, before.nodes);
  onnx::Model rest = *after;
  for (const char* name : {"v", "c"})
    rest.initializers[name] = before.initializers.at(name);
  rest.outputs = before.outputs;
  EXPECT_EQ(rest, before);
}

TEST(Head, OfAConvolutionIsReplacedAndSoftmaxDropped) {
  const onnx::Model before = convolution_head();
  EXPECT_EQ(find_head(before, "m").value_or(""), "head");
  const auto after = replace_head(before, 7, 1, "m");
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->initializer("h.w")->shape, (Integers{7, 2, 1, 1}));
  EXPECT_EQ(after->initializer("h.b")->shape, (Integers{7}));
  EXPECT_EQ(after->outputs[0].name, "flat");
  ASSERT_EQ(after->nodes.size(), before.nodes.size() - 1);
  for (std::size_t i = 0; i < after->nodes.size(); ++i)
    EXPECT_EQ(after->nodes[i], before.nodes[i]);
  EXPECT_EQ(*after->initializer("b.w"), *before.initializer("b.w"));
}

TEST(Head, StartsFromTheDistributionOfNewNetworks) {
  ModelSpec spec{"wide", 1, 20, 20, 50, {}};
  spec.layers = {{"flat", LayerOp::flatten, {-1}}, {"dense", LayerOp::dense, {0}, 50}};
  const auto model = initial_network(spec, 1, {"data", {{0}, {1}}});
  ASSERT_TRUE(model) << model.error().message;
  const auto one = replace_head(*model, 100, 3, "m");
  ASSERT_TRUE(one) << one.error().message;
  double sum = 0;
  double squares = 0;
  const auto values = one->initializer("dense.weight")->as<float>();
  ASSERT_EQ(values.size(), 40'000U);
  for (const float value : values) {
    sum += value;
    squares += double(value) * value;
  }
  const double deviation = 1.0 / 20;  // 1 / sqrt(400 inputs); four standard errors on both sides
  EXPECT_NEAR(sum / 40'000, 0, 4 * deviation / 200);
  EXPECT_NEAR(std::sqrt(squares / 40'000), deviation, 4 * deviation / std::sqrt(80'000));
  EXPECT_EQ(*one, *replace_head(*model, 100, 3, "m"));
  EXPECT_NE(*one, *replace_head(*model, 100, 4, "m"));
}

TEST(Head, WithoutABiasStaysWithoutOne) {
  onnx::Model model = conv_pool_dense();
  model.nodes.back().inputs.pop_back();
  const auto after = replace_head(model, 5, 1, "m");
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->nodes, model.nodes);
}

TEST(Head, LeavesConstantsToTheirOtherReaders) {
  onnx::Model model = ModelBuilder(2, 1, 1)
                          .constant("w", {2, 2}, {1, 2, 3, 4})
                          .node("Flatten", {"x"}, "flat")
                          .node("Gemm", {"flat", "w"}, "first", transposed)
                          .node("Gemm", {"first", "w"}, "y", transposed)
                          .build();
  const auto after = replace_head(model, 5, 1, "m");
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(*after->initializer("w"), *model.initializer("w"));
  EXPECT_EQ(after->nodes[1], model.nodes[1]);
  EXPECT_EQ(after->initializer(after->nodes[2].inputs[1])->shape, (Integers{5, 2}));
}

struct Headless {
  const char* name;
  onnx::Model model;
  const char* expected;
};

onnx::Model changed(onnx::Model model, void (*change)(onnx::Model&)) {
  change(model);
  return model;
}

class HeadlessModels : public ::testing::TestWithParam<Headless> {};

TEST_P(HeadlessModels, AreRefusedByNode) {
  for (const Status& status : {replace_head(GetParam().model, 5, 1, "m.onnx").map([](auto&&) {}),
                               find_head(GetParam().model, "m.onnx").map([](auto&&) {})}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(status.error().message, HasSubstr("m.onnx: "));
    EXPECT_THAT(status.error().message, HasSubstr(GetParam().expected));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Head, HeadlessModels,
    ::testing::Values(
        Headless{"Sum",
                 changed(conv_pool_dense(),
                         [](onnx::Model& model) {
                           model.nodes.push_back({"sum", "Add", "", {"y", "y"}, {"z"}, {}});
                           model.outputs[0].name = "z";
                         }),
                 "its output comes from node 'sum' (Add)"},
        Headless{"NoLayer",
                 ModelBuilder(1, 2, 2)
                     .node("Relu", {"x"}, "relu")
                     .node("Flatten", {"relu"}, "y")
                     .build(),
                 "its output comes from no layer with weights"},
        Headless{
            "ComputedWeights",
            changed(conv_pool_dense(), [](onnx::Model& model) { model.initializers.erase("v"); }),
            "node 'y' (Gemm) has no float32 constant"},
        Headless{"NotTransposed",
                 changed(conv_pool_dense(),
                         [](onnx::Model& model) { model.nodes.back().attributes.clear(); }),
                 "node 'y' (Gemm) has weights that are not [outputs][inputs]"},
        Headless{"LargerWindow", convolution_head({3, 2, 3, 3}), "node 'head' (Conv) is a conv"},
        Headless{"Groups", convolution_head({3, 1, 1, 1}, 2), "node 'head' (Conv) is a conv"},
        Headless{"TwoOutputs",
                 changed(conv_pool_dense(),
                         [](onnx::Model& model) { model.outputs.push_back(model.outputs[0]); }),
                 "it has 2 outputs"}),
    [](const auto& test) { return test.param.name; });

TEST(Head, NeedsAnOutput) {
  EXPECT_FALSE(replace_head(conv_pool_dense(), 0, 1, "m"));
}

}  // namespace
}  // namespace assay

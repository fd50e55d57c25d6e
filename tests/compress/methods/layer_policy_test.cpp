// The layers of small models that each policy takes.
#include "compress/methods/layer_policy.hpp"

#include <gmock/gmock.h>

#include "compress/onnx/fold_batch_norm.hpp"
#include "tests/compress/methods/float_models.hpp"
#include "tests/compress/methods/read_settings.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Op = WeightedLayer::Op;
using Rule = LayerPolicy::Rule;

/// first: one input channel; wide: made for blocks; odd: 6 input channels; small: 240 weights; norm
/// and plane: normalizations as convolutions, of 64 channels and of one.
const std::vector<WeightedLayer> layers{
    {"first", "a", Op::conv, {32, 1, 3, 3}, 1},  {"wide", "b", Op::conv, {16, 32, 3, 3}, 1},
    {"depth", "c", Op::conv, {32, 1, 3, 3}, 32}, {"odd", "d", Op::conv, {64, 6, 1, 1}, 1},
    {"small", "e", Op::conv, {10, 24, 1, 1}, 1}, {"grouped", "f", Op::conv, {64, 4, 1, 1}, 2},
    {"dense", "g", Op::dense, {10, 64}, 1},      {"last", "h", Op::dense, {10, 10}, 1},
    {"norm", "i", Op::conv, {64, 1, 1, 1}, 64},  {"plane", "j", Op::conv, {1, 1, 1, 1}, 1},
};

struct Case {
  const char* name;
  const char* policy;
  std::vector<std::string> expected;
};

class Policies : public ::testing::TestWithParam<Case> {};

TEST_P(Policies, SelectTheirLayers) {
  const auto policy = test::read_settings(GetParam().policy, read_layer_policy);
  const auto selected = select_layers(layers, policy);
  ASSERT_TRUE(selected) << selected.error().message;
  std::vector<std::string> names;
  for (const auto index : *selected)
    names.push_back(layers[index].name);
  EXPECT_EQ(names, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    LayerPolicy, Policies,
    ::testing::Values(
        Case{"Default",
             "{}",
             {"first", "wide", "depth", "odd", "small", "grouped", "dense", "last"}},
        Case{
            "Conv", R"({"layers": "conv"})", {"first", "wide", "depth", "odd", "small", "grouped"}},
        Case{"Dense", R"({"layers": "dense"})", {"dense", "last"}},
        Case{"Last", R"({"layers": "last"})", {"last"}},
        Case{"Latency", R"({"layers": "latency"})", {"wide", "grouped", "dense"}},
        Case{"InModelOrder", R"({"layers": ["last", "wide", "wide"]})", {"wide", "last"}},
        Case{"NamedNormalizations",
             R"({"layers": ["plane", "norm", "odd"]})",
             {"odd", "norm", "plane"}},
        Case{"LessSome",
             R"({"layers": "all", "except": ["first", "last", "depth"]})",
             {"wide", "odd", "small", "grouped", "dense"}},
        Case{"NamedLessSome", R"({"layers": ["wide", "odd"], "except": ["odd"]})", {"wide"}}),
    [](const auto& test) { return test.param.name; });

TEST(LayerPolicy, SaysWhyALayerGainsNothing) {
  EXPECT_THAT(*why_not_faster(layers[2]), HasSubstr("depthwise"));
  EXPECT_THAT(*why_not_faster(layers[3]), HasSubstr("6 input channels are not a multiple of 4"));
  EXPECT_THAT(*why_not_faster(layers[4]), HasSubstr("240 weights, fewer than 256"));
  EXPECT_FALSE(why_not_faster({"just", "w", Op::dense, {64, 4}, 1}));
}

TEST(LayerPolicy, NamesAnUnknownLayerAndTheKnownOnes) {
  for (const auto& policy :
       {LayerPolicy{Rule::named, {"dense", "conv9"}, {}}, LayerPolicy{Rule::all, {}, {"conv9"}}}) {
    const auto selected = select_layers(std::span(layers).subspan(6, 2), policy);
    ASSERT_FALSE(selected);
    EXPECT_EQ(selected.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(selected.error().message,
                HasSubstr("no layer 'conv9' with weights, it has dense, last"));
  }
  const auto none = select_layers({}, LayerPolicy{Rule::named, {"a"}, {}});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("it has none"));
}

TEST(LayerPolicy, RefusesToSelectNothing) {
  const auto selected = select_layers(std::span(layers).subspan(7, 1), {Rule::latency, {}, {}});
  ASSERT_FALSE(selected);
  EXPECT_EQ(selected.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(selected.error().message,
              HasSubstr("the choice of layers, \"latency\", selects none of the model's 1 layers"));
  EXPECT_THAT(selected.error().message, HasSubstr("latency"));
}

TEST(LayerPolicy, RefusesToSelectNothingButNormalizations) {
  for (const Rule rule : {Rule::all, Rule::conv, Rule::last, Rule::latency})
    EXPECT_FALSE(select_layers(std::span(layers).last(2), {rule, {}, {}})) << int(rule);
}

TEST(LayerPolicy, LeavesOutWhatFoldingMakesOfANormalization) {
  testing_models::ModelBuilder builder(3, 4, 4);
  for (const char* name : {"gamma", "beta", "mean", "variance"})
    builder.constant(name, {3}, {1, 2, 3});
  const onnx::Model model =
      builder.node("BatchNormalization", {"x", "gamma", "beta", "mean", "variance"}, "norm")
          .constant("w", {2, 3, 1, 1}, std::vector<float>(6, 1))
          .node("Conv", {"norm", "w"}, "y")
          .build();
  const auto folded = onnx::fold_batch_norm(model);
  ASSERT_TRUE(folded) << folded.error().message;
  const auto found = weighted_layers(*folded);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  for (const Rule rule : {Rule::all, Rule::conv}) {
    const auto selected = select_layers(*found, {rule, {}, {}});
    ASSERT_TRUE(selected);
    EXPECT_THAT(*selected, ElementsAre(1));
  }
}

TEST(LayerPolicy, WritesWhatItReads) {
  for (const char* text :
       {R"({"layers": "latency", "except": ["a"]})", R"({"layers": ["a", "b"], "except": []})"})
    EXPECT_EQ(to_json(test::read_settings(text, read_layer_policy)), Json::parse(text));
}

TEST(LayerPolicy, AnswersBadSettingsWithTheField) {
  const auto problem = [](const char* text) {
    return test::problem_of_settings(text, read_layer_policy);
  };
  EXPECT_THAT(
      problem(R"({"layers": "convs"})"),
      HasSubstr("layers: expected one of all, conv, dense, last, latency, found \"convs\""));
  EXPECT_THAT(problem(R"({"layers": []})"), HasSubstr("layers: expected at least one name"));
  EXPECT_THAT(problem(R"({"layers": [1]})"), HasSubstr("layers[0]: expected text"));
  EXPECT_THAT(problem(R"({"layers": 1})"), HasSubstr("layers: expected text"));
  EXPECT_THAT(problem(R"({"except": "a"})"), HasSubstr("except: expected an array"));
}

onnx::Tensor zeros(const std::string& name, std::vector<std::int64_t> shape) {
  onnx::Tensor tensor{name, onnx::ElementType::float32, std::move(shape), {}};
  tensor.data.resize(std::size_t(tensor.element_count()) * sizeof(float));
  return tensor;
}

/// A convolution, a depthwise one, a dense layer, and nodes that are no weighted layers.
onnx::Model sample_model() {
  onnx::Model model;
  for (const auto& tensor : {zeros("w", {2, 1, 3, 3}), zeros("d", {2, 1, 3, 3}), zeros("v", {4, 8}),
                             zeros("p", {4, 4}), zeros("flat", {8})})
    model.initializers[tensor.name] = tensor;
  model.nodes = {
      {"conv", "Conv", "", {"x", "w"}, {"a"}, {}},
      {"relu", "Relu", "", {"a"}, {"b"}, {}},
      {"depth", "Conv", "", {"b", "d"}, {"c"}, {{"group", std::int64_t{2}}}},
      {"again", "Conv", "", {"c", "w"}, {"d2"}, {}},
      {"computed", "Conv", "", {"x", "a"}, {"e"}, {}},
      {"foreign", "Conv", "com.other", {"x", "w"}, {"g"}, {}},
      {"product", "MatMul", "", {"e", "p"}, {"f"}, {}},
      {"gemm", "Gemm", "", {"f", "v"}, {"y"}, {{"transB", std::int64_t{1}}}},
  };
  return model;
}

TEST(WeightedLayers, AreListedInNodeOrder) {
  const auto found = weighted_layers(sample_model());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(*found, ElementsAre(WeightedLayer{"conv", "w", Op::conv, {2, 1, 3, 3}, 1},
                                  WeightedLayer{"depth", "d", Op::conv, {2, 1, 3, 3}, 2},
                                  WeightedLayer{"gemm", "v", Op::dense, {4, 8}, 1}));
  EXPECT_FALSE((*found)[0].is_depthwise());
  EXPECT_TRUE((*found)[1].is_depthwise());
  EXPECT_EQ((*found)[2].weight_count(), 32);
}

TEST(WeightedLayers, RefusesWhatItWouldMisread) {
  const auto message = [](const onnx::Model& model) {
    const auto found = weighted_layers(model);
    EXPECT_FALSE(found);
    return found ? std::string() : found.error().message;
  };
  onnx::Model transposed = sample_model();
  transposed.nodes.back().attributes.clear();
  EXPECT_THAT(message(transposed), HasSubstr("node 'gemm' (Gemm): only transB = 1"));
  onnx::Model twice = sample_model();
  twice.nodes[2].name = "conv";
  EXPECT_THAT(message(twice), HasSubstr("node 'conv' (Conv): another node has the same name"));
  onnx::Model flat = sample_model();
  flat.nodes[0].inputs[1] = "flat";
  EXPECT_THAT(message(flat), HasSubstr("node 'conv' (Conv): its weights have no input channels"));
}

}  // namespace
}  // namespace assay

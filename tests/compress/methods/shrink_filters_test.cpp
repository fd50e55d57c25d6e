// Models before and after shrinking compute the same, exactly, on small integers.
#include "compress/methods/shrink_filters.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "tests/compress/methods/float_evaluator.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using Shape = std::vector<std::int64_t>;

/// Builds models layer by layer with random small integers; every layer reads the one before unless
/// told otherwise. Nodes are called after their outputs.
class Builder {
 public:
  Builder(std::int64_t channels, std::int64_t size) {
    model_.inputs = {{"x", onnx::ElementType::float32, {-1, channels, size, size}}};
  }
  Builder& from(const std::string& tensor) {
    last_ = tensor;
    return *this;
  }
  Builder& conv(const std::string& name, Shape shape, bool bias = true, std::int64_t group = 1) {
    constant(name + ".w", shape);
    if (bias) constant(name + ".b", {shape[0]});
    const std::int64_t pad = shape[2] / 2;
    return node("Conv", name,
                bias ? std::vector{name + ".w", name + ".b"} : std::vector{name + ".w"},
                {{"group", group}, {"pads", Shape{pad, pad, pad, pad}}});
  }
  Builder& dense(const std::string& name, Shape shape) {
    constant(name + ".w", shape);
    constant(name + ".b", {shape[0]});
    return node("Gemm", name, {name + ".w", name + ".b"}, {{"transB", std::int64_t{1}}});
  }
  Builder& norm(const std::string& name, std::int64_t channels) {
    std::vector<std::string> inputs;
    for (const char* part : {".scale", ".bias", ".mean", ".var"}) {
      constant(name + part, {channels});
      inputs.push_back(name + part);
    }
    // Square roots of 1 and 4, so that the result is exact.
    for (float& variance : values(name + ".var"))
      variance = variance > 0 ? 4 : 1;
    return node("BatchNormalization", name, inputs, {{"epsilon", 0.0F}});
  }
  Builder& node(const std::string& op_type, const std::string& name,
                std::vector<std::string> more = {},
                std::map<std::string, onnx::Attribute> attributes = {}) {
    more.insert(more.begin(), last_);
    model_.nodes.push_back({name, op_type, "", std::move(more), {name}, std::move(attributes)});
    return from(name);
  }
  Builder& constant(const std::string& name, const Shape& shape) {
    std::int64_t count = 1;
    for (const auto extent : shape)
      count *= extent;
    std::vector<float> numbers;
    for (std::int64_t i = 0; i < count; ++i)
      numbers.push_back(float(1 + int(random_() % 3)) * (random_() % 2 ? 1.0F : -1.0F));
    model_.initializers[name] =
        onnx::Tensor::of<float>(name, onnx::ElementType::float32, shape, numbers);
    return *this;
  }
  Builder& scalar(const std::string& name, float value) {
    constant(name, {});
    values(name)[0] = value;
    return *this;
  }
  /// Sets the entries of some output channels of a constant to 0.
  Builder& kill(const std::string& name, std::vector<std::size_t> channels) {
    const auto all = values(name);
    const std::size_t row = all.size() / std::size_t(model_.initializers[name].shape[0]);
    for (const auto channel : channels)
      std::ranges::fill(all.subspan(channel * row, row), 0.0F);
    return *this;
  }
  onnx::Model build() {
    model_.outputs = {{last_, onnx::ElementType::float32, {-1, -1}}};
    return model_;
  }

 private:
  std::span<float> values(const std::string& name) {
    onnx::Tensor& tensor = model_.initializers[name];
    return {reinterpret_cast<float*>(tensor.data.data()), tensor.data.size() / sizeof(float)};
  }

  onnx::Model model_;
  std::string last_ = "x";
  std::mt19937 random_{11};
};

void expect_same_results(const onnx::Model& before, const onnx::Model& after) {
  const auto& shape = before.inputs[0].shape;
  std::mt19937 random(12);
  bool any = false;
  for (int trial = 0; trial < 10; ++trial) {
    test::Values input(shape[1], shape[2], shape[3]);
    for (double& value : input.data)
      value = int(random() % 7) - 3;
    const auto expected = test::FloatEvaluator(before).run(input);
    EXPECT_EQ(test::FloatEvaluator(after).run(input), expected);
    any = any || std::ranges::any_of(expected, [](double value) { return value != 0; });
  }
  EXPECT_TRUE(any) << "all outputs are 0, whatever the weights";
}

Shape shape_of(const onnx::Model& model, const std::string& name) {
  return model.initializers.at(name).shape;
}

TEST(ShrinkFilters, RemovesAFilterAndWhatReadsIt) {
  const auto model = Builder(2, 4)
                         .conv("a", {4, 2, 3, 3})
                         .node("Relu", "r")
                         .conv("b", {3, 4, 3, 3})
                         .kill("a.w", {1, 3})
                         .kill("a.b", {1, 3})
                         .build();
  const auto shrunk = shrink_filters(model);
  ASSERT_TRUE(shrunk) << shrunk.error().message;
  EXPECT_THAT(shrunk->layers, ElementsAre(ShrunkLayer{"a", 4, 2}));
  EXPECT_EQ(shape_of(shrunk->model, "a.w"), (Shape{2, 2, 3, 3}));
  EXPECT_EQ(shape_of(shrunk->model, "a.b"), (Shape{2}));
  EXPECT_EQ(shape_of(shrunk->model, "b.w"), (Shape{3, 2, 3, 3}));
  // Filters 0 and 2 of `a` and the input channels 0 and 2 of `b`, untouched.
  const auto old_rows = model.initializers.at("a.w").as<float>();
  const auto rows = shrunk->model.initializers.at("a.w").as<float>();
  EXPECT_TRUE(std::ranges::equal(rows.first(18), old_rows.first(18)));
  EXPECT_TRUE(std::ranges::equal(rows.last(18), old_rows.subspan(36, 18)));
  expect_same_results(model, shrunk->model);
}

TEST(ShrinkFilters, GoesThroughEverythingToTheDenseLayer) {
  auto builder = Builder(3, 8)
                     .scalar("zero", 0)
                     .scalar("six", 6)
                     .conv("a", {5, 3, 3, 3}, false)
                     .norm("an", 5)
                     .node("Clip", "clip", {"zero", "six"})
                     .conv("depth", {5, 1, 3, 3}, true, 5)
                     .norm("dn", 5)
                     .node("Relu", "r")
                     .node("MaxPool", "p")
                     .conv("b", {4, 5, 1, 1})
                     .norm("bn", 4)
                     .node("AveragePool", "q")
                     .node("Flatten", "f")
                     .dense("h", {6, 16})
                     .node("Relu", "hr")
                     .dense("y", {3, 6});
  for (const char* name : {"a.w", "an.scale", "an.bias", "depth.b", "dn.scale", "dn.bias"})
    builder.kill(name, {0, 4});
  for (const char* name : {"b.w", "b.b", "bn.scale", "bn.bias"})
    builder.kill(name, {2});
  for (const char* name : {"h.w", "h.b"})
    builder.kill(name, {1, 2, 5});
  const auto model = builder.build();
  const auto shrunk = shrink_filters(model);
  ASSERT_TRUE(shrunk) << shrunk.error().message;
  EXPECT_THAT(shrunk->layers, ElementsAre(ShrunkLayer{"a", 5, 3}, ShrunkLayer{"depth", 5, 3},
                                          ShrunkLayer{"b", 4, 3}, ShrunkLayer{"h", 6, 3}));
  const onnx::Model& after = shrunk->model;
  EXPECT_EQ(shape_of(after, "a.w"), (Shape{3, 3, 3, 3}));
  EXPECT_EQ(shape_of(after, "dn.var"), (Shape{3}));
  EXPECT_EQ(shape_of(after, "depth.w"), (Shape{3, 1, 3, 3}));
  EXPECT_EQ(shape_of(after, "b.w"), (Shape{3, 3, 1, 1}));
  EXPECT_EQ(shape_of(after, "h.w"), (Shape{3, 12}));
  EXPECT_EQ(shape_of(after, "y.w"), (Shape{3, 3}));
  EXPECT_EQ(after.nodes[3].integer("group", 0), 3);
  expect_same_results(model, after);
}

TEST(ShrinkFilters, GoesThroughAGlobalPool) {
  const auto model = Builder(1, 4)
                         .conv("a", {3, 1, 3, 3})
                         .node("GlobalAveragePool", "g")
                         .node("Flatten", "f")
                         .dense("y", {2, 3})
                         .kill("a.w", {0})
                         .kill("a.b", {0})
                         .build();
  const auto shrunk = shrink_filters(model);
  ASSERT_TRUE(shrunk);
  EXPECT_EQ(shape_of(shrunk->model, "y.w"), (Shape{2, 2}));
  expect_same_results(model, shrunk->model);
}

TEST(ShrinkFilters, AReaderThatSeesANonzeroNeedsTheChannel) {
  // Channels 0 and 1 leave `a` as 0, but the normalization before `b` lifts channel 1.
  auto builder = Builder(1, 3)
                     .conv("a", {3, 1, 1, 1}, false)
                     .norm("n", 3)
                     .conv("b", {2, 3, 1, 1})
                     .kill("a.w", {0, 1})
                     .kill("n.scale", {0, 1})
                     .kill("n.bias", {0});
  const auto model = builder.build();
  const auto shrunk = shrink_filters(model);
  ASSERT_TRUE(shrunk);
  EXPECT_THAT(shrunk->layers, ElementsAre(ShrunkLayer{"a", 3, 2}));
  expect_same_results(model, shrunk->model);
}

struct Alive {
  const char* name;
  onnx::Model model;
};

class AliveFilters : public ::testing::TestWithParam<Alive> {};

TEST_P(AliveFilters, Stay) {
  const auto shrunk = shrink_filters(GetParam().model);
  ASSERT_TRUE(shrunk) << shrunk.error().message;
  EXPECT_THAT(shrunk->layers, IsEmpty());
  EXPECT_EQ(shrunk->model, GetParam().model);
}

/// Two layers of which the first has a filter of zeros; `between` comes between them.
template <class Between>
onnx::Model with_dead_filter(Between between) {
  auto builder = Builder(1, 4).scalar("low", 1).scalar("high", 6).conv("a", {3, 1, 1, 1});
  between(builder);
  return builder.conv("b", {2, 3, 1, 1}).kill("a.w", {1}).kill("a.b", {1}).build();
}

std::vector<Alive> alive() {
  const auto none = [](Builder&) {};
  auto bias = with_dead_filter(none);
  bias.initializers["a.b"] = Builder(1, 1).constant("v", {3}).build().initializers["v"];
  auto output = with_dead_filter(none);
  output.outputs.push_back({"a", onnx::ElementType::float32, {-1, 3, 4, 4}});
  return {
      {"WithABias", bias},
      {"InTheModelsOutput", output},
      {"BeforeASigmoid", with_dead_filter([](Builder& b) { b.node("Sigmoid", "s"); })},
      {"BeforeAClipAboveZero", with_dead_filter([](Builder& b) {
         b.node("Clip", "c", {"low", "high"});
       })},
      {"BeforeAnAddition", with_dead_filter([](Builder& b) { b.node("Add", "s", {"a"}); })},
      {"BeforeAConcatenation",
       with_dead_filter([](Builder& b) { b.node("Concat", "s", {"a"}).from("a"); })},
      {"BeforeALiftingNormalization", with_dead_filter([](Builder& b) { b.norm("n", 3); })},
      {"BeforeADepthwiseBias", with_dead_filter([](Builder& b) {
         b.conv("d", {3, 1, 1, 1}, true, 3);
       })},
      {"OfAGroupedConvolution", Builder(2, 4)
                                    .conv("a", {4, 1, 1, 1}, false, 2)
                                    .conv("b", {2, 4, 1, 1})
                                    .kill("a.w", {1})
                                    .build()},
      {"OfADepthwiseOnTheInput", Builder(3, 4)
                                     .conv("a", {3, 1, 1, 1}, false, 3)
                                     .conv("b", {2, 3, 1, 1})
                                     .kill("a.w", {1})
                                     .build()},
      {"OfSharedWeights", Builder(3, 4)
                              .conv("a", {3, 3, 1, 1}, false)
                              .node("Conv", "b", {"a.w"})
                              .conv("c", {2, 3, 1, 1})
                              .kill("a.w", {1})
                              .build()},
      {"OfTheLastLayer", Builder(1, 4).conv("a", {3, 1, 1, 1}).kill("a.w", {1}).build()},
  };
}

INSTANTIATE_TEST_SUITE_P(ShrinkFilters, AliveFilters, ::testing::ValuesIn(alive()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ShrinkFilters, KeepsOneOfOnlyDeadFilters) {
  const auto model = Builder(1, 3)
                         .conv("a", {3, 1, 1, 1})
                         .conv("b", {2, 3, 1, 1})
                         .kill("a.w", {0, 1, 2})
                         .kill("a.b", {0, 1, 2})
                         .build();
  const auto shrunk = shrink_filters(model);
  ASSERT_TRUE(shrunk);
  EXPECT_THAT(shrunk->layers, ElementsAre(ShrunkLayer{"a", 3, 1}));
  EXPECT_EQ(shape_of(shrunk->model, "b.w"), (Shape{2, 1, 1, 1}));
  expect_same_results(model, shrunk->model);
}

TEST(ShrinkFilters, BothReadersLoseTheChannel) {
  const auto model = Builder(1, 3)
                         .conv("a", {3, 1, 1, 1})
                         .conv("b", {2, 3, 3, 3})
                         .from("a")
                         .conv("c", {2, 3, 1, 1})
                         .node("Add", "sum", {"b"})
                         .kill("a.w", {2})
                         .kill("a.b", {2})
                         .build();
  const auto shrunk = shrink_filters(model);
  ASSERT_TRUE(shrunk);
  EXPECT_EQ(shape_of(shrunk->model, "b.w"), (Shape{2, 2, 3, 3}));
  EXPECT_EQ(shape_of(shrunk->model, "c.w"), (Shape{2, 2, 1, 1}));
  expect_same_results(model, shrunk->model);
}

TEST(ShrinkFilters, RandomPruningChangesNoResult) {
  std::mt19937 random(13);
  for (int trial = 0; trial < 30; ++trial) {
    auto builder = Builder(2, 6)
                       .conv("a", {6, 2, 3, 3}, false)
                       .norm("an", 6)
                       .node("Relu", "ar")
                       .conv("d", {6, 1, 3, 3}, false, 6)
                       .norm("dn", 6)
                       .node("MaxPool", "p")
                       .conv("b", {5, 6, 3, 3})
                       .node("Relu", "br")
                       .node("Flatten", "f")
                       .dense("y", {4, 45});
    std::size_t dead = 0;
    for (std::size_t filter = 1; filter < 6; ++filter) {
      if (random() % 2 == 0) continue;
      ++dead;
      for (const char* name : {"a.w", "an.scale", "an.bias", "dn.scale", "dn.bias"})
        builder.kill(name, {filter});
    }
    if (random() % 2) builder.kill("b.w", {3}).kill("b.b", {3});
    const auto model = builder.build();
    const auto shrunk = shrink_filters(model);
    ASSERT_TRUE(shrunk);
    EXPECT_EQ(shape_of(shrunk->model, "a.w")[0], std::int64_t(6 - dead));
    expect_same_results(model, shrunk->model);
    const auto again = shrink_filters(shrunk->model);
    ASSERT_TRUE(again);
    EXPECT_THAT(again->layers, IsEmpty());
  }
}

TEST(PrunableFilters, SaysWhichMustStayAndWhy) {
  const auto model = Builder(2, 4)
                         .conv("free", {4, 2, 3, 3})
                         .conv("branch", {4, 4, 1, 1})
                         .node("Relu", "r")
                         .conv("depth", {4, 1, 3, 3}, true, 4)
                         .from("free")
                         .conv("other", {4, 4, 1, 1})
                         .node("Add", "sum", {"depth"})
                         .conv("wide", {8, 1, 1, 1}, true, 4)
                         .conv("fine", {3, 8, 1, 1})
                         .node("Flatten", "f")
                         .dense("y", {2, 48})
                         .build();
  const auto layers = prunable_filters(model);
  ASSERT_TRUE(layers) << layers.error().message;
  const std::string sum = "its output reaches 'sum' (Add)";
  std::vector<std::pair<std::string, std::optional<std::string>>> found;
  for (const FilterLayer& layer : *layers)
    found.emplace_back(layer.name, layer.kept_because);
  EXPECT_THAT(
      found,
      ElementsAre(Pair("free", std::nullopt), Pair("branch", sum), Pair("depth", sum),
                  Pair("other", sum), Pair("wide", "it is a grouped convolution"),
                  Pair("fine", std::nullopt), Pair("y", "its output is the model's output")));
}

TEST(PrunableFilters, SaysWhoSharesChannelsAndWhatHasThem) {
  const auto model = Builder(1, 4)
                         .conv("first", {4, 1, 3, 3})
                         .norm("n", 4)
                         .conv("depth", {4, 1, 3, 3}, true, 4)
                         .conv("deep", {4, 1, 3, 3}, false, 4)
                         .conv("point", {3, 4, 1, 1}, false)
                         .node("Flatten", "f")
                         .dense("y", {2, 48})
                         .build();
  const auto layers = prunable_filters(model);
  ASSERT_TRUE(layers) << layers.error().message;
  std::vector<std::pair<std::string, std::optional<std::string>>> sharing;
  for (const FilterLayer& layer : *layers)
    sharing.emplace_back(layer.name, layer.channels_of);
  EXPECT_THAT(sharing, ElementsAre(Pair("first", std::nullopt), Pair("depth", "first"),
                                   Pair("deep", "first"), Pair("point", std::nullopt),
                                   Pair("y", std::nullopt)));
  // All constants with four entries along their first axis, in the order of the nodes.
  std::vector<std::string> expected;
  for (const std::size_t node : {0, 1, 2, 3})
    expected.insert(expected.end(), model.nodes[node].inputs.begin() + 1,
                    model.nodes[node].inputs.end());
  for (const std::size_t layer : {0, 1, 2})
    EXPECT_EQ((*layers)[layer].constants, expected);
  EXPECT_EQ((*layers)[3].constants, std::vector<std::string>{model.nodes[4].inputs[1]});
}

TEST(PrunableFilters, RefusesWeightsThatDoNotFit) {
  const auto message = [](const onnx::Model& model) {
    const auto layers = prunable_filters(model);
    EXPECT_FALSE(layers);
    EXPECT_FALSE(shrink_filters(model));
    return layers ? std::string() : layers.error().message;
  };
  EXPECT_THAT(message(Builder(1, 4).conv("a", {3, 1, 1, 1}).conv("b", {2, 4, 1, 1}).build()),
              HasSubstr("node 'b' (Conv): its weights are for 4 inputs, the layer before has 3"));
  EXPECT_THAT(
      message(
          Builder(1, 4).conv("a", {3, 1, 1, 1}).node("Flatten", "f").dense("y", {2, 50}).build()),
      HasSubstr("node 'y' (Gemm): its weights are for 50 inputs"));
  EXPECT_THAT(message(Builder(1, 4).conv("a", {3, 1, 1, 1}).norm("n", 4).build()),
              HasSubstr("node 'n' (BatchNormalization): it normalizes 4 channels"));
  EXPECT_THAT(
      message(Builder(1, 4).conv("a", {3, 1, 1, 1}).conv("d", {4, 1, 1, 1}, true, 4).build()),
      HasSubstr("node 'd' (Conv): it has 4 filters, the layer before has 3"));
}

}  // namespace
}  // namespace assay

// Models before and after shrinking compute the same, exactly, on small integers.
#include "compress/methods/shrink_filters.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "tests/compress/methods/float_evaluator.hpp"
#include "tests/compress/methods/layer_builder.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing_models::LayerBuilder;
using testing_models::Shape;

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
  const auto model = LayerBuilder(2, 4)
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
  auto builder = LayerBuilder(3, 8)
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
  const auto model = LayerBuilder(1, 4)
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
  auto builder = LayerBuilder(1, 3)
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
  auto builder = LayerBuilder(1, 4).scalar("low", 1).scalar("high", 6).conv("a", {3, 1, 1, 1});
  between(builder);
  return builder.conv("b", {2, 3, 1, 1}).kill("a.w", {1}).kill("a.b", {1}).build();
}

std::vector<Alive> alive() {
  const auto none = [](LayerBuilder&) {};
  auto bias = with_dead_filter(none);
  bias.initializers["a.b"] = LayerBuilder(1, 1).constant("v", {3}).build().initializers["v"];
  auto output = with_dead_filter(none);
  output.outputs.push_back({"a", onnx::ElementType::float32, {-1, 3, 4, 4}});
  return {
      {"WithABias", bias},
      {"InTheModelsOutput", output},
      {"BeforeASigmoid", with_dead_filter([](LayerBuilder& b) { b.node("Sigmoid", "s"); })},
      {"BeforeAClipAboveZero", with_dead_filter([](LayerBuilder& b) {
         b.node("Clip", "c", {"low", "high"});
       })},
      {"BeforeAnAddition", with_dead_filter([](LayerBuilder& b) { b.node("Add", "s", {"a"}); })},
      {"BeforeAConcatenation",
       with_dead_filter([](LayerBuilder& b) { b.node("Concat", "s", {"a"}).from("a"); })},
      {"BeforeALiftingNormalization", with_dead_filter([](LayerBuilder& b) { b.norm("n", 3); })},
      {"BeforeADepthwiseBias", with_dead_filter([](LayerBuilder& b) {
         b.conv("d", {3, 1, 1, 1}, true, 3);
       })},
      {"OfAGroupedConvolution", LayerBuilder(2, 4)
                                    .conv("a", {4, 1, 1, 1}, false, 2)
                                    .conv("b", {2, 4, 1, 1})
                                    .kill("a.w", {1})
                                    .build()},
      {"OfADepthwiseOnTheInput", LayerBuilder(3, 4)
                                     .conv("a", {3, 1, 1, 1}, false, 3)
                                     .conv("b", {2, 3, 1, 1})
                                     .kill("a.w", {1})
                                     .build()},
      {"OfSharedWeights", LayerBuilder(3, 4)
                              .conv("a", {3, 3, 1, 1}, false)
                              .node("Conv", "b", {"a.w"})
                              .conv("c", {2, 3, 1, 1})
                              .kill("a.w", {1})
                              .build()},
      {"OfTheLastLayer", LayerBuilder(1, 4).conv("a", {3, 1, 1, 1}).kill("a.w", {1}).build()},
  };
}

INSTANTIATE_TEST_SUITE_P(ShrinkFilters, AliveFilters, ::testing::ValuesIn(alive()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ShrinkFilters, KeepsOneOfOnlyDeadFilters) {
  const auto model = LayerBuilder(1, 3)
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
  const auto model = LayerBuilder(1, 3)
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
    auto builder = LayerBuilder(2, 6)
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

}  // namespace
}  // namespace assay

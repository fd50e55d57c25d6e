// Which layers can lose filters, with whom they share channels, and what is refused.
#include <gmock/gmock.h>

#include <optional>
#include <utility>

#include "compress/methods/shrink_filters.hpp"
#include "tests/compress/methods/layer_builder.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing_models::LayerBuilder;

TEST(PrunableFilters, SaysWhichMustStayAndWhy) {
  const auto model = LayerBuilder(2, 4)
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
  const auto model = LayerBuilder(1, 4)
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
  EXPECT_THAT(message(LayerBuilder(1, 4).conv("a", {3, 1, 1, 1}).conv("b", {2, 4, 1, 1}).build()),
              HasSubstr("node 'b' (Conv): its weights are for 4 inputs, the layer before has 3"));
  EXPECT_THAT(message(LayerBuilder(1, 4)
                          .conv("a", {3, 1, 1, 1})
                          .node("Flatten", "f")
                          .dense("y", {2, 50})
                          .build()),
              HasSubstr("node 'y' (Gemm): its weights are for 50 inputs"));
  EXPECT_THAT(message(LayerBuilder(1, 4).conv("a", {3, 1, 1, 1}).norm("n", 4).build()),
              HasSubstr("node 'n' (BatchNormalization): it normalizes 4 channels"));
  EXPECT_THAT(
      message(LayerBuilder(1, 4).conv("a", {3, 1, 1, 1}).conv("d", {4, 1, 1, 1}, true, 4).build()),
      HasSubstr("node 'd' (Conv): it has 4 filters, the layer before has 3"));
}

}  // namespace
}  // namespace assay

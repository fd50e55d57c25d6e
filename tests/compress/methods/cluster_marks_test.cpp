// Clusters that a model marks, against those that its values suggest.
#include "compress/methods/cluster_marks.hpp"

#include <gmock/gmock.h>

#include "compress/methods/layer_weights.hpp"
#include "tests/compress/methods/float_models.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;
using testing_models::ModelBuilder;
using Floats = std::vector<float>;

constexpr const char* property = "assay.clusters";

/// `count` weights, of them `zeros` 0 and the rest going round `values` different ones.
Floats weights(std::size_t count, std::size_t zeros, std::size_t values) {
  Floats weights(count, 0);
  for (std::size_t i = zeros; i < count; ++i)
    weights[i] = 0.5F + float((i - zeros) % values);
  return weights;
}

/// One dense layer called "layer".
onnx::Model model_of(const Floats& weights) {
  return ModelBuilder(1, 1, std::int64_t(weights.size() / 4))
      .node("Flatten", {"x"}, "flat")
      .constant("w", {4, std::int64_t(weights.size() / 4)}, weights)
      .node("Gemm", {"flat", "w"}, "layer", {{"transB", std::int64_t{1}}})
      .build();
}

ClusterMarks read(const onnx::Model& model) {
  const auto marks = ClusterMarks::read(model);
  EXPECT_TRUE(marks) << marks.error().message;
  return marks.value_or(ClusterMarks{});
}

struct Case {
  const char* name;
  Floats weights;
  bool clustered;
};

class WithoutMarks : public ::testing::TestWithParam<Case> {};

TEST_P(WithoutMarks, TheValuesDecide) {
  const Case& test = GetParam();
  const onnx::Model model = model_of(test.weights);
  EXPECT_EQ(read(model).is_clustered("layer", test.weights), test.clustered);
  const auto layers = read_layer_weights(model);
  ASSERT_TRUE(layers) << layers.error().message;
  EXPECT_EQ(layers->begin()->second.clustered, test.clustered);
}

INSTANTIATE_TEST_SUITE_P(
    ClusterMarks, WithoutMarks,
    ::testing::Values(Case{"Shared", weights(40, 0, 5), true},
                      Case{"SharedAndPruned", weights(400, 300, 5), true},
                      Case{"AllDifferent", weights(40, 0, 40), false},
                      // 101 values of 400 weights, but 100 of the 100 that are left.
                      Case{"Pruned", weights(400, 300, 100), false},
                      Case{"HalfOfThoseLeft", weights(40, 20, 10), false},
                      Case{"BelowHalfOfThoseLeft", weights(40, 20, 9), true},
                      Case{"AsManyAsInt8Has", weights(1000, 0, 256), true},
                      Case{"MoreThanInt8Has", weights(1000, 0, 257), false},
                      Case{"ZeroIsOneOfThem", weights(1000, 100, 256), false},
                      Case{"Nothing", weights(40, 40, 1), false}),
    [](const auto& test) { return test.param.name; });

TEST(ClusterMarks, AreTakenAtTheirWord) {
  const Floats many = weights(40, 20, 20);  // would not be guessed
  onnx::Model model = model_of(many);
  const std::string layer = model.nodes.back().name;
  mark_clusters(model, std::span(&layer, 1));
  EXPECT_EQ(model.metadata.at(property), "{\"" + layer + "\":21}");
  EXPECT_TRUE(read(model).is_clustered(layer, many));
  EXPECT_TRUE(read_layer_weights(model)->at(layer).clustered);
}

TEST(ClusterMarks, KeepOthersFromBeingGuessed) {
  const Floats few = weights(40, 0, 5);
  onnx::Model model = model_of(few);
  mark_clusters(model, {});
  EXPECT_EQ(model.metadata.at(property), "{}");
  EXPECT_FALSE(read(model).is_clustered("layer", few));
  EXPECT_FALSE(read_layer_weights(model)->begin()->second.clustered);
}

TEST(ClusterMarks, AreVoidOnceTheLayerHasMoreValues) {
  onnx::Model model = model_of(weights(40, 0, 5));
  const std::string layer = model.nodes.back().name;
  mark_clusters(model, std::span(&layer, 1));
  EXPECT_TRUE(read(model).is_clustered(layer, weights(40, 0, 4)));
  EXPECT_FALSE(read(model).is_clustered(layer, weights(40, 0, 6)));
}

TEST(ClusterMarks, CountNoMoreValuesThanInt8Has) {
  const Floats many = weights(1000, 0, 257);
  onnx::Model model = model_of(many);
  const std::string layer = model.nodes.back().name;
  mark_clusters(model, std::span(&layer, 1));
  EXPECT_FALSE(read(model).is_clustered(layer, many));
}

TEST(ClusterMarks, RefusesWhatItCannotRead) {
  for (const char* text : {"", "conv", "[\"conv\"]", "{\"conv\": -1}", "{\"conv\": \"5\"}"}) {
    onnx::Model model = model_of(weights(40, 0, 5));
    model.metadata[property] = text;
    const auto marks = ClusterMarks::read(model);
    ASSERT_FALSE(marks) << text;
    EXPECT_EQ(marks.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(marks.error().message, HasSubstr("assay.clusters is \"" + std::string(text)));
    EXPECT_FALSE(read_layer_weights(model));
  }
}

}  // namespace
}  // namespace assay

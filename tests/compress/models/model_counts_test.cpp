// Counts taken from the nodes of a model against those of the spec it was built from.
#include "compress/onnx/model_counts.hpp"

#include <gmock/gmock.h>

#include "compress/models/initial_network.hpp"
#include "compress/onnx/fold_batch_norm.hpp"

namespace assay {
namespace {

TEST(ModelCounts, OfEveryFamilyAreThoseOfItsSpec) {
  for (const auto& family : known_model_families()) {
    for (const auto& [height, width] : {std::pair{64, 64}, std::pair{51, 70}}) {
      const auto spec = build_model({family, 0, 0}, 3, height, width, 10);
      ASSERT_TRUE(spec) << spec.error().message;
      const auto network = initial_network(*spec, std::nullopt, {"planes", {{0, 0, 0}, {1, 1, 1}}});
      ASSERT_TRUE(network) << network.error().message;
      const auto folded = onnx::fold_batch_norm(*network);
      ASSERT_TRUE(folded) << folded.error().message;
      EXPECT_EQ(onnx::count_macs(*network).value(), count_macs(*spec).value()) << family;
      // What normalizes before a convolution becomes a layer that multiplies every value by a
      // factor.
      const bool before = family == "densenet121" || family == "se-preact-resnet101";
      const auto macs = onnx::count_macs(*folded).value();
      EXPECT_EQ(macs > count_macs(*spec).value(), before) << family;
      EXPECT_GE(macs, count_macs(*spec).value()) << family;
      // A stem whose normalization folds into it leaves one number for each of its 64 channels
      // where the spec counts two.
      const auto parameters = onnx::count_parameters(*folded);
      const std::uint64_t saved = count_parameters(*spec).value() - parameters;
      EXPECT_TRUE(saved == 0 || (family == "se-preact-resnet101" && saved == 64)) << family;
    }
  }
}

/// One node between "x" [1, 2, 5, 7] and "y".
onnx::Model one_node(onnx::Node node, std::vector<std::int64_t> weight_shape) {
  onnx::Model model;
  model.inputs = {{"x", onnx::ElementType::float32, {-1, 2, 5, 7}}};
  model.outputs = {{"y", onnx::ElementType::float32, {-1, -1}}};
  std::int64_t count = 1;
  for (const auto extent : weight_shape)
    count *= extent;
  model.initializers["w"] =
      onnx::Tensor::of<float>("w", onnx::ElementType::float32, std::move(weight_shape),
                              std::vector<float>(static_cast<std::size_t>(count), 0.0F));
  node.name = "n";
  node.inputs = {"x", "w"};
  node.outputs = {"y"};
  model.nodes = {std::move(node)};
  return model;
}

using Integers = std::vector<std::int64_t>;

TEST(ModelCounts, FollowEveryAttributeOfAWindow) {
  const struct {
    std::map<std::string, onnx::Attribute> attributes;
    std::uint64_t places;  ///< of the output, worked out by hand
  } cases[] = {
      {{}, 3 * 5},
      {{{"pads", Integers{1, 1, 1, 1}}}, 5 * 7},
      {{{"strides", Integers{2, 2}}}, 2 * 3},
      {{{"strides", Integers{2, 3}}, {"pads", Integers{0, 1, 1, 0}}}, 2 * 2},
      {{{"dilations", Integers{2, 3}}}, 1 * 1},
      {{{"auto_pad", std::string("SAME_UPPER")}, {"strides", Integers{2, 2}}}, 3 * 4},
      {{{"auto_pad", std::string("VALID")}}, 3 * 5},
  };
  for (const auto& test : cases) {
    const auto model = one_node({"", "Conv", "", {}, {}, test.attributes}, {4, 2, 3, 3});
    const auto macs = onnx::count_macs(model);
    ASSERT_TRUE(macs) << macs.error().message;
    EXPECT_EQ(macs->count(), 4u * 2 * 3 * 3 * test.places);
  }
}

TEST(ModelCounts, OfAWindowThatDoesNotFitAreAnError) {
  for (const Integers& shape : {Integers{4, 2, 6, 3}, Integers{4, 2, 3, 8}, Integers{4, 2}}) {
    const auto macs = onnx::count_macs(one_node({"", "Conv", "", {}, {}, {}}, shape));
    ASSERT_FALSE(macs);
    EXPECT_THAT(macs.error().message, ::testing::HasSubstr("node n (Conv)"));
  }
}

}  // namespace
}  // namespace assay

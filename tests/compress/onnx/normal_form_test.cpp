// Exports as PyTorch and TensorFlow converters write them, against the nodes they stand for,
// written by hand.
#include "compress/onnx/normal_form.hpp"

#include <gmock/gmock.h>

#include "tests/compress/methods/float_models.hpp"

namespace assay::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing_models::Integers;
using testing_models::ModelBuilder;

using Attributes = std::map<std::string, Attribute>;

const Attributes axis_one{{"axis", std::int64_t{1}}};
const Attributes transposed{{"transB", std::int64_t{1}}};

ModelBuilder images() {
  return ModelBuilder(2, 4, 4);
}

ModelBuilder& whole(ModelBuilder& builder, const std::string& name, Integers values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return builder.constant<std::int64_t>(name, ElementType::int64, {count}, std::move(values));
}

/// x.view(x.size(0), -1) of "pool", as PyTorch exports it.
Model computed_view(const std::string& index = "zero") {
  ModelBuilder builder = images();
  builder.node("GlobalAveragePool", {"x"}, "pool")
      .node("Shape", {"pool"}, "shape")
      .constant<std::int64_t>("zero", ElementType::int64, {}, {0})
      .constant<std::int64_t>("one", ElementType::int64, {}, {1})
      .node("Gather", {"shape", index}, "entry", {{"axis", std::int64_t{0}}});
  whole(builder, "axes", {0}).node("Unsqueeze", {"entry", "axes"}, "images");
  return whole(builder, "rest", {-1})
      .node("Concat", {"images", "rest"}, "target", {{"axis", std::int64_t{0}}})
      .node("Reshape", {"pool", "target"}, "y")
      .build();
}

Model reshaped(Integers shape, std::int64_t file_batch = -1) {
  ModelBuilder builder = images();
  Model model =
      whole(builder, "shape", std::move(shape)).node("Reshape", {"x", "shape"}, "y").build();
  model.inputs[0].shape[0] = file_batch;
  return model;
}

Model pooled(Attributes attributes) {
  return images().node("ReduceMean", {"x"}, "y", std::move(attributes)).build();
}

struct Rewriting {
  const char* name;
  Model before;
  Model after;
};

class Rewritings : public ::testing::TestWithParam<Rewriting> {};

TEST_P(Rewritings, AreTheNodesTheyStandFor) {
  const auto found = to_normal_form(GetParam().before, "m.onnx");
  ASSERT_TRUE(found) << found.error().message;
  Model expected = GetParam().after;
  for (ValueInfo* value : {&expected.inputs[0], &expected.outputs[0]})
    value->shape[0] = -1;
  EXPECT_EQ(found->nodes, expected.nodes);
  EXPECT_EQ(found->initializers, expected.initializers);
  EXPECT_EQ(*found, expected);
  // What is in normal form stays as it is.
  EXPECT_EQ(to_normal_form(*found, "m.onnx").value_or(Model{}), *found);
}

Model flat_x() {
  return images().node("Flatten", {"x"}, "y", axis_one).build();
}

Model with_opset(Model model, std::int64_t opset) {
  model.opset = opset;
  return model;
}

Model with_output(Model model, const std::string& name) {
  model.outputs[0].name = name;
  return model;
}

/// MatMul and Add, as TensorFlow converters write a dense layer.
ModelBuilder products() {
  return images()
      .constant("w", {32, 2}, std::vector<float>(64, 0.5F))
      .constant("b", {2}, {3, 4})
      .node("Flatten", {"x"}, "flat", axis_one)
      .node("MatMul", {"flat", "w"}, "product");
}

INSTANTIATE_TEST_SUITE_P(
    NormalForm, Rewritings,
    ::testing::Values(Rewriting{"ComputedView", computed_view(),
                                images()
                                    .node("GlobalAveragePool", {"x"}, "pool")
                                    .node("Flatten", {"pool"}, "y", axis_one)
                                    .build()},
                      Rewriting{"ViewOfAFixedBatch", reshaped({1, -1}, 1), flat_x()},
                      Rewriting{"ViewOfAnyBatch", reshaped({-1, 32}), flat_x()},
                      Rewriting{"ViewThatCopiesTheBatch", reshaped({0, 32}), flat_x()},
                      Rewriting{"OtherShape", reshaped({1, 4, 2, 4}, 1),
                                [] {
                                  ModelBuilder builder = images();
                                  return whole(builder, "y.shape", {0, 4, 2, 4})
                                      .node("Reshape", {"x", "y.shape"}, "y")
                                      .build();
                                }()},
                      Rewriting{"MeanOverPositions",
                                pooled({{"axes", Integers{-2, -1}}, {"keepdims", std::int64_t{1}}}),
                                images().node("GlobalAveragePool", {"x"}, "y").build()},
                      Rewriting{"MeanThatDropsAxes",
                                pooled({{"axes", Integers{3, 2}}, {"keepdims", std::int64_t{0}}}),
                                [] {
                                  Model model = images()
                                                    .node("GlobalAveragePool", {"x"}, "y.mean")
                                                    .node("Flatten", {"y.mean"}, "y", axis_one)
                                                    .build();
                                  model.nodes[0].name = "y";
                                  model.nodes[1].name = "y.flatten";
                                  return model;
                                }()},
                      Rewriting{"MeanOfOpset18",
                                [] {
                                  ModelBuilder builder = images();
                                  return with_opset(whole(builder, "axes", {2, 3})
                                                        .node("ReduceMean", {"x", "axes"}, "y")
                                                        .build(),
                                                    18);
                                }(),
                                images().node("GlobalAveragePool", {"x"}, "y").build()},
                      Rewriting{"Squeeze",
                                images()
                                    .node("GlobalAveragePool", {"x"}, "pool")
                                    .node("Squeeze", {"pool"}, "y", {{"axes", Integers{2, 3}}})
                                    .build(),
                                images()
                                    .node("GlobalAveragePool", {"x"}, "pool")
                                    .node("Flatten", {"pool"}, "y", axis_one)
                                    .build()},
                      Rewriting{
                          "DropoutAndIdentity",
                          images()
                              .node("Relu", {"x"}, "a")
                              .node("Dropout", {"a"}, "b", {{"ratio", 0.5F}})
                              .node("Identity", {"b"}, "c")
                              .node("Sigmoid", {"c"}, "y")
                              .build(),
                          images().node("Relu", {"x"}, "a").node("Sigmoid", {"a"}, "y").build()},
                      Rewriting{
                          "IdentityAtTheEnd",
                          images().node("Relu", {"x"}, "a").node("Identity", {"a"}, "y").build(),
                          with_output(images().node("Relu", {"x"}, "a").build(), "a")},
                      Rewriting{
                          "LimitsOfClipBeforeOpset11",
                          with_opset(images()
                                         .node("Clip", {"x"}, "y", {{"min", 0.0F}, {"max", 6.0F}})
                                         .build(),
                                     9),
                          images()
                              .constant("y.min", {}, {0})
                              .constant("y.max", {}, {6})
                              .node("Clip", {"x", "y.min", "y.max"}, "y")
                              .build()},
                      Rewriting{
                          "UpperLimitAlone",
                          with_opset(images().node("Clip", {"x"}, "y", {{"max", 6.0F}}).build(), 9),
                          images()
                              .constant("y.max", {}, {6})
                              .node("Clip", {"x", "", "y.max"}, "y")
                              .build()},
                      Rewriting{
                          "WeightsOfInputsByOutputs",
                          ModelBuilder(3, 1, 1)
                              .constant("w", {3, 2}, {1, 2, 3, 4, 5, 6})
                              .constant("b", {1, 2}, {7, 8})
                              .node("Flatten", {"x"}, "flat", axis_one)
                              .node("Gemm", {"flat", "w", "b"}, "y")
                              .build(),
                          ModelBuilder(3, 1, 1)
                              .constant("w.transposed", {2, 3}, {1, 3, 5, 2, 4, 6})
                              .constant("b.row", {2}, {7, 8})
                              .node("Flatten", {"x"}, "flat", axis_one)
                              .node("Gemm", {"flat", "w.transposed", "b.row"}, "y", transposed)
                              .build()},
                      Rewriting{
                          "ProductAndSum", products().node("Add", {"b", "product"}, "y").build(),
                          [] {
                            Model model =
                                images()
                                    .constant("w.transposed", {2, 32}, std::vector<float>(64, 0.5F))
                                    .constant("b", {2}, {3, 4})
                                    .node("Flatten", {"x"}, "flat", axis_one)
                                    .node("Gemm", {"flat", "w.transposed", "b"}, "y", transposed)
                                    .build();
                            model.nodes[1].name = "product";
                            return model;
                          }()},
                      Rewriting{"ConstantsStoredOnce",
                                images()
                                    .constant("w", {2, 2, 1, 1}, {1, 2, 3, 4})
                                    .constant("v", {2, 2, 1, 1}, {5, 6, 7, 8})
                                    .constant("b", {2}, {1, 2})
                                    .node("Identity", {"w"}, "w.again")
                                    .node("Conv", {"x", "w", "b"}, "one")
                                    .node("Conv", {"one", "v", "b"}, "two")
                                    .node("Conv", {"two", "w.again"}, "y")
                                    .build(),
                                images()
                                    .constant("w", {2, 2, 1, 1}, {1, 2, 3, 4})
                                    .constant("v", {2, 2, 1, 1}, {5, 6, 7, 8})
                                    .constant("w.again", {2, 2, 1, 1}, {1, 2, 3, 4})
                                    .constant("b", {2}, {1, 2})
                                    .constant("b.of.two", {2}, {1, 2})
                                    .node("Conv", {"x", "w", "b"}, "one")
                                    .node("Conv", {"one", "v", "b.of.two"}, "two")
                                    .node("Conv", {"two", "w.again"}, "y")
                                    .build()}),
    [](const auto& test) { return test.param.name; });

TEST(NormalForm, KeepsASumThatIsNoBias) {
  const struct {
    const char* what;
    Model model;
  } models[] = {
      {"the product is read twice", products()
                                        .node("Add", {"product", "b"}, "sum")
                                        .node("Add", {"sum", "product"}, "y")
                                        .build()},
      {"of another width", products()
                               .constant("c", {1, 2, 1}, {1, 2})
                               .node("Add", {"product", "product"}, "y")
                               .build()},
  };
  for (const auto& [what, model] : models) {
    const auto found = to_normal_form(model, "m.onnx");
    ASSERT_TRUE(found) << what << ": " << found.error().message;
    EXPECT_EQ(found->nodes.back().op_type, "Add") << what;
  }
}

TEST(NormalForm, KeepsAProductOfImages) {
  const Model model = images()
                          .constant("w", {4, 2}, std::vector<float>(8, 1))
                          .node("MatMul", {"x", "w"}, "y")
                          .build();
  const auto found = to_normal_form(model, "m.onnx");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->nodes, model.nodes);
}

struct Refused {
  const char* name;
  Model model;
  const char* expected;
};

class NormalFormRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(NormalFormRefuses, ByNode) {
  const auto found = to_normal_form(GetParam().model, "m.onnx");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(found.error().message, HasSubstr("m.onnx: node 'y' ("));
  EXPECT_THAT(found.error().message, HasSubstr(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    NormalForm, NormalFormRefuses,
    ::testing::Values(
        Refused{"ImagesFromChannels", computed_view("one"), "moves values between the images"},
        Refused{"FixedOtherBatch", reshaped({4, 32}, 1), "moves values between the images"},
        Refused{"OneNumber", reshaped({-1}), "moves values between the images"},
        Refused{"ShapeFromTheImage",
                images().node("Relu", {"x"}, "relu").node("Reshape", {"x", "relu"}, "y").build(),
                "a shape that is computed"},
        Refused{"ShapeReadElsewhere",
                images().node("Shape", {"x"}, "shape").node("Resize", {"x", "shape"}, "y").build(),
                "reads a shape that is computed"},
        Refused{"DropoutInTraining",
                images()
                    .constant<std::uint8_t>("on", ElementType::uint8, {}, {1})
                    .constant("ratio", {}, {0.5F})
                    .node("Dropout", {"x", "ratio", "on"}, "y")
                    .build(),
                "export the network for inference"},
        Refused{"DilatedPool",
                images()
                    .node("AveragePool", {"x"}, "y",
                          {{"kernel_shape", Integers{2, 2}}, {"dilations", Integers{2, 2}}})
                    .build(),
                "is dilated"},
        Refused{"NormalizationPerPosition",
                images()
                    .node("BatchNormalization", {"x", "a", "b", "c", "d"}, "y",
                          {{"spatial", std::int64_t{0}}})
                    .build(),
                "is not per channel"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace assay::onnx

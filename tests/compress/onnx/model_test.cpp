#include "compress/onnx/model.hpp"

#include <gmock/gmock.h>

namespace assay::onnx {
namespace {

using ::testing::ElementsAre;

TEST(ElementTypes, HaveTheirWidthAndName) {
  struct Row {
    ElementType type;
    std::size_t bytes;
    const char* name;
  };
  for (const Row& row : {Row{ElementType::float32, 4, "float32"},
                         {ElementType::float16, 2, "float16"},
                         {ElementType::int8, 1, "int8"},
                         {ElementType::uint8, 1, "uint8"},
                         {ElementType::int16, 2, "int16"},
                         {ElementType::int32, 4, "int32"},
                         {ElementType::int64, 8, "int64"}}) {
    EXPECT_EQ(size_of(row.type), row.bytes);
    EXPECT_EQ(to_string(row.type), row.name);
  }
}

TEST(TensorValue, CountsAndReturnsItsElements) {
  const std::vector<std::int16_t> values{1, -2, 3, -4, 5, -6};
  const auto tensor = Tensor::of<std::int16_t>("t", ElementType::int16, {2, 3}, values);
  EXPECT_EQ(tensor.element_count(), 6);
  EXPECT_THAT(tensor.as<std::int16_t>(), ElementsAre(1, -2, 3, -4, 5, -6));
  EXPECT_EQ(Tensor{}.element_count(), 1);  // a scalar
  EXPECT_EQ((Tensor{"none", ElementType::int8, {0, 3}, {}}.element_count()), 0);
}

TEST(NodeAttributes, AnswerTheFallbackUnlessNameAndTypeFit) {
  Node node;
  node.attributes = {{"group", std::int64_t{4}},
                     {"alpha", 0.5f},
                     {"auto_pad", std::string("SAME_UPPER")},
                     {"pads", std::vector<std::int64_t>{1, 2}}};
  EXPECT_EQ(node.integer("group", 1), 4);
  EXPECT_EQ(node.integer("axis", 1), 1);
  EXPECT_EQ(node.integer("alpha", 1), 1);
  EXPECT_EQ(node.real("alpha", 0.0f), 0.5f);
  EXPECT_EQ(node.real("beta", 2.0f), 2.0f);
  EXPECT_EQ(node.text("auto_pad", "NOTSET"), "SAME_UPPER");
  EXPECT_EQ(node.text("mode", "NOTSET"), "NOTSET");
  EXPECT_THAT(node.integers("pads", {}), ElementsAre(1, 2));
  EXPECT_THAT(node.integers("strides", {1, 1}), ElementsAre(1, 1));
}

TEST(ModelValue, FindsAnInitializerByName) {
  Model model;
  model.initializers["w"].name = "w";
  ASSERT_NE(model.initializer("w"), nullptr);
  EXPECT_EQ(model.initializer("w")->name, "w");
  EXPECT_EQ(model.initializer("v"), nullptr);
}

}  // namespace
}  // namespace assay::onnx

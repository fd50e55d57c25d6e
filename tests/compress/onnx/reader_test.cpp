// Files as other programs write them.
#include <gmock/gmock.h>

#include <functional>

#include "tests/compress/onnx/small_proto.hpp"

namespace assay::onnx {
namespace {

using ::onnx::AttributeProto;
using ::onnx::ModelProto;
using ::onnx::TensorProto;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReadModel, NamesNodesWithoutName) {
  ModelProto proto = small_proto();
  proto.mutable_graph()->mutable_node(1)->set_name("kept");
  const Model model = parse_good(proto);
  ASSERT_EQ(model.nodes.size(), 2u);
  EXPECT_EQ(model.nodes[0].name, "Add_0");
  EXPECT_EQ(model.nodes[1].name, "kept");
  EXPECT_THAT(model.inputs.at(0).shape, ElementsAre(-1, 4));
}

TEST(ReadModel, TakesTheStandardDomainByEitherName) {
  ModelProto proto = small_proto();
  proto.mutable_opset_import(0)->set_domain("ai.onnx");
  proto.mutable_graph()->mutable_node(0)->set_domain("ai.onnx");
  const Model model = parse_good(proto);
  EXPECT_EQ(model.opset, 17);
  EXPECT_EQ(model.nodes[0].domain, "");
}

TEST(ReadModel, LeavesInitializersOutOfTheInputs) {
  ModelProto proto = small_proto();
  proto.set_ir_version(3);  // which lists them there
  describe(*proto.mutable_graph()->add_input(), "w", {4});
  const Model model = parse_good(proto);
  ASSERT_EQ(model.inputs.size(), 1u);
  EXPECT_EQ(model.inputs[0].name, "input");
}

TEST(ReadModel, LeavesUnknownOperatorsToTheLowering) {
  ModelProto proto = small_proto();
  proto.mutable_graph()->mutable_node(1)->set_op_type("Frobnicate");
  EXPECT_EQ(parse_good(proto).nodes.at(1).op_type, "Frobnicate");
}

/// The typed protobuf field of every element type, and the bytes that must come of it.
struct TypedField {
  ElementType type;
  int onnx;
  std::function<void(TensorProto&)> fill;
  std::vector<int> bytes;
};

TEST(ReadModel, ReadsEveryTypedField) {
  const std::vector<TypedField> table = {
      {ElementType::float32,
       TensorProto::FLOAT,
       [](auto& t) { t.add_float_data(-2.0f); },
       {0, 0, 0, 0xc0}},
      {ElementType::float16,
       TensorProto::FLOAT16,
       [](auto& t) { t.add_int32_data(0xfbff); },
       {0xff, 0xfb}},
      {ElementType::int8, TensorProto::INT8, [](auto& t) { t.add_int32_data(-128); }, {0x80}},
      {ElementType::uint8, TensorProto::UINT8, [](auto& t) { t.add_int32_data(255); }, {0xff}},
      {ElementType::int16, TensorProto::INT16, [](auto& t) { t.add_int32_data(-2); }, {0xfe, 0xff}},
      {ElementType::int32,
       TensorProto::INT32,
       [](auto& t) { t.add_int32_data(0x01020304); },
       {4, 3, 2, 1}},
      {ElementType::int64,
       TensorProto::INT64,
       [](auto& t) { t.add_int64_data(-1); },
       {255, 255, 255, 255, 255, 255, 255, 255}},
  };
  for (const TypedField& row : table) {
    ModelProto proto = small_proto();
    row.fill(add_initializer(proto, "constant", row.onnx, {1}));
    const Model model = parse_good(proto);
    const Tensor* constant = model.initializer("constant");
    ASSERT_NE(constant, nullptr) << to_string(row.type);
    EXPECT_EQ(constant->type, row.type);
    std::vector<int> bytes;
    for (std::byte byte : constant->data)
      bytes.push_back(std::to_integer<int>(byte));
    EXPECT_EQ(bytes, row.bytes) << to_string(row.type);
  }
}

TEST(ReadModel, KeepsWhatOthersWroteIntoTheMetadata) {
  ModelProto proto = small_proto();
  auto& entry = *proto.add_metadata_props();
  entry.set_key("author");
  entry.set_value("J\xf6rg,\nin Latin-1");
  EXPECT_EQ(parse_good(proto).metadata.at("author"), entry.value());
}

TEST(ReadModel, FoldsConstantNodes) {
  ModelProto proto = small_proto();
  proto.mutable_graph()->clear_node();
  auto constant = [&](const char* output, const char* key,
                      AttributeProto::AttributeType type) -> AttributeProto& {
    return add_attribute(add_node(proto, "Constant", {}, output), key, type);
  };
  TensorProto& tensor = *constant("tensor", "value", AttributeProto::TENSOR).mutable_t();
  tensor.set_data_type(TensorProto::INT8);
  tensor.add_dims(2);
  tensor.set_raw_data(std::string("\x7f\x81", 2));
  constant("real", "value_float", AttributeProto::FLOAT).set_f(0.5f);
  constant("integer", "value_int", AttributeProto::INT).set_i(-7);
  auto& reals = constant("reals", "value_floats", AttributeProto::FLOATS);
  reals.add_floats(1.0f);
  reals.add_floats(2.0f);
  constant("integers", "value_ints", AttributeProto::INTS).add_ints(9);
  add_node(proto, "Add", {"input", "real"}, "output");
  const Model model = parse_good(proto);
  ASSERT_EQ(model.nodes.size(), 1u);
  EXPECT_EQ(model.nodes[0].name, "Add_5");
  EXPECT_THAT(model.initializers.at("tensor").as<std::int8_t>(), ElementsAre(127, -127));
  EXPECT_THAT(model.initializers.at("real").as<float>(), ElementsAre(0.5f));
  EXPECT_THAT(model.initializers.at("real").shape, IsEmpty());
  EXPECT_THAT(model.initializers.at("integer").as<std::int64_t>(), ElementsAre(-7));
  EXPECT_THAT(model.initializers.at("reals").as<float>(), ElementsAre(1.0f, 2.0f));
  EXPECT_THAT(model.initializers.at("integers").shape, ElementsAre(1));
  for (const auto& [name, folded] : model.initializers)
    EXPECT_EQ(folded.name, name);
}

}  // namespace
}  // namespace assay::onnx

// Files as other programs write them, built with protobuf's own classes, and what is refused.
#include <gmock/gmock.h>
#include <onnx/onnx_pb.h>

#include <filesystem>
#include <functional>

#include "compress/onnx/model.hpp"
#include "harness/core/file.hpp"

namespace assay::onnx {
namespace {

using ::onnx::AttributeProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;
using ::onnx::ValueInfoProto;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

void describe(ValueInfoProto& value, const std::string& name, std::vector<std::int64_t> shape) {
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(TensorProto::FLOAT);
  tensor.mutable_shape();
  for (std::int64_t extent : shape) {
    auto& dimension = *tensor.mutable_shape()->add_dim();
    if (extent >= 0) dimension.set_dim_value(extent);
  }
}

NodeProto& add_node(ModelProto& model, const std::string& op, std::vector<std::string> inputs,
                    const std::string& output) {
  NodeProto& node = *model.mutable_graph()->add_node();
  node.set_op_type(op);
  for (const std::string& input : inputs)
    node.add_input(input);
  node.add_output(output);
  return node;
}

TensorProto& add_initializer(ModelProto& model, const std::string& name, int type,
                             std::vector<std::int64_t> shape) {
  TensorProto& tensor = *model.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (std::int64_t extent : shape)
    tensor.add_dims(extent);
  return tensor;
}

AttributeProto& add_attribute(NodeProto& node, const std::string& name,
                              AttributeProto::AttributeType type) {
  AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

/// input [N, 4] -> Add w -> Relu -> output, in opset 17; no node has a name.
ModelProto small_proto() {
  ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(17);
  describe(*model.mutable_graph()->add_input(), "input", {-1, 4});
  describe(*model.mutable_graph()->add_output(), "output", {-1, 4});
  TensorProto& w = add_initializer(model, "w", TensorProto::FLOAT, {4});
  for (float value : {1.0f, 2.0f, 3.0f, 4.0f})
    w.add_float_data(value);
  add_node(model, "Add", {"input", "w"}, "sum");
  add_node(model, "Relu", {"sum"}, "output");
  return model;
}

Result<Model> parse(const ModelProto& proto) {
  const std::string bytes = proto.SerializeAsString();
  return parse_model(std::as_bytes(std::span(bytes)), "some.onnx");
}

Model parse_good(const ModelProto& proto) {
  auto model = parse(proto);
  EXPECT_TRUE(model) << model.error().message;
  return model ? *model : Model{};
}

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

struct Refusal {
  const char* name;
  void (*spoil)(ModelProto&);
  const char* message;
};

NodeProto& node_of(ModelProto& model, int index) {
  return *model.mutable_graph()->mutable_node(index);
}
TensorProto& w_of(ModelProto& model) {
  return *model.mutable_graph()->mutable_initializer(0);
}

void raw(ModelProto& model, std::size_t bytes) {
  w_of(model).clear_float_data();
  w_of(model).set_raw_data(std::string(bytes, '\0'));
}

void dims(ModelProto& model, std::vector<std::int64_t> shape) {
  w_of(model).clear_dims();
  for (std::int64_t extent : shape)
    w_of(model).add_dims(extent);
}

void add_property(ModelProto& model, const char* key, const char* value) {
  auto& entry = *model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

const Refusal refusals[] = {
    {"no_graph", [](ModelProto& m) { m.clear_graph(); }, "holds no graph"},
    {"no_opset", [](ModelProto& m) { m.clear_opset_import(); }, "names no version of the ai.onnx"},
    {"old_opset", [](ModelProto& m) { m.mutable_opset_import(0)->set_version(6); },
     "opset 6 is not supported; export the model with opset 7 to 21"},
    {"future_opset", [](ModelProto& m) { m.mutable_opset_import(0)->set_version(22); },
     "opset 22 is not supported"},
    {"functions", [](ModelProto& m) { m.add_functions()->set_name("f"); }, "model-local functions"},
    {"sparse", [](ModelProto& m) { m.mutable_graph()->add_sparse_initializer(); },
     "sparse initializers"},
    {"no_output", [](ModelProto& m) { m.mutable_graph()->clear_output(); }, "has no output"},
    {"raw_too_short", [](ModelProto& m) { raw(m, 15); },
     "initializer 'w' holds 15 bytes, its shape needs 16"},
    {"raw_too_long", [](ModelProto& m) { raw(m, 17); }, "holds 17 bytes, its shape needs 16"},
    {"typed_too_short", [](ModelProto& m) { dims(m, {5}); },
     "initializer 'w' holds 4 elements, its shape needs 5"},
    {"huge_dimension", [](ModelProto& m) { dims(m, {std::int64_t{1} << 62}); }, "impossible shape"},
    {"overflowing_product",
     [](ModelProto& m) {
       dims(m, {1 << 30, 1 << 30, 1 << 30, 1 << 30});
     },
     "impossible shape"},
    {"large_but_possible_dimension", [](ModelProto& m) { dims(m, {1 << 30}); },
     "its shape needs 1073741824"},
    {"negative_dimension", [](ModelProto& m) { dims(m, {-4}); }, "impossible shape"},
    {"external_data", [](ModelProto& m) { w_of(m).set_data_location(TensorProto::EXTERNAL); },
     "initializer 'w' keeps its values in another file; save the model with all data in one file"},
    {"segments", [](ModelProto& m) { w_of(m).mutable_segment()->set_begin(0); }, "in segments"},
    {"strings", [](ModelProto& m) { w_of(m).set_data_type(TensorProto::STRING); },
     "initializer 'w' has element type STRING, which"},
    {"unknown_element_type", [](ModelProto& m) { w_of(m).set_data_type(99); },
     "initializer 'w' has element type number 99"},
    {"out_of_range_value",
     [](ModelProto& m) { add_initializer(m, "v", TensorProto::INT8, {1}).add_int32_data(200); },
     "initializer 'v' holds 200, outside its element type"},
    {"negative_unsigned",
     [](ModelProto& m) { add_initializer(m, "v", TensorProto::UINT8, {1}).add_int32_data(-1); },
     "initializer 'v' holds -1, outside its element type"},
    {"constant_without_name", [](ModelProto& m) { w_of(m).clear_name(); }, "without a name"},
    {"constant_twice", [](ModelProto& m) { *m.mutable_graph()->add_initializer() = w_of(m); },
     "the value 'w' is made twice"},
    {"sequence_input",
     [](ModelProto& m) {
       m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type();
     },
     "graph input 'input' is not a tensor"},
    {"double_input",
     [](ModelProto& m) {
       m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
           TensorProto::DOUBLE);
     },
     "graph input 'input' has element type DOUBLE, which"},
    {"input_without_shape",
     [](ModelProto& m) {
       m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
     },
     "graph input 'input' has no shape"},
    {"input_dimension_zero",
     [](ModelProto& m) {
       auto& input = *m.mutable_graph()->mutable_input(0);
       input.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(1)->set_dim_value(
           0);
     },
     "graph input 'input' has a dimension of 0"},
    {"output_of_no_node",
     [](ModelProto& m) { m.mutable_graph()->mutable_output(0)->set_name("nowhere"); },
     "graph output 'nowhere' is made by no node"},
    {"dangling_input", [](ModelProto& m) { node_of(m, 1).set_input(0, "ghost"); },
     "node 'Relu_1' ('Relu') reads 'ghost', which is no graph input"},
    {"wrong_order", [](ModelProto& m) { m.mutable_graph()->mutable_node()->SwapElements(0, 1); },
     "node 'Relu_0' ('Relu') reads 'sum' before it is made"},
    {"reads_itself", [](ModelProto& m) { node_of(m, 0).set_input(0, "sum"); },
     "node 'Add_0' ('Add') reads 'sum' before it is made"},
    {"made_twice", [](ModelProto& m) { node_of(m, 1).set_output(0, "sum"); },
     "the value 'sum' is made twice"},
    {"node_name_is_not_utf8", [](ModelProto& m) { node_of(m, 1).set_name("a\xff\xfe"); },
     "the name of node 1 ('a?\?') is no UTF-8 text: rename it"},
    {"node_name_with_an_escape", [](ModelProto& m) { node_of(m, 1).set_name("a\x1b[2J"); },
     "the name of node 1 ('a?[2J') is no UTF-8 text: rename it"},
    {"value_name_is_not_utf8", [](ModelProto& m) { node_of(m, 1).set_output(0, "y\xc3"); },
     "the name of the value 'y?' is no UTF-8 text: rename it"},
    {"property_is_not_utf8", [](ModelProto& m) { add_property(m, "assay.dataset", "mnist\xff"); },
     "the metadata property 'assay.dataset' is 'mnist?', which is no UTF-8 text"},
    {"property_with_an_escape", [](ModelProto& m) { add_property(m, "assay.dataset", "\x1b[2J"); },
     "the metadata property 'assay.dataset' is '?[2J', which is no UTF-8 text"},
    {"property_name_is_not_utf8", [](ModelProto& m) { add_property(m, "assay.\xff", "1"); },
     "the metadata property 'assay.?' is '1', which is no UTF-8 text"},
    {"attribute_name_is_not_utf8",
     [](ModelProto& m) { add_attribute(node_of(m, 1), "a\xff", AttributeProto::INT); },
     "node 'Relu_1' ('Relu') has attribute 'a?' with a name or value that is no UTF-8 text"},
    {"attribute_with_an_escape",
     [](ModelProto& m) {
       node_of(m, 1).set_domain("test.domain");
       add_attribute(node_of(m, 1), "mode", AttributeProto::STRING).set_s("\x1b[2J");
     },
     "has attribute 'mode' with a name or value that is no UTF-8 text"},
    {"no_operator", [](ModelProto& m) { node_of(m, 1).clear_op_type(); }, "names no operator"},
    {"too_many_inputs", [](ModelProto& m) { node_of(m, 1).add_input("w"); },
     "node 'Relu_1' ('Relu') breaks the rules of its operator"},
    {"microsoft_quantize_without_scale",
     [](ModelProto& m) {
       node_of(m, 1).set_op_type("QuantizeLinear");
       node_of(m, 1).set_domain("com.microsoft");
     },
     "node 'QuantizeLinear_1' ('QuantizeLinear') breaks the rules"},
    {"microsoft_dequantize_with_an_attribute_of_later_versions",
     [](ModelProto& m) {
       node_of(m, 1).set_op_type("DequantizeLinear");
       node_of(m, 1).set_domain("com.microsoft");
       node_of(m, 1).add_input("w");
       add_attribute(node_of(m, 1), "block_size", AttributeProto::INT);
     },
     "Unrecognized attribute: block_size"},
    {"unknown_attribute",
     [](ModelProto& m) { add_attribute(node_of(m, 1), "slope", AttributeProto::FLOAT); },
     "Unrecognized attribute: slope"},
    {"attribute_of_another_type",
     [](ModelProto& m) {
       node_of(m, 1).set_op_type("LeakyRelu");
       add_attribute(node_of(m, 1), "alpha", AttributeProto::INT).set_i(1);
     },
     "node 'LeakyRelu_1' ('LeakyRelu') breaks the rules"},
    {"attribute_twice",
     [](ModelProto& m) {
       node_of(m, 1).set_domain("test.domain");
       add_attribute(node_of(m, 1), "a", AttributeProto::INT);
       add_attribute(node_of(m, 1), "a", AttributeProto::INT);
     },
     "has attribute 'a' twice"},
    {"subgraph_attribute",
     [](ModelProto& m) {
       node_of(m, 1).set_domain("test.domain");
       add_attribute(node_of(m, 1), "body", AttributeProto::GRAPH).mutable_g();
     },
     "has attribute 'body' of a kind assay does not read (GRAPH)"},
    {"tensor_attribute_of_impossible_shape",
     [](ModelProto& m) {
       node_of(m, 1).set_domain("test.domain");
       add_attribute(node_of(m, 1), "t", AttributeProto::TENSOR).mutable_t()->add_dims(-1);
       node_of(m, 1).mutable_attribute(0)->mutable_t()->set_data_type(TensorProto::FLOAT);
     },
     "node 'Relu_1', attribute 't' has an impossible shape"},
    {"constant_string",
     [](ModelProto& m) {
       add_attribute(add_node(m, "Constant", {}, "c"), "value_string", AttributeProto::STRING);
     },
     "node 'Constant_2' ('Constant') has a 'value_string' assay cannot hold"},
    {"constant_without_value", [](ModelProto& m) { add_node(m, "Constant", {}, "c"); },
     "must have exactly one value"},
    {"name_with_control_characters",
     [](ModelProto& m) { node_of(m, 1).set_input(0, std::string("a\n\x1b[31m")); },
     "reads 'a??[31m'"},
};

class ReadModelRefuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(ReadModelRefuses, WithFileAndPlace) {
  ModelProto proto = small_proto();
  GetParam().spoil(proto);
  const auto model = parse(proto);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(model.error().message,
              AllOf(StartsWith("some.onnx: "), HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(Models, ReadModelRefuses, ::testing::ValuesIn(refusals),
                         [](const auto& refusal) { return std::string(refusal.param.name); });

TEST(ReadModel, RefusesAFileThatIsNoModel) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "assay_not_a_model.onnx";
  ASSERT_TRUE(write_atomically(path, "\xff\xff\xff\xff this is text"));
  const auto model = read_model(path);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(model.error().message,
              AllOf(StartsWith(path.string()), HasSubstr("is not an ONNX model")));
}

TEST(ReadModel, RefusesAnEmptyOrMissingFile) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "assay_empty.onnx";
  ASSERT_TRUE(write_atomically(path, ""));
  EXPECT_THAT(read_model(path).error().message, HasSubstr("holds no graph"));
  std::filesystem::remove(path);
  const auto missing = read_model(path);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(missing.error().message, HasSubstr(path.string()));
}

TEST(ReadModel, RefusesAHugeFileWithoutReadingIt) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "assay_huge.onnx";
  ASSERT_TRUE(write_atomically(path, ""));
  std::filesystem::resize_file(path, std::uintmax_t{1} << 40);  // sparse: takes no room on the disk
  const auto model = read_model(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message, HasSubstr("1048576 MB is more than the 512 MB assay reads"));
}

}  // namespace
}  // namespace assay::onnx

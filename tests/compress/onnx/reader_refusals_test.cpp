// Files that are no models, or none that assay reads, and what is said of them.
#include <gmock/gmock.h>

#include <filesystem>

#include "harness/core/file.hpp"
#include "tests/compress/onnx/small_proto.hpp"

namespace assay::onnx {
namespace {

using ::onnx::AttributeProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

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

#include "tests/compress/onnx/small_proto.hpp"

#include <gtest/gtest.h>

namespace assay::onnx {

using ::onnx::AttributeProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;
using ::onnx::ValueInfoProto;

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

}  // namespace assay::onnx

// Model to ONNX file: everything in a fixed order, so the same value gives the same bytes.
#include <onnx/onnx_pb.h>

#include <set>
#include <type_traits>

#include "compress/onnx/element_type.hpp"
#include "compress/onnx/model.hpp"
#include "harness/core/file.hpp"

namespace assay::onnx {
namespace {

namespace pb = ::onnx;

constexpr int ir_version = 8;  // what libonnx 1.12 writes and ONNX Runtime 1.10 and later read

void write_tensor(const Tensor& tensor, pb::TensorProto& proto) {
  proto.set_name(tensor.name);
  proto.set_data_type(kind_of(tensor.type).onnx);
  for (std::int64_t extent : tensor.shape)
    proto.add_dims(extent);
  proto.set_raw_data(tensor.data.data(), tensor.data.size());
}

void write_attribute(const std::string& name, const Attribute& attribute,
                     pb::AttributeProto& proto) {
  proto.set_name(name);
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::int64_t>) {
          proto.set_type(pb::AttributeProto::INT);
          proto.set_i(value);
        } else if constexpr (std::is_same_v<T, float>) {
          proto.set_type(pb::AttributeProto::FLOAT);
          proto.set_f(value);
        } else if constexpr (std::is_same_v<T, std::string>) {
          proto.set_type(pb::AttributeProto::STRING);
          proto.set_s(value);
        } else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
          proto.set_type(pb::AttributeProto::INTS);
          for (std::int64_t each : value)
            proto.add_ints(each);
        } else if constexpr (std::is_same_v<T, std::vector<float>>) {
          proto.set_type(pb::AttributeProto::FLOATS);
          for (float each : value)
            proto.add_floats(each);
        } else {
          static_assert(std::is_same_v<T, Tensor>);
          proto.set_type(pb::AttributeProto::TENSOR);
          write_tensor(value, *proto.mutable_t());
        }
      },
      attribute);
}

void write_node(const Node& node, pb::NodeProto& proto) {
  proto.set_name(node.name);
  proto.set_op_type(node.op_type);
  if (!node.domain.empty()) proto.set_domain(node.domain);
  for (const std::string& input : node.inputs)
    proto.add_input(input);
  for (const std::string& output : node.outputs)
    proto.add_output(output);
  for (const auto& [name, attribute] : node.attributes)
    write_attribute(name, attribute, *proto.add_attribute());
}

void write_value(const ValueInfo& value, pb::ValueInfoProto& proto) {
  proto.set_name(value.name);
  auto& tensor = *proto.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(kind_of(value.type).onnx);
  auto& shape = *tensor.mutable_shape();
  for (std::size_t i = 0; i < value.shape.size(); ++i) {
    auto& dimension = *shape.add_dim();
    if (value.shape[i] >= 0)
      dimension.set_dim_value(value.shape[i]);
    else  // one name an axis: the batch of input and output is the same number
      dimension.set_dim_param(i == 0 ? "batch" : "axis" + std::to_string(i));
  }
}

void write_graph(const Model& model, pb::GraphProto& graph) {
  graph.set_name(model.graph_name);
  for (const ValueInfo& input : model.inputs)
    write_value(input, *graph.add_input());
  for (const ValueInfo& output : model.outputs)
    write_value(output, *graph.add_output());
  for (const Node& node : model.nodes)
    write_node(node, *graph.add_node());
  for (const auto& [name, tensor] : model.initializers) {
    auto& proto = *graph.add_initializer();
    write_tensor(tensor, proto);
    proto.set_name(name);
  }
}

}  // namespace

std::string serialize_model(const Model& model) {
  pb::ModelProto proto;
  proto.set_ir_version(ir_version);
  proto.set_producer_name("assay");
  std::set<std::string> domains;
  for (const Node& node : model.nodes)
    domains.insert(node.domain);
  domains.erase("");
  auto& standard = *proto.add_opset_import();
  standard.set_domain("");
  standard.set_version(model.opset);
  for (const std::string& domain : domains) {
    auto& other = *proto.add_opset_import();
    other.set_domain(domain);
    other.set_version(1);
  }
  write_graph(model, *proto.mutable_graph());
  for (const auto& [key, value] : model.metadata) {
    auto& entry = *proto.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  return proto.SerializeAsString();
}

Status write_model(const Model& model, const std::filesystem::path& path) {
  return write_atomically(path, serialize_model(model));
}

}  // namespace assay::onnx

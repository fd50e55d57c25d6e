// ONNX file to Model. The file is data from anywhere: every size is checked before it is used, and
// what assay cannot represent is refused with the node's name.
#include <fmt/format.h>
#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <set>

#include "compress/onnx/element_type.hpp"
#include "compress/onnx/tensor_reader.hpp"
#include "harness/core/file.hpp"

namespace assay::onnx {
namespace {

namespace pb = ::onnx;

// Models for microcontrollers are a few hundred kilobytes, for a Jetson a few hundred megabytes.
constexpr std::size_t max_file_bytes = std::size_t{512} << 20;
// Below 7 operators broadcast by attribute; above 21 nobody has compared the operators' meanings.
constexpr std::int64_t min_opset = 7;
constexpr std::int64_t max_opset = 21;

std::string standard_domain(const std::string& domain) {
  return domain == "ai.onnx" ? "" : domain;
}

/// Reads one ModelProto; `source` starts every message.
class ModelReader {
 public:
  ModelReader(const pb::ModelProto& proto, const std::string& source)
      : proto_(proto), graph_(proto.graph()), source_(source) {}

  Result<Model> run() {
    if (!proto_.has_graph()) return wrong("is not an ONNX model: it holds no graph");
    ASSAY_CHECK(read_opset());
    ASSAY_CHECK(refuse_unsupported());
    model_.graph_name = graph_.name();
    ASSAY_CHECK(read_metadata());
    ASSAY_CHECK(read_initializers());
    ASSAY_CHECK(read_inputs());
    collect_produced();
    for (int i = 0; i < graph_.node_size(); ++i)
      ASSAY_CHECK(read_node(graph_.node(i), i));
    ASSAY_CHECK(read_outputs());
    return std::move(model_);
  }

 private:
  tl::unexpected<Error> wrong(const std::string& what) const {
    return fail(ErrorKind::bad_input, source_ + ": " + what);
  }
  tl::unexpected<Error> wrong(const Node& node, const std::string& what) const {
    return wrong(
        fmt::format("node {} ({}) {}", in_quotes(node.name), in_quotes(node.op_type), what));
  }

  Status read_opset() {
    for (const auto& import : proto_.opset_import()) {
      if (!standard_domain(import.domain()).empty()) continue;
      model_.opset = import.version();
      if (model_.opset >= min_opset && model_.opset <= max_opset) return {};
      return wrong(fmt::format("opset {} is not supported; export the model with opset {} to {}",
                               model_.opset, min_opset, max_opset));
    }
    return wrong("names no version of the ai.onnx operator set");
  }

  Status refuse_unsupported() const {
    if (proto_.functions_size() > 0)
      return wrong("holds model-local functions; export the model with functions inlined");
    if (graph_.sparse_initializer_size() > 0)
      return wrong("holds sparse initializers; store them dense, assay finds the zeros itself");
    return {};
  }

  /// Of what others wrote nothing is shown, and it may have many lines; records and messages repeat
  /// what assay's own properties say.
  Status read_metadata() {
    for (const auto& entry : proto_.metadata_props()) {
      const bool is_ours = entry.key().starts_with("assay.");
      if (is_ours && !(is_text(entry.key()) && is_text(entry.value())))
        return wrong(
            fmt::format("the metadata property {} is {}, which is no UTF-8 text: write it "
                        "anew, or leave it out",
                        in_quotes(entry.key()), in_quotes(entry.value())));
      model_.metadata.insert_or_assign(entry.key(), entry.value());
    }
    return {};
  }

  Status read_initializers() {
    for (const auto& proto : graph_.initializer()) {
      ASSAY_TRY(Tensor tensor, read_tensor(proto, fmt::format("{}: initializer {}", source_,
                                                              in_quotes(proto.name()))));
      ASSAY_CHECK(add_constant(std::move(tensor)));
    }
    return {};
  }

  Status add_constant(Tensor tensor) {
    ASSAY_CHECK(define(tensor.name));
    std::string name = tensor.name;
    model_.initializers.emplace(std::move(name), std::move(tensor));
    return {};
  }

  /// Notes that a value of this name now exists: each may be made only once.
  Status define(const std::string& name) {
    if (name.empty()) return wrong("holds a constant or an input without a name");
    if (!is_text(name))
      return wrong(
          fmt::format("the name of the value {} is no UTF-8 text: rename it and export "
                      "the model again",
                      in_quotes(name)));
    if (!defined_.insert(name).second)
      return wrong(fmt::format("the value {} is made twice", in_quotes(name)));
    return {};
  }

  Result<ValueInfo> read_value(const pb::ValueInfoProto& proto, const char* role) const {
    const std::string what = fmt::format("graph {} {}", role, in_quotes(proto.name()));
    const auto& type = proto.type();
    if (!type.has_tensor_type()) return wrong(what + " is not a tensor");
    const ElementKind* kind = find_kind(type.tensor_type().elem_type());
    if (!kind)
      return wrong(fmt::format("{} has element type {}, which assay does not read", what,
                               onnx_type_name(type.tensor_type().elem_type())));
    if (!type.tensor_type().has_shape()) return wrong(what + " has no shape");
    ValueInfo value{proto.name(), kind->type, {}};
    for (const auto& dimension : type.tensor_type().shape().dim()) {
      const bool fixed = dimension.has_dim_value();
      if (fixed && (dimension.dim_value() < 1 || dimension.dim_value() > INT32_MAX))
        return wrong(fmt::format("{} has a dimension of {}", what, dimension.dim_value()));
      value.shape.push_back(fixed ? dimension.dim_value() : -1);
    }
    return value;
  }

  Status read_inputs() {
    for (const auto& proto : graph_.input()) {
      // Up to IR version 3 initializers are listed among the inputs too.
      if (model_.initializers.contains(proto.name())) continue;
      ASSAY_TRY(ValueInfo input, read_value(proto, "input"));
      ASSAY_CHECK(define(input.name));
      model_.inputs.push_back(std::move(input));
    }
    return {};
  }

  Status read_outputs() {
    if (graph_.output_size() == 0) return wrong("the graph has no output");
    for (const auto& proto : graph_.output()) {
      ASSAY_TRY(ValueInfo output, read_value(proto, "output"));
      if (!defined_.contains(output.name))
        return wrong(fmt::format("graph output {} is made by no node", in_quotes(output.name)));
      model_.outputs.push_back(std::move(output));
    }
    return {};
  }

  /// Names every node's outputs, to tell a wrong order from a missing value.
  void collect_produced() {
    for (const auto& node : graph_.node())
      for (const std::string& output : node.output())
        produced_.insert(output);
  }

  Status read_node(const pb::NodeProto& proto, int index) {
    Node node;
    node.op_type = proto.op_type();
    node.name = proto.name().empty() ? fmt::format("{}_{}", node.op_type, index) : proto.name();
    node.domain = standard_domain(proto.domain());
    node.inputs.assign(proto.input().begin(), proto.input().end());
    node.outputs.assign(proto.output().begin(), proto.output().end());
    if (!is_text(node.name))
      return wrong(
          fmt::format("the name of node {} ({}) is no UTF-8 text: rename it and export "
                      "the model again",
                      index, in_quotes(node.name)));
    if (!is_text(node.op_type) || !is_text(node.domain))
      return wrong(fmt::format("the operator of node {} ({}) is no UTF-8 text", index,
                               in_quotes(node.op_type)));
    if (node.op_type.empty()) return wrong(node, "names no operator");
    ASSAY_CHECK(check_attribute_texts(proto, node));
    ASSAY_CHECK(check_schema(proto, node));
    for (const std::string& input : node.inputs)
      ASSAY_CHECK(check_input(node, input));
    for (const auto& attribute : proto.attribute())
      ASSAY_CHECK(read_attribute(attribute, node));
    if (node.op_type == "Constant" && node.domain.empty()) return fold_constant(std::move(node));
    for (const std::string& output : node.outputs)
      if (!output.empty()) ASSAY_CHECK(define(output));
    model_.nodes.push_back(std::move(node));
    return {};
  }

  /// The library's complaints and ours repeat them.
  Status check_attribute_texts(const pb::NodeProto& proto, const Node& node) const {
    for (const auto& attribute : proto.attribute())
      if (!is_text(attribute.name()) || !is_text(attribute.s()))
        return wrong(node,
                     fmt::format("has attribute {} with a name or value that is no UTF-8 text",
                                 in_quotes(attribute.name())));
    return {};
  }

  /// Numbers of inputs and outputs, names and types of attributes, by the ONNX library's own
  /// operator schemas. An operator it does not know is left to whoever lowers the model.
  Status check_schema(const pb::NodeProto& proto, const Node& node) const {
    try {
      const pb::OpSchema* schema = find_schema(node);
      if (schema) schema->Verify(proto);
      return {};
    } catch (const std::exception& error) {
      return wrong(node, fmt::format("breaks the rules of its operator: {}", one_line(error)));
    }
  }

  /// ONNX Runtime's QuantizeLinear and DequantizeLinear, which add int16, have the inputs and
  /// attributes of the standard's version 13.
  const pb::OpSchema* find_schema(const Node& node) const {
    const bool adds_int16 = node.domain == "com.microsoft" && (node.op_type == "QuantizeLinear" ||
                                                               node.op_type == "DequantizeLinear");
    return adds_int16 ? pb::OpSchemaRegistry::Schema(node.op_type, 13, "")
                      : pb::OpSchemaRegistry::Schema(node.op_type, int(model_.opset), node.domain);
  }

  static std::string one_line(const std::exception& error) {
    std::string text = error.what();
    text = text.substr(0, text.find("\n==>"));  // the library appends its call context
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }, ' ');
    return text;
  }

  Status check_input(const Node& node, const std::string& input) const {
    if (input.empty() || defined_.contains(input)) return {};
    if (produced_.contains(input))
      return wrong(node, fmt::format("reads {} before it is made: the nodes are not in topological "
                                     "order",
                                     in_quotes(input)));
    return wrong(node, fmt::format("reads {}, which is no graph input, no initializer and no "
                                   "node's output",
                                   in_quotes(input)));
  }

  Status read_attribute(const pb::AttributeProto& proto, Node& node) const {
    ASSAY_TRY(Attribute value, attribute_value(proto, node));
    if (node.attributes.emplace(proto.name(), std::move(value)).second) return {};
    return wrong(node, fmt::format("has attribute {} twice", in_quotes(proto.name())));
  }

  Result<Attribute> attribute_value(const pb::AttributeProto& proto, const Node& node) const {
    switch (proto.type()) {
      case pb::AttributeProto::INT:
        return proto.i();
      case pb::AttributeProto::FLOAT:
        return proto.f();
      case pb::AttributeProto::STRING:
        return proto.s();
      case pb::AttributeProto::INTS:
        return std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
      case pb::AttributeProto::FLOATS:
        return std::vector<float>(proto.floats().begin(), proto.floats().end());
      case pb::AttributeProto::TENSOR: {
        ASSAY_TRY(Tensor tensor, read_tensor(proto.t(), fmt::format("{}: node {}, attribute {}",
                                                                    source_, in_quotes(node.name),
                                                                    in_quotes(proto.name()))));
        return tensor;
      }
      default:
        return wrong(node, fmt::format("has attribute {} of a kind assay does not read ({})",
                                       in_quotes(proto.name()),
                                       pb::AttributeProto_AttributeType_Name(proto.type())));
    }
  }

  /// A Constant node becomes an initializer of its output's name.
  Status fold_constant(Node node) {
    if (node.attributes.size() != 1) return wrong(node, "must have exactly one value");
    const auto& [key, value] = *node.attributes.begin();
    Tensor tensor;
    if (const auto* whole = std::get_if<Tensor>(&value)) {
      tensor = *whole;
    } else if (const auto* real = std::get_if<float>(&value)) {
      tensor = Tensor::of<float>("", ElementType::float32, {}, {real, 1});
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      tensor = Tensor::of<std::int64_t>("", ElementType::int64, {}, {integer, 1});
    } else if (const auto* reals = std::get_if<std::vector<float>>(&value)) {
      tensor = Tensor::of<float>("", ElementType::float32, {std::int64_t(reals->size())}, *reals);
    } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
      tensor = Tensor::of<std::int64_t>("", ElementType::int64, {std::int64_t(integers->size())},
                                        *integers);
    } else {
      return wrong(node, fmt::format("has a {} assay cannot hold", in_quotes(key)));
    }
    tensor.name = node.outputs.front();
    return add_constant(std::move(tensor));
  }

  const pb::ModelProto& proto_;
  const pb::GraphProto& graph_;
  const std::string& source_;
  Model model_;
  std::set<std::string> defined_;   ///< inputs, constants, outputs of the nodes read so far
  std::set<std::string> produced_;  ///< outputs of every node
};

}  // namespace

Result<Model> parse_model(std::span<const std::byte> bytes, const std::string& source) {
  if (bytes.size() > max_file_bytes)
    return fail(ErrorKind::bad_input,
                fmt::format("{}: {} MB is more than the {} MB assay reads", source,
                            bytes.size() >> 20, max_file_bytes >> 20));
  pb::ModelProto proto;
  if (!proto.ParseFromArray(bytes.data(), int(bytes.size())))
    return fail(ErrorKind::bad_input,
                source + ": is not an ONNX model, or it is damaged: protobuf cannot parse it");
  return ModelReader(proto, source).run();
}

Result<Model> read_model(const std::filesystem::path& path) {
  std::error_code problem;
  const auto size = std::filesystem::file_size(path, problem);
  if (!problem && size > max_file_bytes)
    return fail(ErrorKind::bad_input, fmt::format("{}: {} MB is more than the {} MB assay reads",
                                                  path.string(), size >> 20, max_file_bytes >> 20));
  ASSAY_TRY(const auto bytes, read_bytes(path));
  return parse_model(bytes, path.string());
}

}  // namespace assay::onnx

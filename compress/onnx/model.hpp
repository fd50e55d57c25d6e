// An ONNX model as plain values, and its file. Only reader.cpp, tensor_reader.cpp,
// element_type.cpp and writer.cpp know protobuf. Plain values and pure functions: thread-safe.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/core/result.hpp"

namespace assay::onnx {

enum class ElementType { float32, float16, int8, uint8, int16, int32, int64 };

/// Bytes of one element.
std::size_t size_of(ElementType type);
std::string_view to_string(ElementType type);

/// A dense constant: row-major, little-endian. A scalar has an empty shape.
struct Tensor {
  std::string name;
  ElementType type = ElementType::float32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> data;

  std::int64_t element_count() const;
  /// The elements; T must be as wide as `type` (asserted). float16 is read as std::uint16_t.
  template <class T>
  std::span<const T> as() const {
    assert(sizeof(T) == size_of(type));
    return {reinterpret_cast<const T*>(data.data()), data.size() / sizeof(T)};
  }
  template <class T>
  static Tensor of(std::string name, ElementType type, std::vector<std::int64_t> shape,
                   std::span<const T> values) {
    auto bytes = std::as_bytes(values);
    return {std::move(name), type, std::move(shape), {bytes.begin(), bytes.end()}};
  }
  bool operator==(const Tensor&) const = default;
};

using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>,
                               std::vector<float>, Tensor>;

/// One operator application.
struct Node {
  std::string name;     ///< never empty after reading: unnamed nodes get "<op_type>_<index>"
  std::string op_type;  ///< "Conv"
  std::string domain;   ///< "" is ai.onnx
  std::vector<std::string> inputs;  ///< "" for an omitted optional input
  std::vector<std::string> outputs;
  std::map<std::string, Attribute> attributes;

  /// An attribute, or the fallback when the node has none of that name and type. Reading a file
  /// checks the attributes of standard operators against their schema, so their types are right.
  std::int64_t integer(const std::string& key, std::int64_t fallback) const;
  float real(const std::string& key, float fallback) const;
  std::string text(const std::string& key, const std::string& fallback) const;
  std::vector<std::int64_t> integers(const std::string& key,
                                     std::vector<std::int64_t> fallback) const;
  bool operator==(const Node&) const = default;
};

/// A graph input or output; -1 stands for a symbolic dimension (the batch).
struct ValueInfo {
  std::string name;
  ElementType type = ElementType::float32;
  std::vector<std::int64_t> shape;

  bool operator==(const ValueInfo&) const = default;
};

/// A model: one graph, nodes in topological order.
struct Model {
  std::int64_t opset = 17;  ///< of ai.onnx
  std::string graph_name;
  std::vector<ValueInfo> inputs;  ///< without the initializers
  std::vector<ValueInfo> outputs;
  std::vector<Node> nodes;
  std::map<std::string, Tensor> initializers;   ///< Constant nodes are folded in here on reading
  std::map<std::string, std::string> metadata;  ///< metadata_props

  /// The constant of that name, or nullptr.
  const Tensor* initializer(const std::string& name) const;
  bool operator==(const Model&) const = default;
};

/// Reads and checks a file: sizes are bounded before anything is allocated, every node input is a
/// graph input, an initializer or an earlier node's output, and standard operators keep to their
/// schema (inputs, attributes). Opset 7 to 21; operators are not interpreted. Errors: bad_input
/// naming file and node; a file above 512 MB, external data, subgraphs, functions and element types
/// other than ElementType's are refused. `source` names the model in messages.
Result<Model> read_model(const std::filesystem::path& path);
Result<Model> parse_model(std::span<const std::byte> bytes, const std::string& source);
/// The same value gives the same bytes (IR version 8, fields and metadata in sorted order).
std::string serialize_model(const Model& model);
/// Written whole or not at all.
Status write_model(const Model& model, const std::filesystem::path& path);

}  // namespace assay::onnx

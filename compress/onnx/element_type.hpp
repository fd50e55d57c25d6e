// Element types and their ONNX numbers: one table, shared by reader and writer. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "compress/onnx/model.hpp"

namespace assay::onnx {

/// What is known about an element type.
struct ElementKind {
  ElementType type;
  int onnx;  ///< TensorProto.DataType
  std::size_t bytes;
  std::string_view name;
};

const ElementKind& kind_of(ElementType type);
/// The kind with that TensorProto.DataType, or nullptr.
const ElementKind* find_kind(int onnx);
/// ONNX's own name of a TensorProto.DataType, for messages: "STRING", or "number 99".
std::string onnx_type_name(int onnx);

}  // namespace assay::onnx

#include "compress/onnx/element_type.hpp"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>

namespace assay::onnx {
namespace {

using ::onnx::TensorProto;

// In the order of ElementType.
constexpr std::array<ElementKind, 7> kinds{{
    {ElementType::float32, TensorProto::FLOAT, 4, "float32"},
    {ElementType::float16, TensorProto::FLOAT16, 2, "float16"},
    {ElementType::int8, TensorProto::INT8, 1, "int8"},
    {ElementType::uint8, TensorProto::UINT8, 1, "uint8"},
    {ElementType::int16, TensorProto::INT16, 2, "int16"},
    {ElementType::int32, TensorProto::INT32, 4, "int32"},
    {ElementType::int64, TensorProto::INT64, 8, "int64"},
}};

}  // namespace

const ElementKind& kind_of(ElementType type) {
  return kinds.at(std::size_t(type));
}

const ElementKind* find_kind(int onnx) {
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const ElementKind& kind) { return kind.onnx == onnx; });
  return found == kinds.end() ? nullptr : &*found;
}

std::string onnx_type_name(int onnx) {
  if (!TensorProto::DataType_IsValid(onnx)) return "number " + std::to_string(onnx);
  return TensorProto::DataType_Name(TensorProto::DataType(onnx));
}

}  // namespace assay::onnx

#include "compress/onnx/tensor_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>

#include "compress/onnx/element_type.hpp"
#include "harness/core/json.hpp"

namespace assay::onnx {
namespace {

using ::onnx::TensorProto;

// raw_data is little-endian and is copied as it is.
static_assert(std::endian::native == std::endian::little);

tl::unexpected<Error> wrong(const std::string& where, const std::string& what) {
  return fail(ErrorKind::bad_input, where + " " + what);
}

/// Product of the dimensions, or nothing when one is negative or the product passes the largest
/// file protobuf can hold.
std::optional<std::int64_t> product(const TensorProto& proto) {
  constexpr std::int64_t limit = std::numeric_limits<std::int32_t>::max();
  std::int64_t count = 1;
  for (std::int64_t extent : proto.dims()) {
    if (extent < 0 || extent > limit) return std::nullopt;
    count *= extent;
    if (count > limit) return std::nullopt;
  }
  return count;
}

/// Appends protobuf's widened values as elements of type T.
template <class T, class Field>
Status narrow(const Field& values, std::vector<std::byte>& data, const std::string& where) {
  data.resize(std::size_t(values.size()) * sizeof(T));
  std::byte* out = data.data();
  for (const auto value : values) {
    if constexpr (!std::is_floating_point_v<T>)
      if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max())
        return wrong(where, fmt::format("holds {}, outside its element type", value));
    const T element = static_cast<T>(value);
    std::memcpy(out, &element, sizeof element);
    out += sizeof element;
  }
  return {};
}

/// Calls `use` with the typed field that holds elements of this type.
template <class Use>
auto with_typed_field(const TensorProto& proto, ElementType type, Use use) {
  switch (type) {
    case ElementType::float32:
      return use(float{}, proto.float_data());
    case ElementType::float16:
      return use(std::uint16_t{}, proto.int32_data());  // the bit pattern
    case ElementType::int8:
      return use(std::int8_t{}, proto.int32_data());
    case ElementType::uint8:
      return use(std::uint8_t{}, proto.int32_data());
    case ElementType::int16:
      return use(std::int16_t{}, proto.int32_data());
    case ElementType::int32:
      return use(std::int32_t{}, proto.int32_data());
    case ElementType::int64:
      break;
  }
  return use(std::int64_t{}, proto.int64_data());
}

Status read_elements(const TensorProto& proto, std::int64_t count, Tensor& tensor,
                     const std::string& where) {
  if (proto.has_raw_data()) {
    const std::string& raw = proto.raw_data();
    const std::size_t expected = std::size_t(count) * size_of(tensor.type);
    if (raw.size() != expected)
      return wrong(where, fmt::format("holds {} bytes, its shape needs {}", raw.size(), expected));
    const auto bytes = std::as_bytes(std::span(raw));
    tensor.data.assign(bytes.begin(), bytes.end());
    return {};
  }
  return with_typed_field(proto, tensor.type, [&](auto element, const auto& field) -> Status {
    if (field.size() != count)
      return wrong(where,
                   fmt::format("holds {} elements, its shape needs {}", field.size(), count));
    return narrow<decltype(element)>(field, tensor.data, where);
  });
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

bool is_text(const std::string& name) {
  if (std::ranges::any_of(name, is_control)) return false;
  try {
    Json(name).dump();  // refuses what is not UTF-8
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

std::string in_quotes(const std::string& name) {
  constexpr std::size_t readable = 80;
  const bool foreign = !is_text(name.substr(0, readable));
  std::string text = "'";
  for (const char c : name.substr(0, readable))
    text += is_control(c) || (foreign && static_cast<unsigned char>(c) >= 0x80) ? '?' : c;
  text += name.size() > readable ? "...'" : "'";
  return text;
}

Result<Tensor> read_tensor(const TensorProto& proto, const std::string& where) {
  if (proto.data_location() == TensorProto::EXTERNAL || proto.external_data_size() > 0)
    return wrong(where,
                 "keeps its values in another file; save the model with all data in one file");
  if (proto.has_segment()) return wrong(where, "is stored in segments, which assay does not read");
  const ElementKind* kind = find_kind(proto.data_type());
  if (!kind)
    return wrong(where, fmt::format("has element type {}, which assay does not read",
                                    onnx_type_name(proto.data_type())));
  const auto count = product(proto);
  if (!count) return wrong(where, "has an impossible shape");
  Tensor tensor;
  tensor.name = proto.name();
  tensor.type = kind->type;
  tensor.shape.assign(proto.dims().begin(), proto.dims().end());
  ASSAY_CHECK(read_elements(proto, *count, tensor, where));
  return tensor;
}

}  // namespace assay::onnx

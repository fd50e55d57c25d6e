#include "harness/core/element.hpp"

#include <bit>
#include <cassert>
#include <cstring>

namespace assay {

static_assert(std::endian::native == std::endian::little, "elements are little endian");

namespace {

template <class T>
float read_as(ElementBytes bytes, std::size_t index) {
  assert((index + 1) * sizeof(T) <= bytes.size());
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return static_cast<float>(value);
}

template <class T>
std::vector<std::int8_t> copy_bytes(std::span<const T> values) {
  std::vector<std::int8_t> bytes(values.size_bytes());
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace

std::string_view to_string(Element element) {
  switch (element) {
    case Element::int8:
      return "int8";
    case Element::int16:
      return "int16";
    case Element::float32:
      return "float32";
  }
  return "unknown";
}

std::optional<Element> element_of_code(unsigned code) {
  for (const Element element : {Element::int8, Element::int16, Element::float32})
    if (code == static_cast<unsigned>(element)) return element;
  return std::nullopt;
}

float read_element(ElementBytes bytes, std::size_t index, Element element) {
  if (element == Element::float32) return read_as<float>(bytes, index);
  if (element == Element::int16) return read_as<std::int16_t>(bytes, index);
  return read_as<std::int8_t>(bytes, index);
}

std::vector<std::int8_t> bytes_of(std::span<const float> values) {
  return copy_bytes(values);
}

std::vector<std::int8_t> bytes_of(std::span<const std::int16_t> values) {
  return copy_bytes(values);
}

}  // namespace assay

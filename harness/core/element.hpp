// What one element of an activation is, on a device, on the wire and in a file of logits: its type
// and how its bytes (little endian) are read. Plain values and pure functions: thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace assay {

/// The value is the element's size in bytes, and its code on the wire.
enum class Element : std::uint8_t { int8 = 1, int16 = 2, float32 = 4 };

constexpr std::size_t size_of(Element element) {
  return static_cast<std::size_t>(element);
}

/// The smallest and the largest number that an integer element can be; of float32 nothing.
struct ElementRange {
  int lowest = 0;
  int highest = 0;
};
constexpr ElementRange range_of(Element element) {
  if (element == Element::int8) return {-128, 127};
  if (element == Element::int16) return {-32768, 32767};
  return {};
}

/// "int8", "float32": the name in records and sentences.
std::string_view to_string(Element element);

/// The element of that wire code; nothing for a number that is none.
std::optional<Element> element_of_code(unsigned code);

/// Bytes that may be another type underneath: the elements of a sample, or of logits.
using ElementBytes = std::span<const std::int8_t>;

/// Element `index` of `bytes` as a number; each type's values are exact in float.
float read_element(ElementBytes bytes, std::size_t index, Element element);

/// The bytes of numbers, as a device takes them.
std::vector<std::int8_t> bytes_of(std::span<const float> values);
std::vector<std::int8_t> bytes_of(std::span<const std::int16_t> values);

}  // namespace assay

// Numbers of the wire format that host and device share; FORMAT.md says what they mean.
// Freestanding C++17. Values only, so safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay::wire {

constexpr std::uint16_t version = 2;

enum class Type : std::uint8_t {
  hello = 0x01,
  poll = 0x02,
  sample = 0x03,
  measure = 0x04,
  echo = 0x05,
  hello_answer = 0x81,
  state = 0x82,
  logits = 0x83,
  measuring = 0x84,
  timing = 0x85,
  echo_answer = 0x86,
  error = 0xFF,
};

/// True for types that travel from the device to the host.
constexpr bool is_answer(Type type) {
  return static_cast<std::uint8_t>(type) >= 0x80;
}

enum class ErrorCode : std::uint8_t {
  unknown_type = 1,
  wrong_size = 2,
  no_session = 3,
};

/// Flags of the timing message.
constexpr std::uint8_t timing_has_cycles = 1;
constexpr std::uint8_t timing_has_stack = 2;
constexpr std::uint8_t timing_has_resident = 4;

constexpr std::size_t frame_head = 3;  ///< type and sequence
constexpr std::size_t frame_tail = 4;  ///< CRC
/// What stands before the input in a sample and a measure: index or id.
constexpr std::size_t input_head = 4;
/// The longest payload without an input, an echo's, that every device takes.
constexpr std::size_t max_plain_payload = 256;
constexpr std::size_t max_unanswered_polls = 4;
/// Room in the device's ring beside the window: for polls and hellos, and for what arrives while
/// they are answered.
constexpr std::size_t ring_reserve = 256;

/// True for requests that carry a model's input.
constexpr bool has_input(Type type) {
  return type == Type::sample || type == Type::measure;
}

/// Bytes on the link that a frame with `payload` bytes takes at most, delimiters included.
constexpr std::size_t encoded_bound(std::size_t payload) {
  const std::size_t content = frame_head + payload + frame_tail;
  return content + (content + 253) / 254 + 2;
}

inline void put_u16(std::uint8_t* to, std::uint16_t value) {
  to[0] = static_cast<std::uint8_t>(value);
  to[1] = static_cast<std::uint8_t>(value >> 8);
}
inline void put_u32(std::uint8_t* to, std::uint32_t value) {
  put_u16(to, static_cast<std::uint16_t>(value));
  put_u16(to + 2, static_cast<std::uint16_t>(value >> 16));
}
inline std::uint16_t get_u16(const std::uint8_t* from) {
  return static_cast<std::uint16_t>(from[0] | from[1] << 8);
}
inline std::uint32_t get_u32(const std::uint8_t* from) {
  return get_u16(from) | static_cast<std::uint32_t>(get_u16(from + 2)) << 16;
}

}  // namespace assay::wire

// Reads the fields of a payload one after the other; reading past its end gives zeros and makes it
// incomplete. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "targets/wire/frame.hpp"

namespace assay {

class Fields {
 public:
  explicit Fields(const wire::Frame& frame) : data_(frame.payload), left_(frame.size) {}

  std::uint8_t u8() {
    const std::uint8_t* at = take(1);
    return at ? *at : 0;
  }
  std::uint16_t u16() {
    const std::uint8_t* at = take(2);
    return at ? wire::get_u16(at) : 0;
  }
  std::uint32_t u32() {
    const std::uint8_t* at = take(4);
    return at ? wire::get_u32(at) : 0;
  }
  std::vector<std::uint8_t> bytes(std::size_t count) {
    const std::uint8_t* at = take(count);
    return at ? std::vector<std::uint8_t>(at, at + count) : std::vector<std::uint8_t>();
  }
  /// A length u8 and that many bytes.
  std::vector<std::uint8_t> counted() { return bytes(u8()); }
  /// Every field was there and nothing is left.
  bool complete() const { return !short_ && left_ == 0; }

 private:
  const std::uint8_t* take(std::size_t count) {
    if (count > left_) {
      short_ = true;
      return nullptr;
    }
    const std::uint8_t* at = data_;
    data_ += count;
    left_ -= count;
    return at;
  }

  const std::uint8_t* data_;
  std::size_t left_;
  bool short_ = false;
};

}  // namespace assay

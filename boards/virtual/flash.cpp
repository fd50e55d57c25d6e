#include "boards/virtual/flash.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace assay::virtual_board {

void FlashArray::note_change(std::uint32_t first, std::uint32_t last) {
  changed_first_ = std::min(changed_first_, first);
  changed_last_ = std::max(changed_last_, last);
}

void FlashArray::clear_bits(std::uint32_t offset, std::uint8_t value) {
  if (offset >= bytes_.size()) return;
  bytes_[offset] &= value;
  if (stuck_offset_ == offset) bytes_[offset] &= static_cast<std::uint8_t>(~stuck_mask_);
  note_change(offset, offset + 1);
}

void FlashArray::erase(std::uint32_t offset, std::uint32_t size) {
  if (offset >= bytes_.size()) return;
  const std::uint32_t end = offset + std::min<std::uint32_t>(size, this->size() - offset);
  std::fill(bytes_.begin() + offset, bytes_.begin() + end, std::uint8_t{0xFF});
  if (stuck_offset_ && *stuck_offset_ >= offset && *stuck_offset_ < end)
    bytes_[*stuck_offset_] &= static_cast<std::uint8_t>(~stuck_mask_);
  note_change(offset, end);
}

void FlashArray::set_stuck_bit(std::optional<std::uint32_t> offset, unsigned bit) {
  stuck_offset_ = offset;
  stuck_mask_ = static_cast<std::uint8_t>(1u << (bit & 7));
  if (offset) clear_bits(*offset, static_cast<std::uint8_t>(~stuck_mask_));
}

std::optional<std::pair<std::uint32_t, std::uint32_t>> FlashArray::take_changes() {
  if (!changed()) return std::nullopt;
  const std::pair range(changed_first_, changed_last_);
  changed_first_ = ~0u;
  changed_last_ = 0;
  return range;
}

void KeyLock::write(std::uint32_t key) {
  if (blocked_ || !locked_) return;
  if (!first_key_ && key == keys_[0]) {
    first_key_ = true;
  } else if (first_key_ && key == keys_[1]) {
    locked_ = false;
    first_key_ = false;
  } else {
    blocked_ = true;
  }
}

Result<std::unique_ptr<FlashController>> make_flash_controller(const std::string& name,
                                                               FlashArray& array) {
  if (name == "stm32f4") return make_flash_stm32f4(array);
  if (name == "stm32f0") return make_flash_stm32f0(array);
  if (name == "stm32f7") return make_flash_stm32f7(array);
  if (name == "stm32h7") return make_flash_stm32h7(array);
  if (name == "stm32h7a3") return make_flash_stm32h7a3(array);
  return fail(ErrorKind::bad_input,
              fmt::format("flash_controller \"{}\" has no virtual model; known: stm32f0, stm32f4, "
                          "stm32f7, stm32h7, stm32h7a3",
                          name));
}

}  // namespace assay::virtual_board

#include "boards/virtual/flash.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

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

namespace {

struct ControllerRow {
  std::string_view name;
  std::unique_ptr<FlashController> (*make)(FlashArray& array);
};
constexpr std::array controllers{ControllerRow{"stm32f0", make_flash_stm32f0},
                                 ControllerRow{"stm32f4", make_flash_stm32f4},
                                 ControllerRow{"stm32f7", make_flash_stm32f7},
                                 ControllerRow{"stm32g0", make_flash_stm32g0},
                                 ControllerRow{"stm32h7", make_flash_stm32h7},
                                 ControllerRow{"stm32h7a3", make_flash_stm32h7a3},
                                 ControllerRow{"stm32l4", make_flash_stm32l4},
                                 ControllerRow{"stm32l4plus", make_flash_stm32l4plus},
                                 ControllerRow{"stm32u5", make_flash_stm32u5}};

}  // namespace

Result<std::unique_ptr<FlashController>> make_flash_controller(const std::string& name,
                                                               FlashArray& array) {
  std::vector<std::string_view> known;
  for (const ControllerRow& row : controllers) {
    if (row.name == name) return row.make(array);
    known.push_back(row.name);
  }
  return fail(ErrorKind::bad_input,
              fmt::format("flash_controller \"{}\" has no virtual model; known: {}", name,
                          fmt::join(known, ", ")));
}

}  // namespace assay::virtual_board

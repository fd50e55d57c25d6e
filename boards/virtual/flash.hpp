// Flash controllers: the registers that erase, and what a store to the flash array does. Errors end
// in the status register exactly as on the chip, so the real flash drivers see them. Used by one
// thread at a time (the board's lock is held).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "boards/virtual/peripheral.hpp"
#include "harness/core/result.hpp"

namespace assay::virtual_board {

/// The array itself, with the faults that can be injected into it.
class FlashArray {
 public:
  explicit FlashArray(std::span<std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint32_t size() const { return static_cast<std::uint32_t>(bytes_.size()); }
  std::uint8_t at(std::uint32_t offset) const { return bytes_[offset]; }
  /// Clears the bits that are 0 in `value`; programming never sets a bit.
  void clear_bits(std::uint32_t offset, std::uint8_t value);
  void erase(std::uint32_t offset, std::uint32_t size);

  /// A bit that stays 0 after erasing and programming; nothing: no bit is stuck.
  void set_stuck_bit(std::optional<std::uint32_t> offset, unsigned bit);
  /// Offsets changed since the last call, [first, last); nothing changed: empty.
  std::optional<std::pair<std::uint32_t, std::uint32_t>> take_changes();
  bool changed() const { return changed_first_ < changed_last_; }

 private:
  void note_change(std::uint32_t first, std::uint32_t last);

  std::span<std::uint8_t> bytes_;
  std::optional<std::uint32_t> stuck_offset_;
  std::uint8_t stuck_mask_ = 0;
  std::uint32_t changed_first_ = ~0u;
  std::uint32_t changed_last_ = 0;
};

class FlashController : public Peripheral {
 public:
  /// A store of `size` bytes by the processor or the debugger.
  virtual void program(std::uint32_t offset, std::uint32_t size, std::uint32_t value) = 0;
  virtual std::uint32_t register_base() const = 0;
  /// Protects every page or sector in the option bytes.
  virtual void set_write_protected(bool on) = 0;
  /// Wait states of a read, where the model minds whether they suffice.
  virtual std::optional<std::uint32_t> wait_states() const { return std::nullopt; }
};

/// Errors: bad_input when no controller of that name is known.
Result<std::unique_ptr<FlashController>> make_flash_controller(const std::string& name,
                                                               FlashArray& array);

std::unique_ptr<FlashController> make_flash_stm32f4(FlashArray& array);
std::unique_ptr<FlashController> make_flash_stm32f0(FlashArray& array);
std::unique_ptr<FlashController> make_flash_stm32f7(FlashArray& array);
std::unique_ptr<FlashController> make_flash_stm32h7(FlashArray& array);
std::unique_ptr<FlashController> make_flash_stm32h7a3(FlashArray& array);
std::unique_ptr<FlashController> make_flash_stm32l4(FlashArray& array);
std::unique_ptr<FlashController> make_flash_stm32l4plus(FlashArray& array);
std::unique_ptr<FlashController> make_flash_stm32g0(FlashArray& array);
std::unique_ptr<FlashController> make_flash_stm32u5(FlashArray& array);

/// The two-word key sequence that unlocks a controller; a wrong word locks until reset.
class KeyLock {
 public:
  explicit KeyLock(std::uint32_t first = 0x45670123, std::uint32_t second = 0xCDEF89AB)
      : keys_{first, second} {}

  bool locked() const { return locked_; }
  void lock() { locked_ = true, first_key_ = false; }
  void reset() { locked_ = true, first_key_ = false, blocked_ = false; }
  void write(std::uint32_t key);

 private:
  std::uint32_t keys_[2];
  bool locked_ = true;
  bool first_key_ = false;
  bool blocked_ = false;
};

}  // namespace assay::virtual_board

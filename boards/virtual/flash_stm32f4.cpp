// Flash interface of the STM32F405 (RM0090 rev 19, section 3): sectors of 16, 64 and 128 KB,
// programming in the width that PSIZE says.
#include "boards/virtual/flash.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t acr = 0x00, keyr = 0x04, optkeyr = 0x08, sr = 0x0C, cr = 0x10, optcr = 0x14;

// FLASH_SR
constexpr std::uint32_t sr_eop = 1u << 0, sr_wrperr = 1u << 4, sr_pgaerr = 1u << 5,
                        sr_pgperr = 1u << 6, sr_pgserr = 1u << 7;
constexpr std::uint32_t sr_clearable = 0xF3;
// FLASH_CR
constexpr std::uint32_t cr_pg = 1u << 0, cr_ser = 1u << 1, cr_mer = 1u << 2, cr_strt = 1u << 16,
                        cr_lock = 1u << 31;

constexpr int sector_count = 12;
constexpr std::uint32_t optcr_reset = 0x0FFFAAED;  // nothing protected, level 0

struct Sector {
  std::uint32_t offset;
  std::uint32_t size;
};

// RM0090, table 5.
Sector sector(unsigned number) {
  if (number < 4) return {number * 0x4000, 0x4000};
  if (number == 4) return {0x10000, 0x10000};
  return {(number - 4) * 0x20000, 0x20000};
}

unsigned sector_of(std::uint32_t offset) {
  if (offset < 0x10000) return offset / 0x4000;
  if (offset < 0x20000) return 4;
  return 4 + offset / 0x20000;
}

class FlashStm32F4 final : public FlashController {
 public:
  explicit FlashStm32F4(FlashArray& array) : array_(array) {}

  std::uint32_t register_base() const override { return 0x40023C00; }

  void reset() override {
    lock_.reset();
    option_lock_.reset();
    status_ = control_ = access_ = 0;
  }

  std::uint32_t read(std::uint32_t offset) override {
    switch (offset) {
      case acr:
        return access_;
      case sr:
        return status_;
      case cr:
        return control_ | (lock_.locked() ? cr_lock : 0);
      case optcr:
        return option_ | (option_lock_.locked() ? 1 : 0);
      default:
        return 0;
    }
  }

  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    switch (offset) {
      case acr:
        access_ = merge_lanes(access_, value, lanes);
        break;
      case keyr:
        lock_.write(value);
        break;
      case optkeyr:
        option_key(value);
        break;
      case sr:
        status_ &= ~(value & lanes & sr_clearable);
        break;
      case cr:
        write_control(merge_lanes(control_, value, lanes));
        break;
      case optcr:
        if (!option_lock_.locked()) option_ = merge_lanes(option_, value, lanes) & 0x0FFFFFEC;
        if (value & lanes & 1) option_lock_.lock();
        break;
      default:
        break;
    }
  }

  void program(std::uint32_t offset, std::uint32_t size, std::uint32_t value) override {
    if (lock_.locked() || !(control_ & cr_pg)) {
      status_ |= sr_pgserr;
    } else if (1u << (control_ >> 8 & 3) != size) {
      status_ |= sr_pgperr;
    } else if (offset % 16 + size > 16) {
      status_ |= sr_pgaerr;
    } else if (is_protected(sector_of(offset))) {
      status_ |= sr_wrperr;
    } else {
      for (std::uint32_t i = 0; i < size; ++i)
        array_.clear_bits(offset + i, static_cast<std::uint8_t>(value >> 8 * i));
      status_ |= sr_eop;
    }
  }

  void set_write_protected(bool on) override {
    option_ = on ? option_ & 0xF000FFFF : option_ | 0x0FFF0000;
  }

 private:
  // The option lock has keys of its own; the lock's logic is the same (section 3.6.3).
  void option_key(std::uint32_t value) {
    if (value == 0x08192A3B)
      option_lock_.write(0x45670123);
    else if (value == 0x4C5D6E7F)
      option_lock_.write(0xCDEF89AB);
    else
      option_lock_.write(value);
  }

  bool is_protected(unsigned number) const { return !(option_ >> (16 + number) & 1); }

  void write_control(std::uint32_t value) {
    if (lock_.locked()) return;
    if (value & cr_lock) return lock_.lock();
    control_ = value & ~cr_strt;
    if (!(value & cr_strt)) return;
    if (value & cr_mer) {
      for (unsigned number = 0; number < sector_count; ++number)
        if (is_protected(number)) {
          status_ |= sr_wrperr;
          return;
        }
      array_.erase(0, array_.size());
      status_ |= sr_eop;
    } else if (value & cr_ser) {
      erase_sector(value >> 3 & 15);
    }
  }

  void erase_sector(unsigned number) {
    if (number >= sector_count || is_protected(number)) {
      status_ |= sr_wrperr;
      return;
    }
    array_.erase(sector(number).offset, sector(number).size);
    status_ |= sr_eop;
  }

  FlashArray& array_;
  KeyLock lock_, option_lock_;
  std::uint32_t status_ = 0;
  std::uint32_t control_ = 0;
  std::uint32_t access_ = 0;
  std::uint32_t option_ = optcr_reset & ~1u;  // option bytes survive a reset
};

}  // namespace

std::unique_ptr<FlashController> make_flash_stm32f4(FlashArray& array) {
  return std::make_unique<FlashStm32F4>(array);
}

}  // namespace assay::virtual_board

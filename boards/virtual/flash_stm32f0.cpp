// Flash interface of the STM32F030 (RM0360 rev 5, section 3): half-word programming, pages of 1 KB,
// 2 KB on parts with 128 KB of flash or more.
#include "boards/virtual/flash.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t acr = 0x00, keyr = 0x04, optkeyr = 0x08, sr = 0x0C, cr = 0x10, ar = 0x14,
                        obr = 0x1C, wrpr = 0x20;

// FLASH_SR
constexpr std::uint32_t sr_pgerr = 1u << 2, sr_wrprterr = 1u << 4, sr_eop = 1u << 5;
// FLASH_CR
constexpr std::uint32_t cr_pg = 1u << 0, cr_per = 1u << 1, cr_mer = 1u << 2, cr_strt = 1u << 6,
                        cr_lock = 1u << 7, cr_optwre = 1u << 9;

constexpr std::uint32_t obr_unprotected = 0x03FFFFF0;
constexpr std::uint32_t protection_unit = 4096;  // one WRPR bit covers 4 KB, the last one the rest

class FlashStm32F0 final : public FlashController {
 public:
  explicit FlashStm32F0(FlashArray& array)
      : array_(array), page_(array.size() >= 128 * 1024 ? 2048 : 1024) {}

  std::uint32_t register_base() const override { return 0x40022000; }

  void reset() override {
    lock_.reset();
    option_lock_.reset();
    status_ = control_ = address_ = 0;
    access_ = 0;
  }

  std::uint32_t read(std::uint32_t offset) override {
    switch (offset) {
      case acr:
        return access_ | (access_ & 0x10) << 1;  // PRFTBS follows PRFTBE
      case sr:
        return status_;
      case cr:
        return control_ | (lock_.locked() ? cr_lock : 0) | (option_lock_.locked() ? 0 : cr_optwre);
      case ar:
        return address_;
      case obr:
        return obr_unprotected;
      case wrpr:
        return not_protected_;
      default:
        return 0;
    }
  }

  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    switch (offset) {
      case acr:
        access_ = merge_lanes(access_, value, lanes) & 0x1F;
        break;
      case keyr:
        lock_.write(value);
        break;
      case optkeyr:
        option_lock_.write(value);
        break;
      case sr:
        status_ &= ~(value & lanes & (sr_pgerr | sr_wrprterr | sr_eop));
        break;
      case cr:
        write_control(merge_lanes(control_, value, lanes));
        break;
      case ar:
        address_ = merge_lanes(address_, value, lanes);
        break;
      default:
        break;
    }
  }

  void program(std::uint32_t offset, std::uint32_t size, std::uint32_t value) override {
    if (lock_.locked() || !(control_ & cr_pg) || size != 2) {
      status_ |= sr_pgerr;
    } else if (is_protected(offset)) {
      status_ |= sr_wrprterr;
    } else if ((array_.at(offset) & array_.at(offset + 1)) != 0xFF && value != 0) {
      status_ |= sr_pgerr;  // only an erased half-word, or 0 over anything, can be programmed
    } else {
      array_.clear_bits(offset, static_cast<std::uint8_t>(value));
      array_.clear_bits(offset + 1, static_cast<std::uint8_t>(value >> 8));
      status_ |= sr_eop;
    }
  }

  void set_write_protected(bool on) override { not_protected_ = on ? 0 : 0xFFFFFFFF; }

 private:
  bool is_protected(std::uint32_t offset) const {
    const std::uint32_t unit = offset / protection_unit;
    return !(not_protected_ >> (unit < 31 ? unit : 31) & 1);
  }

  void write_control(std::uint32_t value) {
    if (lock_.locked()) return;
    if (value & cr_lock) return lock_.lock();
    control_ = value & ~(cr_strt | cr_optwre);
    if (!(value & cr_strt)) return;
    if (value & cr_mer) {
      if (not_protected_ != 0xFFFFFFFF) {
        status_ |= sr_wrprterr;
        return;
      }
      array_.erase(0, array_.size());
    } else if (value & cr_per) {
      const std::uint32_t offset = (address_ & 0x07FFFFFF) / page_ * page_;
      if (is_protected(offset)) {
        status_ |= sr_wrprterr;
        return;
      }
      array_.erase(offset, page_);
    }
    status_ |= sr_eop;
  }

  FlashArray& array_;
  std::uint32_t page_;
  KeyLock lock_, option_lock_;
  std::uint32_t status_ = 0;
  std::uint32_t control_ = 0;
  std::uint32_t address_ = 0;
  std::uint32_t access_ = 0;
  std::uint32_t not_protected_ = 0xFFFFFFFF;  // option bytes survive a reset
};

}  // namespace

std::unique_ptr<FlashController> make_flash_stm32f0(FlashArray& array) {
  return std::make_unique<FlashStm32F0>(array);
}

}  // namespace assay::virtual_board

// Flash interface of the STM32F405 (RM0090 rev 19, section 3) and of the STM32F7 (RM0385, RM0410,
// section 3), whose sectors are twice as large: programming in the width that PSIZE says.
#include "boards/virtual/flash.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t acr = 0x00, keyr = 0x04, optkeyr = 0x08, sr = 0x0C, cr = 0x10, optcr = 0x14,
                        optcr1 = 0x18;

// FLASH_SR
constexpr std::uint32_t sr_eop = 1u << 0, sr_wrperr = 1u << 4, sr_pgaerr = 1u << 5,
                        sr_pgperr = 1u << 6, sr_pgserr = 1u << 7;
constexpr std::uint32_t sr_clearable = 0xF3;
// FLASH_CR
constexpr std::uint32_t cr_pg = 1u << 0, cr_ser = 1u << 1, cr_mer = 1u << 2, cr_mer2 = 1u << 15,
                        cr_strt = 1u << 16, cr_lock = 1u << 31;
constexpr std::uint32_t ndbank = 1u << 29;  // FLASH_OPTCR: one bank

/// What differs between the chips.
struct Layout {
  std::uint32_t
      smallest_sector;         ///< four of these, one four times and the rest eight times as large
  std::uint32_t option_reset;  ///< FLASH_OPTCR as delivered: nothing protected, level 0
  std::uint32_t option_mask;   ///< its bits that are there, without the lock and start bits
  std::uint32_t boot_addresses;  ///< FLASH_OPTCR1
  bool two_banks_possible;       ///< nDBANK halves the sectors and doubles their number
};
constexpr Layout stm32f405{0x4000, 0x0FFFAAEC, 0x0FFFFFEC, 0, false};         // RM0090 3.9
constexpr Layout stm32f74x{0x8000, 0xC0FFAAFC, 0xC0FFFFFC, 0x400080, false};  // RM0385 3.7
constexpr Layout stm32f77x{0x8000, 0xFFFFAAFC, 0xFFFFFFFC, 0x400080, true};   // RM0410 3.7

struct Sector {
  std::uint32_t offset;
  std::uint32_t size;
};

/// Within one bank: RM0090 table 5, RM0385 table 3.
Sector sector(unsigned number, std::uint32_t smallest) {
  if (number < 4) return {number * smallest, smallest};
  if (number == 4) return {4 * smallest, 4 * smallest};
  return {(number - 4) * 8 * smallest, 8 * smallest};
}

unsigned sector_of(std::uint32_t offset, std::uint32_t smallest) {
  if (offset < 4 * smallest) return offset / smallest;
  if (offset < 8 * smallest) return 4;
  return 4 + offset / (8 * smallest);
}

class FlashStm32F4 final : public FlashController {
 public:
  FlashStm32F4(FlashArray& array, const Layout& layout)
      : array_(array), layout_(layout), option_(layout.option_reset) {}

  std::uint32_t register_base() const override { return 0x40023C00; }
  std::optional<std::uint32_t> wait_states() const override { return access_ & 15; }

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
      case optcr1:
        return layout_.boot_addresses;
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
        option_lock_.write(value);
        break;
      case sr:
        status_ &= ~(value & lanes & sr_clearable);
        break;
      case cr:
        write_control(merge_lanes(control_, value, lanes));
        break;
      case optcr:
        if (!option_lock_.locked())
          option_ = merge_lanes(option_, value, lanes) & layout_.option_mask;
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
    } else if (is_protected(sector_of(offset % bank_size(), smallest()) + first_of_bank(offset))) {
      status_ |= sr_wrperr;
    } else {
      for (std::uint32_t i = 0; i < size; ++i)
        array_.clear_bits(offset + i, static_cast<std::uint8_t>(value >> 8 * i));
      status_ |= sr_eop;
    }
  }

  void set_write_protected(bool on) override {
    option_ = on ? option_ & 0xF000FFFF : option_ | (layout_.option_reset & 0x0FFF0000);
  }

 private:
  bool two_banks() const { return layout_.two_banks_possible && !(option_ & ndbank); }
  std::uint32_t smallest() const { return layout_.smallest_sector / (two_banks() ? 2 : 1); }
  std::uint32_t bank_size() const { return array_.size() / (two_banks() ? 2 : 1); }
  /// Sectors of a bank.
  unsigned count() const { return sector_of(bank_size() - 1, smallest()) + 1; }
  unsigned first_of_bank(std::uint32_t offset) const { return offset / bank_size() * count(); }

  /// One bit a sector; with two banks one for two (RM0410 3.7.6).
  bool is_protected(unsigned number) const {
    return !(option_ >> (16 + (two_banks() ? number / 2 : number)) & 1);
  }

  void write_control(std::uint32_t value) {
    if (lock_.locked()) return;
    if (value & cr_lock) return lock_.lock();
    control_ = value & ~cr_strt;
    if (!(value & cr_strt)) return;
    if (value & cr_mer) erase_bank(0);
    if (two_banks() && value & cr_mer2) erase_bank(1);
    if (value & (cr_mer | cr_mer2) || !(value & cr_ser)) return;
    // With two banks bit 4 of the sector number says which (RM0410 3.7.5).
    const unsigned field = value >> 3 & (two_banks() ? 31 : 15);
    const unsigned bank = two_banks() ? field >> 4 : 0;
    erase_sector(bank, two_banks() ? field & 15 : field);
  }

  void erase_bank(unsigned bank) {
    for (unsigned number = 0; number < count(); ++number)
      if (is_protected(bank * count() + number)) {
        status_ |= sr_wrperr;
        return;
      }
    array_.erase(bank * bank_size(), bank_size());
    status_ |= sr_eop;
  }

  void erase_sector(unsigned bank, unsigned number) {
    if (number >= count() || is_protected(bank * count() + number)) {
      status_ |= sr_wrperr;
      return;
    }
    const Sector wanted = sector(number, smallest());
    array_.erase(bank * bank_size() + wanted.offset, wanted.size);
    status_ |= sr_eop;
  }

  FlashArray& array_;
  const Layout& layout_;
  KeyLock lock_;
  KeyLock option_lock_{0x08192A3B, 0x4C5D6E7F};
  std::uint32_t status_ = 0;
  std::uint32_t control_ = 0;
  std::uint32_t access_ = 0;
  std::uint32_t option_;  // option bytes survive a reset
};

}  // namespace

std::unique_ptr<FlashController> make_flash_stm32f4(FlashArray& array) {
  return std::make_unique<FlashStm32F4>(array, stm32f405);
}

std::unique_ptr<FlashController> make_flash_stm32f7(FlashArray& array) {
  constexpr std::uint32_t largest_of_f74x = 1 << 20;
  return std::make_unique<FlashStm32F4>(array,
                                        array.size() > largest_of_f74x ? stm32f77x : stm32f74x);
}

}  // namespace assay::virtual_board

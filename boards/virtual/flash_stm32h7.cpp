// Flash interface of the STM32H7: two banks with registers of their own, programmed in flash words
// that a write buffer collects. H74x: RM0433 rev 7, section 4 (words of 32 bytes, sectors of
// 128 KB); H7A3: RM0455 rev 3, section 4 (words of 16 bytes, sectors of 8 KB).
#include <algorithm>
#include <array>

#include "boards/virtual/flash.hpp"

namespace assay::virtual_board {
namespace {

// Offsets within a bank's 256 bytes; the option registers answer in both.
constexpr std::uint32_t acr = 0x00, keyr = 0x04, optkeyr = 0x08, cr = 0x0C, sr = 0x10, ccr = 0x14,
                        optcr = 0x18, optsr_cur = 0x1C, optsr_prg = 0x20, optccr = 0x24,
                        wpsn_cur = 0x38, wpsn_prg = 0x3C;
constexpr std::uint32_t bank_registers = 0x100;

// FLASH_SR
constexpr std::uint32_t sr_wbne = 1u << 1, sr_eop = 1u << 16, sr_wrperr = 1u << 17,
                        sr_pgserr = 1u << 18, sr_strberr = 1u << 19, sr_incerr = 1u << 21;
// FLASH_CR, alike on all
constexpr std::uint32_t cr_lock = 1u << 0, cr_pg = 1u << 1, cr_ser = 1u << 2, cr_ber = 1u << 3;
// FLASH_OPTCR, FLASH_OPTSR
constexpr std::uint32_t opt_lock = 1u << 0, opt_start = 1u << 1, opt_reset = 0x0006AAF0;

struct Layout {
  std::uint32_t word;    ///< bytes of a flash word
  std::uint32_t sector;  ///< bytes
  std::uint32_t sectors_per_protection;
  std::uint32_t force_write;  ///< FLASH_CR.FW
  std::uint32_t start;        ///< FLASH_CR.START
  std::uint32_t sector_shift, sector_mask;
  std::uint32_t access_reset;  ///< FLASH_ACR
  std::uint32_t protection_mask;
};
constexpr Layout stm32h74x{32, 0x20000, 1, 1u << 6, 1u << 7, 8, 7, 0x37, 0xFF};
constexpr Layout stm32h7a3{16, 0x2000, 4, 1u << 4, 1u << 5, 6, 0x7F, 0x13, 0xFFFFFFFF};
constexpr std::uint32_t largest_word = 32;

class FlashBank {
 public:
  FlashBank(FlashArray& array, const Layout& layout, std::uint32_t first, std::uint32_t size)
      : array_(array), layout_(layout), first_(first), size_(size) {
    protection_ = wanted_protection_ = layout.protection_mask;  // option bytes survive a reset
  }

  void reset() {
    lock_.reset();
    status_ = control_ = 0;
    collected_ = 0;
  }

  std::uint32_t read(std::uint32_t offset) const {
    switch (offset) {
      case cr:
        return control_ | (lock_.locked() ? cr_lock : 0);
      case sr:
        return status_ | (collected_ ? sr_wbne : 0);
      case wpsn_cur:
        return protection_;
      case wpsn_prg:
        return wanted_protection_;
      default:
        return 0;
    }
  }

  void write(std::uint32_t offset, std::uint32_t value, bool options_locked) {
    if (offset == keyr)
      lock_.write(value);
    else if (offset == ccr)
      status_ &= ~value;
    else if (offset == cr)
      write_control(value);
    else if (offset == wpsn_prg && !options_locked)
      wanted_protection_ = value & layout_.protection_mask;
  }

  void program(std::uint32_t offset, std::uint32_t size, std::uint32_t value) {
    const std::uint32_t word = offset / layout_.word;
    if (lock_.locked() || !(control_ & cr_pg)) {
      status_ |= sr_pgserr;
    } else if (is_protected(offset / layout_.sector)) {
      status_ |= sr_wrperr;
    } else if (collected_ && word != word_) {
      status_ |= sr_incerr;  // the flash word that was begun is not complete
    } else {
      word_ = word;
      for (std::uint32_t i = 0; i < size; ++i)
        collect(offset % layout_.word + i, static_cast<std::uint8_t>(value >> 8 * i));
      const auto complete = static_cast<std::uint32_t>((std::uint64_t{1} << layout_.word) - 1);
      if (collected_ == complete) commit();
    }
  }

  void set_protected(bool on) {
    protection_ = wanted_protection_ = on ? 0 : layout_.protection_mask;
  }
  void take_options() { protection_ = wanted_protection_; }

 private:
  bool is_protected(std::uint32_t sector) const {
    return !(protection_ >> sector / layout_.sectors_per_protection & 1);
  }

  void collect(std::uint32_t at, std::uint8_t byte) {
    if (collected_ & 1u << at) status_ |= sr_strberr;
    collected_ |= 1u << at;
    buffer_[at] = byte;
  }

  // Bytes nobody wrote are programmed as ones (FW).
  void commit() {
    for (std::uint32_t i = 0; i < layout_.word; ++i)
      if (collected_ & 1u << i) array_.clear_bits(first_ + word_ * layout_.word + i, buffer_[i]);
    collected_ = 0;
    status_ |= sr_eop;
  }

  void write_control(std::uint32_t value) {
    if (lock_.locked()) return;
    if (value & cr_lock) return lock_.lock();
    control_ = value & ~(layout_.start | layout_.force_write);
    if (value & layout_.force_write && collected_) commit();
    if (!(value & layout_.start)) return;
    if (value & cr_ber)
      erase(0, size_);
    else if (value & cr_ser)
      erase((value >> layout_.sector_shift & layout_.sector_mask) * layout_.sector, layout_.sector);
  }

  void erase(std::uint32_t offset, std::uint32_t size) {
    if (offset >= size_) {
      status_ |= sr_pgserr;
      return;
    }
    for (std::uint32_t at = offset; at < offset + size; at += layout_.sector)
      if (is_protected(at / layout_.sector)) {
        status_ |= sr_wrperr;
        return;
      }
    array_.erase(first_ + offset, size);
    status_ |= sr_eop;
  }

  FlashArray& array_;
  const Layout& layout_;
  std::uint32_t first_;
  std::uint32_t size_;
  KeyLock lock_;
  std::uint32_t status_ = 0;
  std::uint32_t control_ = 0;
  std::uint32_t protection_;
  std::uint32_t wanted_protection_;
  std::uint32_t word_ = 0;       ///< index of the flash word in the buffer
  std::uint32_t collected_ = 0;  ///< one bit for each of its bytes
  std::array<std::uint8_t, largest_word> buffer_{};
};

class FlashStm32H7 final : public FlashController {
 public:
  FlashStm32H7(FlashArray& array, const Layout& layout)
      : layout_(layout),
        bank_size_(array.size() / 2),
        banks_{FlashBank(array, layout, 0, bank_size_),
               FlashBank(array, layout, bank_size_, bank_size_)} {}

  std::uint32_t register_base() const override { return 0x52002000; }
  std::optional<std::uint32_t> wait_states() const override { return access_ & 15; }

  void reset() override {
    for (FlashBank& bank : banks_)
      bank.reset();
    option_lock_.reset();
    access_ = layout_.access_reset;
  }

  std::uint32_t read(std::uint32_t offset) override {
    switch (offset % bank_registers) {
      case acr:
        return access_;
      case optcr:
        return option_lock_.locked() ? opt_lock : 0;
      case optsr_cur:
        return option_;
      case optsr_prg:
        return wanted_option_;
      default:
        return bank_of_register(offset).read(offset % bank_registers);
    }
  }

  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    const std::uint32_t masked = value & lanes;
    switch (offset % bank_registers) {
      case acr:
        access_ = merge_lanes(access_, value, lanes) & 0x3F;
        break;
      case optkeyr:
        option_lock_.write(value);
        break;
      case optcr:
        if (!option_lock_.locked() && masked & opt_start) take_options();
        if (masked & opt_lock) option_lock_.lock();
        break;
      case optsr_prg:
        if (!option_lock_.locked()) wanted_option_ = merge_lanes(wanted_option_, value, lanes);
        break;
      default:
        bank_of_register(offset).write(offset % bank_registers, masked, option_lock_.locked());
    }
  }

  void program(std::uint32_t offset, std::uint32_t size, std::uint32_t value) override {
    banks_[offset / bank_size_].program(offset % bank_size_, size, value);
  }

  void set_write_protected(bool on) override {
    for (FlashBank& bank : banks_)
      bank.set_protected(on);
  }

 private:
  FlashBank& bank_of_register(std::uint32_t offset) {
    return banks_[offset / bank_registers % banks_.size()];
  }
  void take_options() {
    option_ = wanted_option_;
    for (FlashBank& bank : banks_)
      bank.take_options();
  }

  const Layout& layout_;
  std::uint32_t bank_size_;
  std::array<FlashBank, 2> banks_;
  KeyLock option_lock_{0x08192A3B, 0x4C5D6E7F};
  std::uint32_t access_ = 0;
  std::uint32_t option_ = opt_reset;
  std::uint32_t wanted_option_ = opt_reset;
};

}  // namespace

std::unique_ptr<FlashController> make_flash_stm32h7(FlashArray& array) {
  return std::make_unique<FlashStm32H7>(array, stm32h74x);
}

std::unique_ptr<FlashController> make_flash_stm32h7a3(FlashArray& array) {
  return std::make_unique<FlashStm32H7>(array, stm32h7a3);
}

}  // namespace assay::virtual_board

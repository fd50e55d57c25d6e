// Flash interface of the STM32L4 (RM0351 section 3) and of the families that took it over: L4+
// (RM0432 section 3), G0 (RM0444 section 3) and U5 (RM0456 section 7, the registers of a chip whose
// TrustZone is off). Two banks of equal pages; words of 8 or 16 bytes that are programmed as a
// whole and only over erased flash.
#include <algorithm>
#include <array>

#include "boards/virtual/flash.hpp"

namespace assay::virtual_board {
namespace {

// FLASH_SR
constexpr std::uint32_t sr_eop = 1u << 0, sr_progerr = 1u << 3, sr_wrperr = 1u << 4,
                        sr_pgaerr = 1u << 5, sr_sizerr = 1u << 6, sr_pgserr = 1u << 7;
constexpr std::uint32_t sr_errors = sr_progerr | sr_wrperr | sr_pgaerr | sr_sizerr | sr_pgserr;
// FLASH_CR
constexpr std::uint32_t cr_pg = 1u << 0, cr_per = 1u << 1, cr_mer1 = 1u << 2, cr_mer2 = 1u << 15,
                        cr_strt = 1u << 16, cr_eopie = 1u << 24, cr_optlock = 1u << 30,
                        cr_lock = 1u << 31;
constexpr unsigned cr_pnb = 3;

constexpr std::uint32_t acr = 0x00;
constexpr std::uint32_t acr_latency = 0xF;
constexpr std::uint32_t longest_word = 16;

/// What the families differ in. `option_bytes` is FLASH_OPTR as ST delivers the chips: no read
/// protection, two banks, and on the U5 no TrustZone.
struct Layout {
  std::uint32_t keyr, optkeyr, sr, cr, optr;
  std::array<std::uint32_t, 4> wrp;  ///< WRP1AR, WRP1BR, WRP2AR, WRP2BR
  std::uint32_t word_bytes;
  std::uint32_t page_bytes;
  std::uint32_t page_mask;  ///< of PNB, before its shift
  std::uint32_t bank_bit;   ///< BKER
  std::uint32_t access_reset;
  std::uint32_t option_bytes;
};

constexpr Layout l4{0x08, 0x0C, 0x10, 0x14,     0x20,  {0x2C, 0x30, 0x4C, 0x50},
                    8,    2048, 0xFF, 1u << 11, 0x600, 0xFFEFF8AA};
constexpr Layout l4plus{0x08, 0x0C, 0x10, 0x14,     0x20,  {0x2C, 0x30, 0x4C, 0x50},
                        8,    4096, 0xFF, 1u << 11, 0x600, 0xFFEFF8AA};
constexpr Layout g0{0x08, 0x0C, 0x10,  0x14,     0x20,    {0x2C, 0x30, 0x4C, 0x50},
                    8,    2048, 0x3FF, 1u << 13, 0x40600, 0xDFFFE1AA};
constexpr Layout u5{0x08, 0x10, 0x20, 0x28,     0x40, {0x58, 0x5C, 0x68, 0x6C},
                    16,   8192, 0xFF, 1u << 11, 0x1,  0x1FEFF8AA};

class FlashStm32L4 final : public FlashController {
 public:
  FlashStm32L4(FlashArray& array, const Layout& layout)
      : array_(array), layout_(layout), bank_bytes_(array.size() / 2) {
    set_write_protected(false);
    reset();
  }

  std::uint32_t register_base() const override { return 0x40022000; }
  std::optional<std::uint32_t> wait_states() const override { return access_ & acr_latency; }

  void reset() override {
    lock_.reset();
    status_ = control_ = filled_ = 0;
    access_ = layout_.access_reset;
  }

  std::uint32_t read(std::uint32_t offset) override {
    if (offset == acr) return access_;
    if (offset == layout_.sr) return status_;
    if (offset == layout_.cr) return control_ | cr_optlock | (lock_.locked() ? cr_lock : 0);
    if (offset == layout_.optr) return layout_.option_bytes;
    for (std::size_t area = 0; area < layout_.wrp.size(); ++area)
      if (offset == layout_.wrp[area]) return protection_[area];
    return 0;
  }

  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    if (offset == acr)
      access_ = merge_lanes(access_, value, lanes);
    else if (offset == layout_.keyr)
      lock_.write(value);
    else if (offset == layout_.sr)
      status_ &= ~(value & lanes & (sr_errors | sr_eop));
    else if (offset == layout_.cr)
      write_control(merge_lanes(control_, value, lanes));
  }

  void program(std::uint32_t offset, std::uint32_t size, std::uint32_t value) override {
    const bool begun = filled_ > 0;
    if (lock_.locked() || !(control_ & cr_pg) || status_ & sr_errors) return give_up(sr_pgserr);
    if (size != sizeof value) return give_up(sr_sizerr);
    if (begun ? offset != word_at_ + filled_ : offset % layout_.word_bytes != 0)
      return give_up(sr_pgaerr);
    if (!begun) word_at_ = offset;
    for (unsigned i = 0; i < sizeof value; ++i)
      word_[filled_++] = static_cast<std::uint8_t>(value >> 8 * i);
    if (filled_ == layout_.word_bytes) program_word();
  }

  // An area whose first page comes after its last protects nothing.
  void set_write_protected(bool on) override {
    const std::uint32_t last = layout_.page_mask & (bank_bytes_ / layout_.page_bytes - 1);
    protection_.fill(last);
    if (on) protection_[0] = protection_[2] = last << 16;
  }

 private:
  void give_up(std::uint32_t error) {
    status_ |= error;
    filled_ = 0;
  }

  void finish() {
    if (control_ & cr_eopie) status_ |= sr_eop;
  }

  // A word that is not erased can only be overwritten by zeros: anything else would spoil its
  // error correction code.
  void program_word() {
    filled_ = 0;
    const auto bytes = std::span(word_).first(layout_.word_bytes);
    const auto is = [](std::uint8_t wanted) { return [=](std::uint8_t b) { return b == wanted; }; };
    bool erased = true;
    for (std::uint32_t i = 0; i < layout_.word_bytes; ++i)
      erased &= array_.at(word_at_ + i) == 0xFF;
    if (is_protected(word_at_)) return give_up(sr_wrperr);
    if (!erased && !std::ranges::all_of(bytes, is(0))) return give_up(sr_progerr);
    for (std::uint32_t i = 0; i < layout_.word_bytes; ++i)
      array_.clear_bits(word_at_ + i, bytes[i]);
    finish();
  }

  bool is_protected(std::uint32_t offset) const {
    const std::size_t bank = offset / bank_bytes_;
    const std::uint32_t page = offset % bank_bytes_ / layout_.page_bytes;
    for (const std::uint32_t area : {protection_[2 * bank], protection_[2 * bank + 1]})
      if (page >= (area & 0xFF) && page <= (area >> 16 & 0xFF)) return true;
    return false;
  }

  void write_control(std::uint32_t value) {
    if (lock_.locked()) return;
    if (value & cr_lock) return lock_.lock();
    control_ = value & ~(cr_strt | cr_optlock);
    if (!(value & cr_pg)) filled_ = 0;
    if (!(value & cr_strt)) return;
    if (status_ & sr_errors) return give_up(sr_pgserr);
    if (value & cr_per) {
      const std::uint32_t bank = value & layout_.bank_bit ? bank_bytes_ : 0;
      const std::uint32_t page = value >> cr_pnb & layout_.page_mask;
      erase(bank + page * layout_.page_bytes % bank_bytes_, layout_.page_bytes);
    }
    if (value & cr_mer1) erase(0, bank_bytes_);
    if (value & cr_mer2) erase(bank_bytes_, bank_bytes_);
  }

  void erase(std::uint32_t offset, std::uint32_t size) {
    for (std::uint32_t at = offset; at < offset + size; at += layout_.page_bytes)
      if (is_protected(at)) return give_up(sr_wrperr);
    array_.erase(offset, size);
    finish();
  }

  FlashArray& array_;
  const Layout& layout_;
  std::uint32_t bank_bytes_;
  KeyLock lock_;
  std::uint32_t status_ = 0;
  std::uint32_t control_ = 0;
  std::uint32_t access_ = 0;
  std::array<std::uint8_t, longest_word> word_{};  ///< what was stored of the word at word_at_
  std::uint32_t word_at_ = 0;
  std::uint32_t filled_ = 0;                   ///< bytes of it
  std::array<std::uint32_t, 4> protection_{};  // option bytes survive a reset
};

}  // namespace

std::unique_ptr<FlashController> make_flash_stm32l4(FlashArray& array) {
  return std::make_unique<FlashStm32L4>(array, l4);
}
std::unique_ptr<FlashController> make_flash_stm32l4plus(FlashArray& array) {
  return std::make_unique<FlashStm32L4>(array, l4plus);
}
std::unique_ptr<FlashController> make_flash_stm32g0(FlashArray& array) {
  return std::make_unique<FlashStm32L4>(array, g0);
}
std::unique_ptr<FlashController> make_flash_stm32u5(FlashArray& array) {
  return std::make_unique<FlashStm32L4>(array, u5);
}

}  // namespace assay::virtual_board

// The flash controller of the STM32L4 and its relatives, register by register, by the reference
// manuals' own procedures: RM0351 3.3, RM0432 3.3, RM0444 3.3, RM0456 7.3.
#include <gtest/gtest.h>

#include <vector>

#include "boards/virtual/flash.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t keyr = 8, all = 0xFFFFFFFF;
constexpr std::uint32_t pg = 1, per = 2, mer1 = 4, mer2 = 1u << 15, start = 1u << 16;
constexpr std::uint32_t progerr = 8, wrperr = 0x10, pgaerr = 0x20, sizerr = 0x40, pgserr = 0x80;

struct Family {
  const char* name;
  std::uint32_t size;
  std::uint32_t page;
  std::uint32_t word;
  std::uint32_t bank_bit;
  std::uint32_t sr, cr, optr, wrp1a, wrp2a;
  std::uint32_t two_banks;  ///< the bit of OPTR
};

class FlashOf : public ::testing::TestWithParam<Family> {
 protected:
  void SetUp() override {
    controller_ = make_flash_controller(f.name, array_).value();
    set(keyr, 0x45670123);
    set(keyr, 0xCDEF89AB);
  }
  void set(std::uint32_t offset, std::uint32_t value) { controller_->write(offset, value, all); }
  std::uint32_t status() { return controller_->read(f.sr) & 0xFF; }
  /// Erases page `number` of a bank.
  void erase(std::uint32_t number, std::uint32_t bank = 0) {
    set(f.cr, start | per | number << 3 | (bank ? f.bank_bit : 0));
  }
  /// Stores a word of `fill` bytes.
  void store(std::uint32_t offset, std::uint8_t fill) {
    for (std::uint32_t at = 0; at < f.word; at += 4)
      controller_->program(offset + at, 4, 0x01010101u * fill);
  }
  bool holds(std::uint32_t first, std::uint32_t last, std::uint8_t value) {
    for (std::uint32_t at = first; at < last; ++at)
      if (bytes_[at] != value) return false;
    return true;
  }

  const Family& f = GetParam();
  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(f.size, 0x11);
  FlashArray array_{bytes_};
  std::unique_ptr<FlashController> controller_;
};

TEST_P(FlashOf, ErasesOnePageOfEitherBank) {
  erase(3);
  EXPECT_TRUE(holds(2 * f.page, 3 * f.page, 0x11));
  EXPECT_TRUE(holds(3 * f.page, 4 * f.page, 0xFF));
  EXPECT_TRUE(holds(4 * f.page, f.size, 0x11));
  erase(f.size / 2 / f.page - 1, 1);
  EXPECT_TRUE(holds(f.size / 2, f.size - f.page, 0x11));
  EXPECT_TRUE(holds(f.size - f.page, f.size, 0xFF));
  EXPECT_EQ(status(), 0u);
}

TEST_P(FlashOf, MassErasesBankByBank) {
  set(f.cr, start | mer1);
  EXPECT_TRUE(holds(0, f.size / 2, 0xFF));
  EXPECT_TRUE(holds(f.size / 2, f.size, 0x11));
  set(f.cr, start | mer2);
  EXPECT_TRUE(holds(0, f.size, 0xFF));
}

TEST_P(FlashOf, ProgramsWholeWordsOnly) {
  erase(0);
  set(f.cr, pg);
  for (std::uint32_t at = 0; at + 4 < f.word; at += 4)
    controller_->program(f.word + at, 4, 0x22222222);
  EXPECT_TRUE(holds(0, 4 * f.word, 0xFF)) << "an unfinished word is not programmed";
  controller_->program(2 * f.word - 4, 4, 0x22222222);
  EXPECT_TRUE(holds(0, f.word, 0xFF));
  EXPECT_TRUE(holds(f.word, 2 * f.word, 0x22));
  EXPECT_EQ(status(), 0u);
}

TEST_P(FlashOf, RefusesASecondValueUnlessItIsZero) {
  erase(0);
  set(f.cr, pg);
  store(0, 0x22);
  store(0, 0x20);
  EXPECT_EQ(status(), progerr);
  EXPECT_TRUE(holds(0, f.word, 0x22));
  set(f.sr, all);
  store(0, 0x00);
  EXPECT_EQ(status(), 0u);
  EXPECT_TRUE(holds(0, f.word, 0x00));
}

TEST_P(FlashOf, NamesEachMistake) {
  erase(0);
  store(0, 0x22);
  EXPECT_EQ(status(), pgserr) << "PG is off";
  set(f.sr, all);
  set(f.cr, pg);
  controller_->program(0, 2, 0x2222);
  EXPECT_EQ(status(), sizerr);
  set(f.sr, all);
  controller_->program(4, 4, 0x22222222);
  EXPECT_EQ(status(), pgaerr) << "not the beginning of a word";
  set(f.sr, all);
  controller_->program(0, 4, 0x22222222);
  controller_->program(f.word, 4, 0x22222222);
  EXPECT_EQ(status(), pgaerr) << "not the rest of the word begun";
  store(0, 0x22);
  EXPECT_EQ(status(), pgaerr | pgserr) << "an error that was not cleared";
  EXPECT_TRUE(holds(0, f.page, 0xFF));
}

TEST_P(FlashOf, LocksAgain) {
  set(f.cr, 1u << 31);
  erase(0);
  EXPECT_EQ(controller_->read(f.cr) >> 31, 1u);
  EXPECT_TRUE(holds(0, f.page, 0x11));
  set(keyr, 0xDEADBEEF);
  set(keyr, 0x45670123);
  set(keyr, 0xCDEF89AB);
  EXPECT_EQ(controller_->read(f.cr) >> 31, 1u) << "a wrong key locks until reset";
  controller_->reset();
  set(keyr, 0x45670123);
  set(keyr, 0xCDEF89AB);
  EXPECT_EQ(controller_->read(f.cr) >> 31, 0u);
}

TEST_P(FlashOf, ProtectsByTheOptionBytes) {
  const std::uint32_t last = f.size / 2 / f.page - 1;
  const auto area = [&](std::uint32_t offset) { return controller_->read(offset); };
  EXPECT_GT(area(f.wrp1a) & 0xFF, area(f.wrp1a) >> 16 & 0xFF) << "as delivered";
  EXPECT_EQ(area(f.optr) & 0xFF, 0xAAu) << "no read protection";
  EXPECT_TRUE(area(f.optr) & f.two_banks);
  controller_->set_write_protected(true);
  for (const std::uint32_t offset : {f.wrp1a, f.wrp2a})
    EXPECT_EQ(area(offset), last << 16);
  for (const std::uint32_t bank : {0u, 1u}) {
    erase(last, bank);
    EXPECT_EQ(status(), wrperr);
    set(f.sr, all);
  }
  set(f.cr, pg);
  store(0, 0);
  EXPECT_EQ(status(), wrperr);
  EXPECT_TRUE(holds(0, f.size, 0x11));
}

INSTANTIATE_TEST_SUITE_P(
    Families, FlashOf,
    ::testing::Values(
        Family{"stm32l4", 1 << 20, 2048, 8, 1u << 11, 0x10, 0x14, 0x20, 0x2C, 0x4C, 1u << 21},
        Family{"stm32l4plus", 2 << 20, 4096, 8, 1u << 11, 0x10, 0x14, 0x20, 0x2C, 0x4C, 1u << 22},
        Family{"stm32g0", 512 << 10, 2048, 8, 1u << 13, 0x10, 0x14, 0x20, 0x2C, 0x4C, 1u << 21},
        Family{"stm32u5", 2 << 20, 8192, 16, 1u << 11, 0x20, 0x28, 0x40, 0x58, 0x68, 1u << 21}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace assay::virtual_board

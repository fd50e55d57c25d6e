// Flash controllers driven register by register, by the reference manuals' own procedures.
#include "boards/virtual/flash.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t keyr = 4, sr = 0x0C, cr = 0x10, cr_f4 = cr, ar = 0x14, optcr = 0x14,
                        all = 0xFFFFFFFF;

struct Chip {
  Chip(const char* name, std::size_t size) : bytes(size, 0x00), array(bytes) {
    controller = make_flash_controller(name, array).value();
    controller->reset();
  }
  void unlock() {
    controller->write(keyr, 0x45670123, all);
    controller->write(keyr, 0xCDEF89AB, all);
  }
  std::vector<std::uint8_t> bytes;
  FlashArray array;
  std::unique_ptr<FlashController> controller;
};

TEST(FlashStm32F4, ErasesSectorsOfTheirOwnSize) {
  Chip chip("stm32f4", 1 << 20);
  chip.unlock();
  chip.controller->write(cr, 1u << 16 | 4u << 3 | 2, all);  // sector 4: 64 KB at 0x10000
  EXPECT_EQ(chip.bytes[0x0FFFF], 0x00);
  EXPECT_EQ(chip.bytes[0x10000], 0xFF);
  EXPECT_EQ(chip.bytes[0x1FFFF], 0xFF);
  EXPECT_EQ(chip.bytes[0x20000], 0x00);
}

TEST(FlashStm32F4, ProgramsOnlyUnlockedInTheChosenWidth) {
  Chip chip("stm32f4", 1 << 20);
  chip.unlock();
  chip.controller->write(cr, 1u << 16 | 2, all);
  chip.controller->program(0, 4, 0x12345678);
  EXPECT_EQ(chip.controller->read(sr) & 0xF0, 0x80u);  // PGSERR: PG is off
  chip.controller->write(sr, 0xFF, all);
  chip.controller->write(cr, 2u << 8 | 1, all);
  chip.controller->program(0, 2, 0x5678);
  EXPECT_EQ(chip.controller->read(sr) & 0xF0, 0x40u);  // PGPERR: PSIZE says words
  chip.controller->program(0, 4, 0x12345678);
  EXPECT_EQ(chip.bytes[0], 0x78);
  chip.controller->program(0, 4, 0xFFFFFFFF);
  EXPECT_EQ(chip.bytes[0], 0x78);  // programming never sets a bit
}

TEST(FlashStm32F4, WrongKeyLocksUntilReset) {
  Chip chip("stm32f4", 1 << 20);
  chip.controller->write(keyr, 0xDEADBEEF, all);
  chip.unlock();
  EXPECT_EQ(chip.controller->read(cr) >> 31, 1u);
  chip.controller->reset();
  chip.unlock();
  EXPECT_EQ(chip.controller->read(cr) >> 31, 0u);
}

struct SectorCase {
  std::uint32_t number;  ///< as FLASH_CR.SNB has it
  std::uint32_t first;
  std::uint32_t end;
};

void expect_erases(Chip& chip, const SectorCase& sector) {
  std::fill(chip.bytes.begin(), chip.bytes.end(), std::uint8_t{0});
  chip.controller->write(cr_f4, 1u << 16 | sector.number << 3 | 2, all);
  for (std::uint32_t at = 0; at < chip.bytes.size(); at += 0x1000) {
    const bool inside = at >= sector.first && at < sector.end;
    EXPECT_EQ(chip.bytes[at], inside ? 0xFF : 0x00) << sector.number << " at " << at;
  }
}

TEST(FlashStm32F7, ErasesSectorsTwiceAsLarge) {  // RM0385, table 3
  Chip chip("stm32f7", 1 << 20);
  chip.unlock();
  for (const SectorCase& sector :
       {SectorCase{0, 0, 0x8000}, SectorCase{3, 0x18000, 0x20000}, SectorCase{4, 0x20000, 0x40000},
        SectorCase{5, 0x40000, 0x80000}, SectorCase{7, 0xC0000, 0x100000}})
    expect_erases(chip, sector);
  chip.controller->write(cr_f4, 1u << 16 | 8u << 3 | 2, all);
  EXPECT_TRUE(chip.controller->read(sr) & 0x10) << "the STM32F746 has sectors 0 to 7";
}

TEST(FlashStm32F7, HasTwoBanksOfHalfSectorsWhenTheOptionSaysSo) {  // RM0410, table 4
  Chip chip("stm32f7", 2 << 20);
  chip.unlock();
  expect_erases(chip, {11, 0x1C0000, 0x200000});
  const std::uint32_t options = chip.controller->read(optcr);
  EXPECT_TRUE(options & 1u << 29) << "one bank as delivered";
  chip.controller->write(8, 0x08192A3B, all);
  chip.controller->write(8, 0x4C5D6E7F, all);
  chip.controller->write(optcr, options & ~(1u << 29 | 3), all);
  for (const SectorCase& sector :
       {SectorCase{0, 0, 0x4000}, SectorCase{4, 0x10000, 0x20000},
        SectorCase{11, 0xE0000, 0x100000}, SectorCase{0x10, 0x100000, 0x104000},
        SectorCase{0x1B, 0x1E0000, 0x200000}})
    expect_erases(chip, sector);
  std::fill(chip.bytes.begin(), chip.bytes.end(), std::uint8_t{0});
  chip.controller->write(cr_f4, 1u << 16 | 1u << 15, all);  // mass erase of the second bank
  EXPECT_EQ(chip.bytes[0xFFFFF], 0x00);
  EXPECT_EQ(chip.bytes[0x100000], 0xFF);
}

TEST(FlashStm32F7, OptionKeysAreNotTheFlashKeys) {
  Chip chip("stm32f7", 1 << 20);
  chip.controller->write(8, 0x45670123, all);
  chip.controller->write(8, 0xCDEF89AB, all);
  EXPECT_EQ(chip.controller->read(optcr) & 1, 1u);
}

/// The two lines of the STM32H7, by the positions of their control bits.
struct H7Case {
  const char* name;
  std::uint32_t word;
  std::uint32_t sector;
  std::uint32_t start, force;
  unsigned number_shift;
};

class FlashStm32H7 : public ::testing::TestWithParam<H7Case> {
 protected:
  static constexpr std::uint32_t keyr = 0x04, cr = 0x0C, sr = 0x10, ccr = 0x14, bank2 = 0x100;
  static constexpr std::uint32_t pg = 2, ser = 4, ber = 8;
  static constexpr std::uint32_t half = 1 << 20;

  void unlock(std::uint32_t bank) {
    chip_.controller->write(bank + keyr, 0x45670123, all);
    chip_.controller->write(bank + keyr, 0xCDEF89AB, all);
  }
  void program_word(std::uint32_t offset, std::uint32_t words) {
    for (std::uint32_t i = 0; i < words; ++i)
      chip_.controller->program(offset + 4 * i, 4, 0x11111111 * (i + 1));
  }
  std::uint32_t status(std::uint32_t bank) { return chip_.controller->read(bank + sr); }

  const H7Case& line_ = GetParam();
  Chip chip_{line_.name, 2 * half};
};

TEST_P(FlashStm32H7, ErasesASectorOfEitherBank) {
  for (const std::uint32_t bank : {0u, bank2}) {
    unlock(bank);
    chip_.controller->write(bank + cr, ser | 3u << line_.number_shift | line_.start, all);
    const std::uint32_t first = (bank ? half : 0) + 3 * line_.sector;
    EXPECT_EQ(chip_.bytes[first - 1], 0x00);
    EXPECT_EQ(chip_.bytes[first], 0xFF);
    EXPECT_EQ(chip_.bytes[first + line_.sector - 1], 0xFF);
    EXPECT_EQ(chip_.bytes[first + line_.sector], 0x00);
    EXPECT_EQ(status(bank), 1u << 16) << "EOP";
  }
}

TEST_P(FlashStm32H7, ErasesABankAndProgramsWholeFlashWords) {
  unlock(bank2);
  chip_.controller->write(bank2 + cr, ber | line_.start, all);
  chip_.controller->write(bank2 + cr, pg, all);
  program_word(half + line_.word, line_.word / 4 - 1);
  EXPECT_EQ(chip_.bytes[half + line_.word], 0xFF) << "the write buffer is not full yet";
  EXPECT_TRUE(status(bank2) & 2) << "WBNE";
  chip_.controller->program(half + 2 * line_.word - 4, 4, 0x12345678);
  EXPECT_EQ(chip_.bytes[half + line_.word], 0x11);
  EXPECT_EQ(chip_.bytes[half + 2 * line_.word - 1], 0x12);
  EXPECT_EQ(chip_.bytes[half - 1], 0x00) << "the first bank is untouched";
  EXPECT_EQ(status(bank2), 1u << 16);
}

TEST_P(FlashStm32H7, ForcesAnIncompleteWordOut) {
  unlock(0);
  chip_.controller->write(cr, ber | line_.start, all);
  chip_.controller->write(cr, pg, all);
  program_word(0, 1);
  chip_.controller->write(cr, pg | line_.force, all);
  EXPECT_EQ(chip_.bytes[0], 0x11);
  EXPECT_EQ(chip_.bytes[4], 0xFF);
  EXPECT_FALSE(status(0) & 2);
}

TEST_P(FlashStm32H7, ReportsWrongSequences) {
  program_word(0, 1);
  EXPECT_TRUE(status(0) & 1u << 18) << "PGSERR: locked";
  chip_.controller->write(ccr, 1u << 18, all);
  EXPECT_EQ(status(0), 0u);
  unlock(0);
  program_word(0, 1);
  EXPECT_TRUE(status(0) & 1u << 18) << "PGSERR: PG is off";
  chip_.controller->write(cr, pg, all);
  program_word(0, 1);
  program_word(line_.word, 1);
  EXPECT_TRUE(status(0) & 1u << 21) << "INCERR: another word before the first was full";
  program_word(0, 1);
  EXPECT_TRUE(status(0) & 1u << 19) << "STRBERR: the same bytes twice";
}

TEST_P(FlashStm32H7, ProtectsByItsOptionBytes) {
  unlock(0);
  constexpr std::uint32_t optkeyr = 0x08, option_control = 0x18, wpsn_cur = 0x38, wpsn_prg = 0x3C;
  const std::uint32_t open = chip_.controller->read(wpsn_cur);
  chip_.controller->write(wpsn_prg, open & ~1u, all);
  EXPECT_EQ(chip_.controller->read(wpsn_prg), open) << "options are locked";
  chip_.controller->write(optkeyr, 0x08192A3B, all);
  chip_.controller->write(optkeyr, 0x4C5D6E7F, all);
  chip_.controller->write(wpsn_prg, open & ~1u, all);
  EXPECT_EQ(chip_.controller->read(wpsn_cur), open) << "nothing started yet";
  chip_.controller->write(option_control, 2, all);
  EXPECT_EQ(chip_.controller->read(wpsn_cur), open & ~1u);
  chip_.controller->write(cr, ser | line_.start, all);
  EXPECT_TRUE(status(0) & 1u << 17) << "WRPERR";
  EXPECT_EQ(chip_.bytes[0], 0x00);
}

INSTANTIATE_TEST_SUITE_P(Lines, FlashStm32H7,
                         ::testing::Values(H7Case{"stm32h7", 32, 128 << 10, 1u << 7, 1u << 6, 8},
                                           H7Case{"stm32h7a3", 16, 8 << 10, 1u << 5, 1u << 4, 6}),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(FlashStm32F0, ErasesPagesAndProgramsHalfWords) {
  Chip chip("stm32f0", 256 << 10);  // 2 KB pages at this size
  chip.unlock();
  chip.controller->write(cr, 2, all);
  chip.controller->write(ar, 0x08000800, all);
  chip.controller->write(cr, 1u << 6 | 2, all);
  EXPECT_EQ(chip.bytes[0x7FF], 0x00);
  EXPECT_EQ(chip.bytes[0x800], 0xFF);
  EXPECT_EQ(chip.bytes[0xFFF], 0xFF);
  EXPECT_EQ(chip.bytes[0x1000], 0x00);
  chip.controller->write(cr, 1, all);
  chip.controller->program(0x800, 4, 1);
  EXPECT_EQ(chip.controller->read(sr) & 0x14, 0x04u);  // PGERR: half-words only
  chip.controller->write(sr, 0xFF, all);
  chip.controller->program(0x800, 2, 0x1234);
  EXPECT_EQ(chip.bytes[0x800], 0x34);
  chip.controller->program(0x800, 2, 0x1230);
  EXPECT_EQ(chip.controller->read(sr) & 0x14, 0x04u);  // PGERR: not erased
}

TEST(Flash, ProtectionAndStuckBitsShowAsOnAChip) {
  for (const char* name : {"stm32f4", "stm32f0", "stm32f7"}) {
    Chip chip(name, 256 << 10);
    chip.unlock();
    chip.controller->set_write_protected(true);
    chip.controller->write(cr, 1u << 16 | 1u << 6 | 2, all);  // start, in either layout
    EXPECT_TRUE(chip.controller->read(sr) & 0x10) << name;    // WRPERR
    EXPECT_EQ(chip.bytes[0], 0x00) << name;
    chip.array.set_stuck_bit(5, 3);
    chip.array.erase(0, 16);
    EXPECT_EQ(chip.bytes[5], 0xF7) << name;
    EXPECT_EQ(chip.bytes[4], 0xFF) << name;
  }
}

TEST(Flash, UnknownControllerIsRefusedByName) {
  std::vector<std::uint8_t> bytes(16);
  FlashArray array(bytes);
  EXPECT_NE(make_flash_controller("stm32x9", array).error().message.find("stm32x9"),
            std::string::npos);
}

}  // namespace
}  // namespace assay::virtual_board

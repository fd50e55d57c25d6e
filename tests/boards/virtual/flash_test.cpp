// Flash controllers driven register by register, by the reference manuals' own procedures.
#include "boards/virtual/flash.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t keyr = 4, sr = 0x0C, cr = 0x10, ar = 0x14, all = 0xFFFFFFFF;

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
  for (const char* name : {"stm32f4", "stm32f0"}) {
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
  EXPECT_NE(make_flash_controller("stm32u5", array).error().message.find("stm32u5"),
            std::string::npos);
}

}  // namespace
}  // namespace assay::virtual_board

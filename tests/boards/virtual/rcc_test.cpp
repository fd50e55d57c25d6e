// Clock and power models driven register by register: the manuals' own procedures work, and what
// silicon would not survive is noticed.
#include "boards/virtual/rcc.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::virtual_board {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t all = 0xFFFFFFFF;

struct Chip {
  explicit Chip(const char* name) : type(*load_board_type(name)), rcc(make_rcc(type).value()) {}

  Peripheral& block(std::uint32_t address) {
    for (const Rcc::Block& block : rcc->other_blocks())
      if (address - block.base < block.size) return *block.registers;
    return *rcc;
  }
  /// Accesses by the chip's own addresses.
  void write(std::uint32_t address, std::uint32_t value) {
    block(address).write(address & 0x3FF, value, all);
  }
  std::uint32_t read(std::uint32_t address) { return block(address).read(address & 0x3FF); }
  std::string failure(std::uint32_t wait_states) {
    const auto found = rcc->failure(wait_states);
    return found ? found->reason : "";
  }

  BoardType type;
  std::unique_ptr<Rcc> rcc;
};

class Stm32f7 : public ::testing::Test {
 protected:
  static constexpr std::uint32_t cr = 0x40023800, pllcfgr = cr + 4, cfgr = cr + 8,
                                 apb1enr = cr + 0x40, pwr_cr1 = 0x40007000, pwr_csr1 = 0x40007004;
  /// 8 MHz / 4 * 216 / 2.
  void start_pll() {
    chip_.write(cr, 0x81 | 1u << 16);
    chip_.write(pllcfgr, 4 | 216 << 6 | 1u << 22 | 9u << 24);
    chip_.write(cr, 0x81 | 1u << 16 | 1u << 24);
  }
  void overdrive() {
    chip_.write(apb1enr, 1u << 28);
    chip_.write(pwr_cr1, 0xC000 | 1u << 16);
    chip_.write(pwr_cr1, 0xC000 | 3u << 16);
  }
  static constexpr std::uint32_t divided_buses = 5u << 10 | 4u << 13;
  Chip chip_{"nucleo-f746zg"};
};

TEST_F(Stm32f7, RunsAtFullSpeedWithOverdriveAndSevenWaitStates) {
  start_pll();
  overdrive();
  EXPECT_EQ(chip_.read(pwr_csr1) >> 16 & 3, 3u);
  chip_.write(cfgr, 2 | divided_buses);
  EXPECT_EQ(chip_.rcc->core_clock().count(), 216'000'000u);
  EXPECT_EQ(chip_.rcc->cycles_per_uart_clock(0x40004800), 4u);
  EXPECT_EQ(chip_.failure(7), "");
  EXPECT_THAT(chip_.failure(6), HasSubstr("flash needs 7 wait states"));
}

TEST_F(Stm32f7, FailsWithoutOverdrive) {
  start_pll();
  chip_.write(cfgr, 2 | divided_buses);
  EXPECT_THAT(chip_.failure(7), HasSubstr("above the 180000000 Hz"));
}

TEST_F(Stm32f7, PowerControlNeedsItsClock) {
  chip_.write(pwr_cr1, 0xC000 | 1u << 16);
  EXPECT_EQ(chip_.read(pwr_cr1), 0xC000u);
  overdrive();
  EXPECT_EQ(chip_.read(pwr_cr1), 0xC000u | 3u << 16);
}

TEST_F(Stm32f7, FailsWithUndividedBuses) {
  start_pll();
  overdrive();
  chip_.write(cfgr, 2);
  EXPECT_THAT(chip_.failure(7), HasSubstr("bus"));
}

TEST_F(Stm32f7, KeepsTheRunningPllsSettings) {
  start_pll();
  chip_.write(pllcfgr, 0);
  EXPECT_NE(chip_.read(pllcfgr), 0u);
}

/// The H7's registers, and its core at a clock that the crystal's PLL makes.
class Stm32h7 : public ::testing::Test {
 protected:
  static constexpr std::uint32_t cr = 0x58024400, cfgr = cr + 0x10, d1cfgr = cr + 0x18,
                                 d2cfgr = cr + 0x1C, pllckselr = cr + 0x28, pllcfgr = cr + 0x2C,
                                 pll1divr = cr + 0x30, cr3 = 0x5802480C, d3cr = 0x58024818,
                                 syscfg_pwrcr = 0x58000404;
  static constexpr std::uint32_t half_axi = 8, half_apb = 4u << 4 | 4u << 8;

  static void start_pll(Chip& chip, std::uint32_t m, std::uint32_t n) {
    chip.write(cr, 1 | 1u << 16);
    chip.write(pllckselr, 2 | m << 4);
    chip.write(pllcfgr, 1u << 16 | 3u << 2);
    chip.write(pll1divr, (n - 1) | 1u << 9);
    chip.write(cr, 1 | 1u << 16 | 1u << 24);
  }
};

TEST_F(Stm32h7, RunsAt480MegahertzAtScaleZero) {
  Chip chip("nucleo-h743zi2");
  chip.write(cr3, 2);
  chip.write(d3cr, 3u << 14);
  chip.write(syscfg_pwrcr, 1);
  start_pll(chip, 1, 120);
  chip.write(d1cfgr, half_axi);
  chip.write(d2cfgr, half_apb);
  chip.write(cfgr, 3);
  EXPECT_EQ(chip.rcc->core_clock().count(), 480'000'000u);
  EXPECT_EQ(chip.rcc->cycles_per_uart_clock(0x40004800), 4u);
  EXPECT_EQ(chip.failure(4), "");
  EXPECT_THAT(chip.failure(3), HasSubstr("3 wait states"));
  chip.write(syscfg_pwrcr, 0);
  EXPECT_THAT(chip.failure(4), HasSubstr("above the 400 MHz"));
}

TEST_F(Stm32h7, RunsTheH7a3AtItsScaleZero) {
  Chip chip("nucleo-h7a3zi-q");
  chip.write(cr3, 4);
  chip.write(d3cr, 3u << 14);
  start_pll(chip, 1, 70);
  chip.write(d2cfgr, half_apb);
  chip.write(cfgr, 3);
  EXPECT_EQ(chip.rcc->core_clock().count(), 280'000'000u);
  EXPECT_EQ(chip.failure(6), "");
  EXPECT_THAT(chip.failure(5), HasSubstr("5 wait states"));
  chip.write(d3cr, 2u << 14);
  EXPECT_THAT(chip.failure(6), HasSubstr("above the 225 MHz"));
}

TEST_F(Stm32h7, KeepsTheVoltageUntilASupplyIsChosen) {
  Chip chip("stm32h747i-disco");
  chip.write(d3cr, 3u << 14);
  EXPECT_EQ(chip.read(d3cr) >> 14 & 3, 1u);
  chip.write(cr3, 4);
  chip.write(d3cr, 3u << 14);
  EXPECT_EQ(chip.read(d3cr) >> 14 & 3, 3u);
}

TEST_F(Stm32h7, TakesTheFirstSupplyUntilPowerIsOff) {
  Chip chip("stm32h747i-disco");
  EXPECT_EQ(chip.failure(7), "") << "nothing is chosen yet";
  chip.write(cr3, 4);
  chip.write(cr3, 2);
  EXPECT_EQ(chip.read(cr3) & 0x3F, 4u);
  chip.block(cr3).reset();
  chip.write(cr3, 2);
  EXPECT_EQ(chip.read(cr3) & 0x3F, 4u) << "a reset does not open it again";
  chip.block(cr3).lose_power();
  chip.write(cr3, 2);
  EXPECT_EQ(chip.read(cr3) & 0x3F, 2u);
}

TEST_F(Stm32h7, LosesItsCoreToASupplyItIsNotWiredFor) {
  for (const std::uint32_t wrong : {0x01u, 0x02u, 0x16u, 0x26u, 0x06u, 0x00u}) {
    Chip chip("stm32h747i-disco");
    chip.write(cr3, wrong);
    const auto failure = chip.rcc->failure(7);
    ASSERT_TRUE(failure) << wrong;
    EXPECT_TRUE(failure->until_power_cycle);
    EXPECT_THAT(failure->reason, HasSubstr("wired for smps"));
  }
  Chip without_converter("nucleo-h743zi2");
  without_converter.write(cr3, 2);
  EXPECT_EQ(without_converter.failure(7), "");
}

}  // namespace
}  // namespace assay::virtual_board

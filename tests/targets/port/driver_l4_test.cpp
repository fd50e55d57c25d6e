// The clock drivers of the L4, L4+, G0 and U5 against memory that stands where their registers are:
// every expected value is worked out by hand from the reference manuals.
#include <gtest/gtest.h>

#include "targets/port/board_config.hpp"
#include "targets/port/registers.hpp"
#include "tests/targets/port/register_memory.hpp"

namespace assay::port {
namespace {

constexpr std::uint32_t mhz = 1'000'000;
constexpr std::uint32_t hsi_ready = 1u << 10;
constexpr std::uint32_t hse_ready = 1u << 17;
constexpr std::uint32_t pll_ready = 1u << 25;
constexpr PinConfig pa2{0, 2, 7}, pa3{0, 3, 7}, pg7{6, 7, 8}, pg8{6, 8, 8};

/// SWS of the L4 and the U5 for a value of SW.
constexpr std::uint32_t status(std::uint32_t source) {
  return source << 2;
}

class Stm32l4Clock : public Registers {
 protected:
  void SetUp() override {
    for (const std::uint32_t page : {cr, pwr, acr, gpio_a, gpio_g})
      map(page);
  }
  BoardConfig board(std::uint32_t crystal, std::uint32_t clock) {
    return {crystal, clock, 3300,          0x40004400,     38, 2 * mhz, pa2,
            pa3,     0,     start_stm32l4, &stm32_usart_v2};
  }
  static constexpr std::uint32_t cr = 0x40021000, cfgr = cr + 0x08, pllcfgr = cr + 0x0C;
  static constexpr std::uint32_t pwr = 0x40007000, acr = 0x40022000;
  static constexpr std::uint32_t gpio_a = 0x48000000, gpio_g = 0x48001800;
};

TEST_F(Stm32l4Clock, RunsAtFullSpeedFromTheInternalOscillator) {
  reg(cr) = hsi_ready | pll_ready;
  reg(cfgr) = status(3);
  const Clocks clocks = start_stm32l4(board(0, 80 * mhz));
  EXPECT_EQ(clocks.core_hz, 80 * mhz);
  EXPECT_EQ(clocks.uart_hz, 80 * mhz);
  EXPECT_EQ(reg(cr), hsi_ready | pll_ready | 1u << 8 | 1u << 24);
  EXPECT_EQ(reg(pllcfgr), 2u | 10u << 8 | 1u << 24);  // HSI16, M 1, N 10, R 2
  EXPECT_EQ(reg(cfgr), status(3) | 3u);
  EXPECT_EQ(reg(acr), 4u | 7u << 8);  // 4 wait states, prefetch and caches
  EXPECT_EQ(reg(pwr + 0x80), 0u) << "an L4 has no boost mode";
}

TEST_F(Stm32l4Clock, ConnectsTheUart) {
  start_stm32l4(board(0, 80 * mhz));
  EXPECT_EQ(reg(cr + 0x4C), 1u);        // GPIOA
  EXPECT_EQ(reg(cr + 0x58), 1u << 17);  // USART2
  EXPECT_EQ(reg(gpio_a + 0x00), 2u << 4 | 2u << 6);
  EXPECT_EQ(reg(gpio_a + 0x20), 7u << 8 | 7u << 12);
}

TEST_F(Stm32l4Clock, TakesTheCrystalWhenThereIsOne) {
  reg(cr) = hse_ready | pll_ready;
  reg(cfgr) = status(3);
  EXPECT_EQ(start_stm32l4(board(8 * mhz, 80 * mhz)).core_hz, 80 * mhz);
  EXPECT_EQ(reg(pllcfgr), 3u | 20u << 8 | 1u << 24);
  reg(cfgr) = status(2);
  EXPECT_EQ(start_stm32l4(board(8 * mhz, 8 * mhz)).core_hz, 8 * mhz);
  EXPECT_EQ(reg(cfgr) & 3, 2u);
}

TEST_F(Stm32l4Clock, ReportsWhatRunsWhenThePllDoesNotLock) {
  reg(cr) = hsi_ready;
  reg(cfgr) = status(1);
  EXPECT_EQ(start_stm32l4(board(0, 80 * mhz)).core_hz, 16 * mhz);
  EXPECT_EQ(reg(cr) & 1u << 24, 0u) << "a PLL that does not lock is switched off";
  EXPECT_EQ(reg(acr) & 7u, 0u);
}

TEST_F(Stm32l4Clock, ReportsTheClockAfterResetWhenNothingAnswers) {
  EXPECT_EQ(start_stm32l4(board(0, 80 * mhz)).core_hz, 4 * mhz);
}

TEST_F(Stm32l4Clock, ThePlusIsBoostedAboveEightyMegahertzOnly) {
  constexpr std::uint32_t normal_mode = 1u << 8;
  reg(cr) = hsi_ready | pll_ready;
  reg(cfgr) = status(3);
  reg(pwr + 0x80) = normal_mode;
  EXPECT_EQ(start_stm32l4plus(board(0, 80 * mhz)).core_hz, 80 * mhz);
  EXPECT_EQ(reg(pwr + 0x80), normal_mode);
  EXPECT_EQ(reg(acr) & 0xF, 3u);
  EXPECT_EQ(start_stm32l4plus(board(0, 120 * mhz)).core_hz, 120 * mhz);
  EXPECT_EQ(reg(pwr + 0x80), 0u);
  EXPECT_EQ(reg(cr + 0x58), 1u << 28 | 1u << 17) << "PWR and USART2";
  EXPECT_EQ(reg(pllcfgr), 2u | 15u << 8 | 1u << 24);
  EXPECT_EQ(reg(cfgr), status(3) | 3u) << "the AHB prescaler is off again";
  EXPECT_EQ(reg(acr) & 0xF, 5u);
}

TEST_F(Stm32l4Clock, PowersPortGAndTheLowPowerUart) {
  BoardConfig config = board(0, 16 * mhz);
  config.uart_base = 0x40008000;
  config.uart_tx = pg7;
  config.uart_rx = pg8;
  start_stm32l4plus(config);
  EXPECT_EQ(reg(pwr + 0x04), 1u << 9) << "IOSV";
  EXPECT_EQ(reg(cr + 0x4C), 1u << 6) << "GPIOG";
  EXPECT_EQ(reg(cr + 0x5C), 1u) << "LPUART1, in the second register of bus 1";
  EXPECT_EQ(reg(gpio_g + 0x20), 8u << 28);
  EXPECT_EQ(reg(gpio_g + 0x24), 8u);
}

class Stm32g0Clock : public Registers {
 protected:
  void SetUp() override {
    for (const std::uint32_t page : {cr, acr, gpio_a})
      map(page);
  }
  BoardConfig board(std::uint32_t crystal, std::uint32_t clock) {
    return {crystal,   clock, 3300,          0x40004400,     28, 2 * mhz, {0, 2, 1},
            {0, 3, 1}, 0,     start_stm32g0, &stm32_usart_v2};
  }
  static constexpr std::uint32_t cr = 0x40021000, cfgr = cr + 0x08, pllcfgr = cr + 0x0C;
  static constexpr std::uint32_t acr = 0x40022000, gpio_a = 0x50000000;
};

TEST_F(Stm32g0Clock, RunsAtFullSpeedFromTheInternalOscillator) {
  reg(cr) = pll_ready;
  reg(cfgr) = 2u << 3;  // SWS
  reg(acr) = 1u << 18;  // DBG_SWEN, as after reset
  const Clocks clocks = start_stm32g0(board(0, 64 * mhz));
  EXPECT_EQ(clocks.core_hz, 64 * mhz);
  EXPECT_EQ(clocks.uart_hz, 64 * mhz);
  EXPECT_EQ(reg(pllcfgr), 2u | 8u << 8 | 1u << 28 | 1u << 29);  // HSI16, N 8, R 2
  EXPECT_EQ(reg(cfgr), 2u << 3 | 2u);
  EXPECT_EQ(reg(acr), 2u | 3u << 8 | 1u << 18) << "the debugger keeps its access";
  EXPECT_EQ(reg(cr + 0x34), 1u);
  EXPECT_EQ(reg(cr + 0x3C), 1u << 17);
  EXPECT_EQ(reg(gpio_a + 0x20), 1u << 8 | 1u << 12);
}

TEST_F(Stm32g0Clock, TakesTheCrystalWhenThereIsOne) {
  reg(cr) = hse_ready | pll_ready;
  reg(cfgr) = 2u << 3;
  EXPECT_EQ(start_stm32g0(board(8 * mhz, 64 * mhz)).core_hz, 64 * mhz);
  EXPECT_EQ(reg(pllcfgr), 3u | 16u << 8 | 1u << 28 | 1u << 29);
}

TEST_F(Stm32g0Clock, ReportsTheInternalOscillatorWhenNothingAnswers) {
  EXPECT_EQ(start_stm32g0(board(8 * mhz, 64 * mhz)).core_hz, 16 * mhz);
  EXPECT_EQ(reg(acr) & 7u, 0u);
  EXPECT_EQ(reg(cr) & 1u << 24, 0u);
}

class Stm32u5Clock : public Registers {
 protected:
  void SetUp() override {
    for (const std::uint32_t page : {rcc, acr, icache, gpio_a})
      map(page);
  }
  BoardConfig board(std::uint32_t crystal, std::uint32_t clock) {
    return {crystal,    clock, 3300,          0x40013800,     61, 2 * mhz, {0, 9, 7},
            {0, 10, 7}, 0,     start_stm32u5, &stm32_usart_v2};
  }
  /// Every oscillator, voltage and booster asked for is there.
  void answer(std::uint32_t source) {
    reg(rcc) = hsi_ready | hse_ready | pll_ready;
    reg(cfgr1) = status(source);
    reg(vosr) = 1u << 15 | 1u << 14;
  }
  static constexpr std::uint32_t rcc = 0x46020C00, cfgr1 = rcc + 0x1C, pll1cfgr = rcc + 0x28;
  static constexpr std::uint32_t pll1divr = rcc + 0x34, vosr = 0x4602080C;
  static constexpr std::uint32_t pwr_cr3 = 0x46020808, pwr_svmsr = 0x4602083C;
  static constexpr std::uint32_t acr = 0x40022000, icache = 0x40030400, gpio_a = 0x42020000;
};

TEST_F(Stm32u5Clock, RunsAtFullSpeedFromTheInternalOscillator) {
  answer(3);
  const Clocks clocks = start_stm32u5(board(0, 160 * mhz));
  EXPECT_EQ(clocks.core_hz, 160 * mhz);
  EXPECT_EQ(clocks.uart_hz, 160 * mhz);
  EXPECT_EQ(reg(vosr) >> 16, 3u | 1u << 2) << "range 1 and the booster";
  EXPECT_EQ(reg(pll1cfgr), 2u | 3u << 2 | 1u << 18);  // HSI16, 8 to 16 MHz, M 1, booster by 1
  EXPECT_EQ(reg(pll1divr), 19u | 1u << 9 | 1u << 16 | 1u << 24);  // N 20, R 2
  EXPECT_EQ(reg(cfgr1), status(3) | 3u);
  EXPECT_EQ(reg(acr), 4u | 1u << 8);
  EXPECT_EQ(reg(icache), 1u) << "the instruction cache";
  EXPECT_EQ(reg(rcc + 0x94), 1u << 2) << "PWR";
  EXPECT_EQ(reg(rcc + 0x8C), 1u) << "GPIOA";
  EXPECT_EQ(reg(rcc + 0xA4), 1u << 14) << "USART1";
}

TEST_F(Stm32u5Clock, LeavesTheRegulatorOnUnlessAskedForTheConverter) {
  answer(3);
  BoardConfig config = board(0, 160 * mhz);
  config.supply = Supply::ldo;
  EXPECT_EQ(start_stm32u5(config).core_hz, 160 * mhz);
  EXPECT_EQ(reg(pwr_cr3), 0u);
  config.supply = Supply::smps;
  reg(pwr_svmsr) = 1u << 1;  // REGS: the converter has taken over
  EXPECT_EQ(start_stm32u5(config).core_hz, 160 * mhz);
  EXPECT_EQ(reg(pwr_cr3), 1u << 1) << "REGSEL";
}

TEST_F(Stm32u5Clock, StaysAsAfterResetWhenTheConverterDoesNotTakeOver) {
  answer(3);
  BoardConfig config = board(0, 160 * mhz);
  config.supply = Supply::smps;
  EXPECT_EQ(start_stm32u5(config).core_hz, 4 * mhz);
  EXPECT_EQ(reg(vosr) >> 16, 0u) << "the core voltage was not raised";
}

TEST_F(Stm32u5Clock, SlowerClocksNeedLessVoltageAndNoBooster) {
  answer(3);
  EXPECT_EQ(start_stm32u5(board(0, 48 * mhz)).core_hz, 48 * mhz);
  EXPECT_EQ(reg(vosr) >> 16, 1u) << "range 3";
  EXPECT_EQ(reg(acr) & 0xF, 1u);
}

TEST_F(Stm32u5Clock, DividesAFastCrystalForTheBooster) {
  answer(3);
  EXPECT_EQ(start_stm32u5(board(32 * mhz, 160 * mhz)).core_hz, 160 * mhz);
  EXPECT_EQ(reg(pll1cfgr), 3u | 3u << 2 | 1u << 8 | 1u << 12 | 1u << 18);  // M 2, booster by 2
}

TEST_F(Stm32u5Clock, StaysSlowWithoutItsBooster) {
  answer(1);
  reg(vosr) = 1u << 15;
  EXPECT_EQ(start_stm32u5(board(0, 160 * mhz)).core_hz, 16 * mhz);
  EXPECT_EQ(reg(rcc) & 1u << 24, 0u) << "the PLL was not started";
}

TEST_F(Stm32u5Clock, ReportsTheClockAfterResetWhenNothingAnswers) {
  EXPECT_EQ(start_stm32u5(board(0, 160 * mhz)).core_hz, 4 * mhz);
}

}  // namespace
}  // namespace assay::port

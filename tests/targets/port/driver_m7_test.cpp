// The clock drivers of the Cortex-M7 chips against memory that stands where their registers are:
// every expected value is worked out by hand from the reference manuals.
#include <gtest/gtest.h>

#include "targets/port/board_config.hpp"
#include "targets/port/registers.hpp"
#include "tests/targets/port/register_memory.hpp"

namespace assay::port {
namespace {

constexpr std::uint32_t usart3 = 0x40004800;
constexpr std::uint32_t hse_ready = 1u << 17;
constexpr std::uint32_t hse_bypass = 1u << 18;
constexpr std::uint32_t pll_ready = 1u << 25;
constexpr std::uint32_t scs = 0xE000E000;
constexpr std::uint32_t ccr = scs + 0xD14;

BoardConfig usart3_board(std::uint32_t crystal, std::uint32_t clock,
                         Clocks (*start)(const BoardConfig&)) {
  return {crystal,   clock, 3300,  usart3,         39, 2'000'000, {3, 8, 7},
          {3, 9, 7}, 0,     start, &stm32_usart_v2};
}

class Stm32f7Clock : public Registers {
 protected:
  void SetUp() override {
    map(cr);
    map(pwr_cr1);
    map(gpio_d);
    map(scs);
    reg(cr) = hse_ready | pll_ready;
    reg(cfgr) = 2u << 2;
    reg(pwr_csr1) = 3u << 16;
  }
  static constexpr std::uint32_t cr = 0x40023800, pllcfgr = cr + 4, cfgr = cr + 8,
                                 ahb1enr = cr + 0x30, apb1enr = cr + 0x40, acr = 0x40023C00,
                                 pwr_cr1 = 0x40007000, pwr_csr1 = 0x40007004, gpio_d = 0x40020C00;
};

TEST_F(Stm32f7Clock, RunsAtFullSpeedInOverdrive) {
  BoardConfig board = usart3_board(8'000'000, 216'000'000, start_stm32f7);
  board.clock_input = true;
  const Clocks clocks = start_stm32f7(board);
  EXPECT_EQ(clocks.core_hz, 216'000'000u);
  EXPECT_EQ(clocks.uart_hz, 54'000'000u);
  EXPECT_TRUE(reg(cr) & hse_bypass);
  // M 4, N 216, P 2 (field 0), source crystal, Q 10: 432 MHz / 10 below USB's 48 MHz, R 2.
  EXPECT_EQ(reg(pllcfgr), 4u | 216u << 6 | 1u << 22 | 10u << 24 | 2u << 28);
  EXPECT_EQ(reg(pwr_cr1), 3u << 16);                         // ODEN, ODSWEN
  EXPECT_EQ(reg(cfgr), 2u | 2u << 2 | 5u << 10 | 4u << 13);  // APB1 by 4, APB2 by 2
  EXPECT_EQ(reg(acr), 7u | 3u << 8);                         // 7 wait states, prefetch, ART
  EXPECT_EQ(reg(apb1enr), 1u << 18 | 1u << 28);              // USART3, PWR
  EXPECT_EQ(reg(ahb1enr), 1u << 3);                          // GPIOD
  EXPECT_EQ(reg(gpio_d + 0x24), 7u << 0 | 7u << 4);
}

TEST_F(Stm32f7Clock, LeavesOverdriveAloneUpTo180Megahertz) {
  EXPECT_EQ(start_stm32f7(usart3_board(25'000'000, 180'000'000, start_stm32f7)).core_hz,
            180'000'000u);
  EXPECT_EQ(reg(pwr_cr1), 0u);
  EXPECT_FALSE(reg(cr) & hse_bypass);
  EXPECT_EQ(reg(acr) & 15u, 5u);
}

TEST_F(Stm32f7Clock, StaysOnTheOscillatorWhenOverdriveDoesNotCome) {
  reg(pwr_csr1) = 0;
  EXPECT_EQ(start_stm32f7(usart3_board(8'000'000, 216'000'000, start_stm32f7)).core_hz,
            16'000'000u);
  EXPECT_EQ(reg(cfgr) & 3u, 0u);
}

TEST_F(Stm32f7Clock, TurnsCachesOnWhereThereAreSome) {
  start_stm32f7(usart3_board(8'000'000, 216'000'000, start_stm32f7));
  EXPECT_EQ(reg(ccr), 0u);
  BoardConfig board = usart3_board(8'000'000, 216'000'000, start_stm32f7);
  board.caches = true;
  reg(scs + 0xD80) = 31u << 13 | 3u << 3;  // CCSIDR: 32 sets of 4 ways
  start_stm32f7(board);
  EXPECT_EQ(reg(ccr), 3u << 16);
  EXPECT_EQ(reg(scs + 0xF60), 31u << 5 | 3u << 30) << "DCISW, the last line";
}

class Stm32h7Clock : public Registers {
 protected:
  void SetUp() override {
    for (const std::uint32_t address : {rcc, syscfg_pwrcr, acr, gpio_d, scs})
      map(address);
    power_up();
  }
  void power_up() {
    reg(syscfg_pwrcr) = 0;
    reg(rcc) = hse_ready | pll_ready;
    reg(cfgr) = 3u << 3;
    reg(pwr_csr1) = 1u << 13;
    reg(pwr_cr3) = 6;  // as after power-up
    reg(pwr_d3cr) = 1u << 13;
    reg(pllckselr) = 0x02020200;
    reg(pllcfgr) = 0x01FF0000;
  }
  BoardConfig board(std::uint32_t crystal, std::uint32_t clock, Supply supply) {
    BoardConfig config = usart3_board(crystal, clock, start_stm32h7);
    config.supply = supply;
    return config;
  }
  static constexpr std::uint32_t rcc = 0x58024400, cfgr = rcc + 0x10, d1cfgr = rcc + 0x18,
                                 d2cfgr = rcc + 0x1C, d3cfgr = rcc + 0x20, pllckselr = rcc + 0x28,
                                 pllcfgr = rcc + 0x2C, pll1divr = rcc + 0x30, ahb2enr = rcc + 0x13C,
                                 ahb4enr = rcc + 0x140, apb1lenr = rcc + 0x148,
                                 apb4enr = rcc + 0x154, pwr_csr1 = 0x58024804, pwr_cr3 = 0x5802480C,
                                 pwr_d3cr = 0x58024818, syscfg_pwrcr = 0x58000404, acr = 0x52002000,
                                 gpio_d = 0x58020C00;
};

TEST_F(Stm32h7Clock, RunsAt480MegahertzWithTheVoltageRaised) {
  const Clocks clocks = start_stm32h7(board(8'000'000, 480'000'000, Supply::ldo));
  EXPECT_EQ(clocks.core_hz, 480'000'000u);
  EXPECT_EQ(clocks.uart_hz, 120'000'000u);
  EXPECT_EQ(reg(pwr_cr3), 2u);
  EXPECT_EQ(reg(pwr_d3cr), 3u << 14 | 1u << 13);  // scale 1, and over-drive on top
  EXPECT_EQ(reg(apb4enr), 1u << 1);
  EXPECT_EQ(reg(syscfg_pwrcr), 1u);
  EXPECT_EQ(reg(pllckselr), 0x02020000u | 2u | 1u << 4);  // crystal, M 1: 8 MHz
  EXPECT_EQ(reg(pllcfgr), 0x01FF0000u | 3u << 2);         // 8 to 16 MHz, wide
  EXPECT_EQ(reg(pll1divr), 119u | 1u << 9 | 1u << 16 | 1u << 24);
  EXPECT_EQ(reg(d1cfgr), 8u | 4u << 4);       // AXI by 2, APB3 by 2
  EXPECT_EQ(reg(d2cfgr), 4u << 4 | 4u << 8);  // APB1, APB2
  EXPECT_EQ(reg(d3cfgr), 4u << 4);            // APB4
  EXPECT_EQ(reg(acr), 4u | 2u << 4);          // RM0433, table 17
  EXPECT_EQ(reg(cfgr), 3u | 3u << 3);
  EXPECT_EQ(reg(ahb2enr), 0xE0000000u);  // SRAM1 to SRAM3
  EXPECT_EQ(reg(ahb4enr), 1u << 3);
  EXPECT_EQ(reg(apb1lenr), 1u << 18);
  EXPECT_EQ(reg(gpio_d + 0x24), 7u << 0 | 7u << 4);
}

TEST_F(Stm32h7Clock, TakesTheLowestVoltageThatCarriesTheClock) {
  struct Case {
    std::uint32_t clock, voltage, flash;
  };
  for (const Case& c : {Case{400'000'000, 3, 2u | 2u << 4}, Case{300'000'000, 2, 2u | 1u << 4},
                        Case{200'000'000, 1, 2u | 1u << 4}, Case{100'000'000, 1, 2u | 1u << 4},
                        Case{80'000'000, 1, 1u | 1u << 4}}) {
    power_up();
    EXPECT_EQ(start_stm32h7(board(25'000'000, c.clock, Supply::smps)).core_hz, c.clock);
    EXPECT_EQ(reg(pwr_d3cr) >> 14, c.voltage) << c.clock;
    EXPECT_EQ(reg(acr), c.flash) << c.clock;
    EXPECT_EQ(reg(syscfg_pwrcr), 0u) << c.clock;
    EXPECT_EQ(reg(pwr_cr3), 4u);
  }
}

TEST_F(Stm32h7Clock, RunsTheH7a3WithBusesAtTheCoresClock) {
  const Clocks clocks = start_stm32h7a3(board(8'000'000, 280'000'000, Supply::smps));
  EXPECT_EQ(clocks.core_hz, 280'000'000u);
  EXPECT_EQ(clocks.uart_hz, 140'000'000u);
  EXPECT_EQ(reg(pll1divr), 69u | 1u << 9 | 1u << 16 | 1u << 24);  // 8 MHz * 70 / 2
  EXPECT_EQ(reg(d1cfgr), 4u << 4);
  EXPECT_EQ(reg(acr), 6u | 3u << 4);  // RM0455, table 15
  EXPECT_EQ(reg(pwr_d3cr) >> 14, 3u);
}

TEST_F(Stm32h7Clock, WritesExactlyTheBoardsSupply) {
  struct Case {
    Supply supply;
    std::uint32_t bits;
  };
  for (const Case& c :
       {Case{Supply::ldo, 0x02}, Case{Supply::smps, 0x04}, Case{Supply::smps_1v8_ldo, 0x16},
        Case{Supply::smps_2v5_ldo, 0x26}, Case{Supply::external, 0x01}}) {
    power_up();
    start_stm32h7(board(25'000'000, 400'000'000, c.supply));
    EXPECT_EQ(reg(pwr_cr3), c.bits);
  }
}

TEST_F(Stm32h7Clock, TouchesNothingWithoutASupply) {
  EXPECT_EQ(start_stm32h7(board(25'000'000, 400'000'000, Supply::fixed)).core_hz, 64'000'000u);
  EXPECT_EQ(reg(pwr_cr3), 6u);
  EXPECT_EQ(reg(pwr_d3cr), 1u << 13);
}

TEST_F(Stm32h7Clock, ReportsTheInternalOscillatorWhenThePllDoesNotLock) {
  reg(rcc) = hse_ready;
  const Clocks clocks = start_stm32h7(board(8'000'000, 480'000'000, Supply::ldo));
  EXPECT_EQ(clocks.core_hz, 64'000'000u);
  EXPECT_EQ(clocks.uart_hz, 32'000'000u);
  EXPECT_EQ(reg(cfgr) & 7u, 0u);
  EXPECT_EQ(reg(rcc) & 1u << 24, 0u);
}

}  // namespace
}  // namespace assay::port

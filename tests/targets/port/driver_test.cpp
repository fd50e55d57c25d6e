// The clock and UART drivers against memory that stands where their registers are: every expected
// value is worked out by hand from the reference manuals.
#include <gtest/gtest.h>

#include "targets/port/board_config.hpp"
#include "targets/port/registers.hpp"
#include "tests/targets/port/register_memory.hpp"

namespace assay::port {
namespace {

constexpr std::uint32_t hse_ready = 1u << 17;
constexpr std::uint32_t pll_ready = 1u << 25;
constexpr std::uint32_t status_crystal = 1u << 2;
constexpr std::uint32_t status_pll = 2u << 2;

class Stm32f4Clock : public Registers {
 protected:
  void SetUp() override {
    map(cr);
    map(gpio_a);
  }
  BoardConfig board(std::uint32_t crystal, std::uint32_t clock, std::uint32_t supply = 3300) {
    return {crystal,    clock, supply,        0x40011000,     37, 2'000'000, {0, 9, 7},
            {0, 10, 7}, 0,     start_stm32f4, &stm32_usart_v1};
  }
  static constexpr std::uint32_t cr = 0x40023800;
  static constexpr std::uint32_t pllcfgr = 0x40023804;
  static constexpr std::uint32_t cfgr = 0x40023808;
  static constexpr std::uint32_t acr = 0x40023C00;
  static constexpr std::uint32_t gpio_a = 0x40020000;
};

TEST_F(Stm32f4Clock, RunsAtFullSpeedFromTheCrystal) {
  reg(cr) = hse_ready | pll_ready;
  reg(cfgr) = status_pll;
  const Clocks clocks = start_stm32f4(board(8'000'000, 168'000'000));
  EXPECT_EQ(clocks.core_hz, 168'000'000u);
  EXPECT_EQ(clocks.uart_hz, 84'000'000u);
  // M 4, N 168, P 2 (field 0), source crystal, Q 8: 336 MHz / 8 = 42 MHz for USB, below its 48.
  EXPECT_EQ(reg(pllcfgr), 4u | 168u << 6 | 1u << 22 | 8u << 24);
  EXPECT_EQ(reg(cfgr), 2u | status_pll | 5u << 10 | 4u << 13);  // APB1 by 4, APB2 by 2
  EXPECT_EQ(reg(acr), 5u | 7u << 8);                            // 5 wait states, caches, prefetch
}

TEST_F(Stm32f4Clock, ConnectsTheUart) {
  start_stm32f4(board(8'000'000, 168'000'000));
  EXPECT_EQ(reg(0x40023830), 1u);       // GPIOA
  EXPECT_EQ(reg(0x40023844), 1u << 4);  // USART1
  EXPECT_EQ(reg(gpio_a + 0x00), 2u << 18 | 2u << 20);
  EXPECT_EQ(reg(gpio_a + 0x24), 7u << 4 | 7u << 8);
  EXPECT_EQ(reg(gpio_a + 0x0C), 1u << 18 | 1u << 20);
}

TEST_F(Stm32f4Clock, TakesTheInternalOscillatorThroughThePllWithoutACrystal) {
  reg(cr) = pll_ready;
  reg(cfgr) = status_pll;
  EXPECT_EQ(start_stm32f4(board(8'000'000, 168'000'000)).core_hz, 168'000'000u);
  EXPECT_EQ(reg(pllcfgr), 8u | 168u << 6 | 8u << 24);
}

TEST_F(Stm32f4Clock, UsesTheCrystalAsItIsWhenThatIsTheClock) {
  reg(cr) = hse_ready;
  reg(cfgr) = status_crystal;
  EXPECT_EQ(start_stm32f4(board(8'000'000, 8'000'000)).core_hz, 8'000'000u);
}

TEST_F(Stm32f4Clock, ReportsTheInternalOscillatorWhenNothingAnswers) {
  const Clocks clocks = start_stm32f4(board(8'000'000, 168'000'000));
  EXPECT_EQ(clocks.core_hz, 16'000'000u);
  EXPECT_EQ(clocks.uart_hz, 16'000'000u);
  EXPECT_EQ(reg(cr) & (1u << 24), 0u) << "a PLL that does not lock is switched off";
  EXPECT_EQ(reg(acr) & 7u, 0u);
}

struct WaitStates {
  std::uint32_t clock;
  std::uint32_t supply;
  std::uint32_t expected;
};

TEST_F(Stm32f4Clock, SetsTheWaitStatesOfTheManual) {  // RM0090, table 10
  for (const WaitStates& c : {WaitStates{30'000'000, 3300, 0}, WaitStates{31'000'000, 3300, 1},
                              WaitStates{60'000'000, 2700, 1}, WaitStates{90'000'000, 3300, 2},
                              WaitStates{120'000'000, 3300, 3}, WaitStates{150'000'000, 3300, 4},
                              WaitStates{151'000'000, 3300, 5}, WaitStates{48'000'000, 2400, 1},
                              WaitStates{45'000'000, 2100, 2}, WaitStates{120'000'000, 1800, 5}}) {
    reg(cr) = hse_ready | pll_ready;
    reg(cfgr) = status_pll;
    EXPECT_EQ(start_stm32f4(board(8'000'000, c.clock, c.supply)).core_hz, c.clock);
    EXPECT_EQ(reg(acr) & 7u, c.expected) << c.clock << " Hz at " << c.supply << " mV";
  }
}

class Stm32f0Clock : public Registers {
 protected:
  void SetUp() override {
    map(cr);
    map(acr);
    map(gpio_a);
  }
  BoardConfig board(std::uint32_t crystal, std::uint32_t clock) {
    return {crystal,    clock, 3300,          0x40013800,     27, 2'000'000, {0, 9, 1},
            {0, 10, 1}, 0,     start_stm32f0, &stm32_usart_v2};
  }
  static constexpr std::uint32_t cr = 0x40021000;
  static constexpr std::uint32_t cfgr = 0x40021004;
  static constexpr std::uint32_t cfgr2 = 0x4002102C;
  static constexpr std::uint32_t acr = 0x40022000;
  static constexpr std::uint32_t gpio_a = 0x48000000;
};

TEST_F(Stm32f0Clock, RunsAtFullSpeedFromTheCrystal) {
  reg(cr) = hse_ready | pll_ready;
  reg(cfgr) = status_pll;
  const Clocks clocks = start_stm32f0(board(8'000'000, 48'000'000));
  EXPECT_EQ(clocks.core_hz, 48'000'000u);
  EXPECT_EQ(clocks.uart_hz, 48'000'000u);
  EXPECT_EQ(reg(cfgr), 2u | status_pll | 2u << 15 | 4u << 18);  // crystal, times 6
  EXPECT_EQ(reg(cfgr2), 0u);
  EXPECT_EQ(reg(acr), 1u | 1u << 4);     // one wait state, prefetch
  EXPECT_EQ(reg(0x40021014), 1u << 17);  // GPIOA
  EXPECT_EQ(reg(0x40021018), 1u << 14);  // USART1
  EXPECT_EQ(reg(gpio_a + 0x24), 1u << 4 | 1u << 8);
}

TEST_F(Stm32f0Clock, HalvesTheInternalOscillatorWithoutACrystal) {
  reg(cr) = pll_ready;
  reg(cfgr) = status_pll;
  EXPECT_EQ(start_stm32f0(board(8'000'000, 48'000'000)).core_hz, 48'000'000u);
  EXPECT_EQ(reg(cfgr), 2u | status_pll | 10u << 18);  // half of 8 MHz, times 12
}

TEST_F(Stm32f0Clock, ReportsTheInternalOscillatorWhenNothingAnswers) {
  EXPECT_EQ(start_stm32f0(board(8'000'000, 48'000'000)).core_hz, 8'000'000u);
  EXPECT_EQ(reg(acr) & 7u, 0u);
}

class Usart : public Registers {
 protected:
  void SetUp() override { map(base); }
  static constexpr std::uint32_t base = 0x40011000;
};

TEST_F(Usart, V1OpensAtTheBaud) {
  stm32_usart_v1.open(base, 84'000'000, 2'000'000);
  EXPECT_EQ(reg(base + 0x08), (42u / 8) << 4 | 42u % 8);
  EXPECT_EQ(reg(base + 0x0C), 1u << 15 | 1u << 13 | 1u << 5 | 1u << 3 | 1u << 2);
}

TEST_F(Usart, V2OpensAtTheBaud) {
  stm32_usart_v2.open(base, 48'000'000, 2'000'000);
  EXPECT_EQ(reg(base + 0x0C), 0x30u);
  EXPECT_EQ(reg(base + 0x00), 1u << 15 | 1u << 5 | 1u << 3 | 1u << 2 | 1u);
}

TEST_F(Usart, LowPowerOpensWithTheDividerTimes256) {
  stm32_lpuart.open(base, 120'000'000, 921'600);
  EXPECT_EQ(reg(base + 0x0C), 33333u);  // 256 * 120 MHz / 921 600 = 33 333.3
  EXPECT_EQ(reg(base + 0x00), 1u << 5 | 1u << 3 | 1u << 2 | 1u) << "there is no OVER8";
}

TEST_F(Usart, TakesAByteOnlyWhenOneWaits) {
  std::uint8_t byte = 0;
  bool overrun = true;
  EXPECT_FALSE(stm32_usart_v1.take(base, byte, overrun));
  EXPECT_FALSE(overrun);
  reg(base + 0x00) = 1u << 5;
  reg(base + 0x04) = 0x5A;
  EXPECT_TRUE(stm32_usart_v1.take(base, byte, overrun));
  EXPECT_EQ(byte, 0x5A);
  EXPECT_FALSE(overrun);
}

TEST_F(Usart, ReportsAndClearsAnOverrun) {
  std::uint8_t byte = 0;
  bool overrun = false;
  reg(base + 0x1C) = 1u << 3 | 1u << 5;
  reg(base + 0x24) = 7;
  EXPECT_TRUE(stm32_usart_v2.take(base, byte, overrun));
  EXPECT_EQ(byte, 7);
  EXPECT_TRUE(overrun);
  EXPECT_EQ(reg(base + 0x20), 1u << 3) << "ORECF";
  reg(base + 0x1C) = 1u << 3;
  reg(base + 0x20) = 0;
  EXPECT_FALSE(stm32_usart_v2.take(base, byte, overrun));
  EXPECT_TRUE(overrun);
  EXPECT_EQ(reg(base + 0x20), 1u << 3);
}

TEST_F(Usart, SendsEvenWhenTheTransmitterNeverReportsRoom) {
  stm32_usart_v1.put(base, 0x42);
  EXPECT_EQ(reg(base + 0x04), 0x42u);
}

}  // namespace
}  // namespace assay::port

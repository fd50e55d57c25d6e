// Clock arithmetic against the reference manuals' equations and limits.
#include "targets/port/pll.hpp"

#include "targets/port/stm32h7_clocks.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace assay::port {
namespace {

constexpr std::uint32_t mhz = 1'000'000;

TEST(PllStm32f4, MakesTheFullClockAsTheManualDoes) {
  const PllStm32f4 pll = choose_pll_stm32f4(8 * mhz, 168 * mhz);
  EXPECT_TRUE(pll.valid);
  EXPECT_EQ(pll.m, 4u);
  EXPECT_EQ(pll.n, 168u);
  EXPECT_EQ(pll.p, 2u);
}

TEST(PllStm32f4, EverySettingIsExactAndWithinLimits) {
  int found = 0;
  for (const std::uint32_t source : {8 * mhz, 12 * mhz, 16 * mhz, 25 * mhz}) {
    for (std::uint32_t wanted = mhz; wanted <= 220 * mhz; wanted += mhz / 2) {
      const PllStm32f4 pll = choose_pll_stm32f4(source, wanted);
      if (!pll.valid) continue;
      ++found;
      const std::uint64_t input = source / pll.m;
      const std::uint64_t vco = input * pll.n;
      EXPECT_EQ(input * pll.m, source);
      EXPECT_EQ(vco, std::uint64_t{wanted} * pll.p);
      EXPECT_TRUE(input >= mhz && input <= 2 * mhz) << source << " " << wanted;
      EXPECT_TRUE(vco >= 192 * mhz && vco <= 432 * mhz) << source << " " << wanted;
      EXPECT_TRUE(pll.n >= 50 && pll.n <= 432 && pll.m >= 2 && pll.m <= 63);
      EXPECT_TRUE(pll.p == 2 || pll.p == 4 || pll.p == 6 || pll.p == 8);
    }
  }
  EXPECT_GT(found, 700);
}

TEST(PllStm32f4, EveryWholeMegahertzFrom24To168IsReachable) {
  for (std::uint32_t wanted = 24; wanted <= 168; ++wanted)
    EXPECT_TRUE(choose_pll_stm32f4(8 * mhz, wanted * mhz).valid) << wanted;
}

TEST(PllStm32f4, RefusesWhatItCannotMake) {
  EXPECT_FALSE(choose_pll_stm32f4(8 * mhz, 23 * mhz).valid) << "VCO below 192 MHz";
  EXPECT_FALSE(choose_pll_stm32f4(8 * mhz, 217 * mhz).valid) << "VCO above 432 MHz";
  EXPECT_FALSE(choose_pll_stm32f4(8 * mhz, 168 * mhz + 1).valid) << "not exact";
  EXPECT_FALSE(choose_pll_stm32f4(8 * mhz + 1, 168 * mhz).valid) << "odd crystal";
  EXPECT_FALSE(choose_pll_stm32f4(8 * mhz, 2'000'000'000).valid) << "no overflow";
}

TEST(PllStm32f0, EverySettingIsExactAndWithinLimits) {
  for (const std::uint32_t source : {4 * mhz, 8 * mhz, 12 * mhz}) {
    for (std::uint32_t wanted = mhz; wanted <= 60 * mhz; wanted += mhz / 2) {
      const PllStm32f0 pll = choose_pll_stm32f0(source, wanted);
      if (!pll.valid) continue;
      EXPECT_EQ(std::uint64_t{source} * pll.mul, std::uint64_t{wanted} * pll.prediv);
      EXPECT_TRUE(pll.prediv >= 1 && pll.prediv <= 16 && pll.mul >= 2 && pll.mul <= 16);
      EXPECT_TRUE(wanted >= 16 * mhz && wanted <= 48 * mhz);
    }
  }
  const PllStm32f0 full = choose_pll_stm32f0(8 * mhz, 48 * mhz);
  EXPECT_TRUE(full.valid);
  EXPECT_EQ(full.mul, 6u);
  EXPECT_EQ(full.prediv, 1u);
  EXPECT_TRUE(choose_pll_stm32f0(4 * mhz, 48 * mhz).valid) << "internal oscillator, halved";
  EXPECT_FALSE(choose_pll_stm32f0(8 * mhz, 49 * mhz).valid);
  EXPECT_FALSE(choose_pll_stm32f0(8 * mhz, 15 * mhz).valid);
}

TEST(PllStm32h7, EverySettingIsExactAndWithinLimits) {
  int found = 0;
  for (const Stm32h7Line* line : {&stm32h74x, &stm32h7a3}) {
    for (const std::uint32_t source : {8 * mhz, 16 * mhz, 25 * mhz, 64 * mhz}) {
      for (std::uint32_t wanted = mhz; wanted <= 490 * mhz; wanted += mhz) {
        const PllStm32h7 pll = choose_pll_stm32h7(*line, source, wanted);
        if (!pll.valid) continue;
        ++found;
        const std::uint64_t input = source / pll.m;
        const std::uint64_t vco = input * pll.n;
        EXPECT_EQ(input * pll.m, source);
        EXPECT_EQ(vco, std::uint64_t{wanted} * pll.p);
        EXPECT_TRUE(vco >= line->vco_low_hz && vco <= line->vco_high_hz) << source << " " << wanted;
        EXPECT_TRUE(pll.n >= 4 && pll.n <= 512 && pll.m >= 1 && pll.m <= 63);
        EXPECT_TRUE(pll.p % 2 == 0 && pll.p >= 2 && pll.p <= 128);
        const std::uint32_t low = mhz << pll.input_range;
        EXPECT_TRUE(input >= low && input <= 2 * low) << source << " " << wanted;
      }
    }
  }
  EXPECT_GT(found, 2000);
}

TEST(PllStm32h7, MakesTheBoardsClocks) {
  EXPECT_TRUE(choose_pll_stm32h7(stm32h74x, 8 * mhz, 480 * mhz).valid);
  EXPECT_TRUE(choose_pll_stm32h7(stm32h74x, 25 * mhz, 400 * mhz).valid);
  EXPECT_TRUE(choose_pll_stm32h7(stm32h7a3, 8 * mhz, 280 * mhz).valid);
  EXPECT_FALSE(choose_pll_stm32h7(stm32h7a3, 8 * mhz, 281 * mhz).valid) << "VCO above 560 MHz";
  EXPECT_FALSE(choose_pll_stm32h7(stm32h74x, 8 * mhz, 481 * mhz).valid) << "VCO above 960 MHz";
  EXPECT_FALSE(choose_pll_stm32h7(stm32h74x, 8 * mhz, 400 * mhz + 1).valid) << "not exact";
}

struct H7BusCase {
  const Stm32h7Line& line;
  std::uint32_t core_mhz;
  std::uint32_t axi_divider, apb_divider, wait_states, write_delay;
};

// DS12110 and DS13195, general operating conditions; RM0433 table 17, RM0455 table 15.
TEST(BusesStm32h7, FollowTheTables) {
  for (const H7BusCase& c :
       {H7BusCase{stm32h74x, 480, 2, 2, 4, 2}, H7BusCase{stm32h74x, 450, 2, 2, 3, 2},
        H7BusCase{stm32h74x, 420, 2, 2, 2, 2}, H7BusCase{stm32h74x, 400, 2, 2, 2, 2},
        H7BusCase{stm32h74x, 360, 2, 2, 2, 1}, H7BusCase{stm32h74x, 302, 2, 2, 2, 1},
        H7BusCase{stm32h74x, 300, 2, 2, 2, 1}, H7BusCase{stm32h74x, 220, 2, 2, 1, 1},
        H7BusCase{stm32h74x, 200, 2, 2, 2, 1}, H7BusCase{stm32h74x, 90, 1, 2, 1, 1},
        H7BusCase{stm32h74x, 45, 1, 1, 0, 0}, H7BusCase{stm32h7a3, 280, 1, 2, 6, 3},
        H7BusCase{stm32h7a3, 225, 1, 2, 5, 2}, H7BusCase{stm32h7a3, 160, 1, 2, 4, 2},
        H7BusCase{stm32h7a3, 88, 1, 2, 3, 1}, H7BusCase{stm32h7a3, 44, 1, 1, 1, 0},
        H7BusCase{stm32h7a3, 22, 1, 1, 0, 0}}) {
    const Stm32h7Scale* scale = choose_scale(c.line, c.core_mhz * mhz);
    ASSERT_NE(scale, nullptr) << c.core_mhz;
    const Stm32h7Buses buses = stm32h7_buses(c.line, *scale, c.core_mhz * mhz);
    EXPECT_EQ(buses.axi_divider, c.axi_divider) << c.core_mhz;
    EXPECT_EQ(buses.apb_divider, c.apb_divider) << c.core_mhz;
    EXPECT_EQ(buses.wait_states, c.wait_states) << c.core_mhz;
    EXPECT_EQ(buses.write_delay, c.write_delay) << c.core_mhz;
  }
  EXPECT_EQ(choose_scale(stm32h74x, 481 * mhz), nullptr);
  EXPECT_EQ(choose_scale(stm32h7a3, 281 * mhz), nullptr);
}

TEST(Buses, OfTheStm32f7AreDividedBelowTheirLimits) {
  EXPECT_EQ(uart_hz_stm32f7(216 * mhz, 0x40011000), 108 * mhz);
  EXPECT_EQ(uart_hz_stm32f7(216 * mhz, 0x40004800), 54 * mhz);
  EXPECT_EQ(uart_hz_stm32f7(108 * mhz, 0x40011000), 108 * mhz);
}

TEST(Buses, AreDividedBelowTheirLimits) {
  EXPECT_EQ(uart_hz_stm32f4(168 * mhz, 0x40011000), 84 * mhz);
  EXPECT_EQ(uart_hz_stm32f4(168 * mhz, 0x40004400), 42 * mhz);
  EXPECT_EQ(uart_hz_stm32f4(84 * mhz, 0x40011000), 84 * mhz);
  EXPECT_EQ(uart_hz_stm32f4(16 * mhz, 0x40004400), 16 * mhz);
  EXPECT_EQ(bus_divider(168 * mhz, 10 * mhz), 32u);
}

struct BaudCase {
  std::uint32_t clock;
  std::uint32_t baud;
  std::uint32_t divider;
  std::uint32_t actual;
};

TEST(Baud, PicksTheNearestDivider) {
  for (const BaudCase& c :
       {BaudCase{84 * mhz, 2 * mhz, 42, 2 * mhz}, BaudCase{48 * mhz, 2 * mhz, 24, 2 * mhz},
        BaudCase{16 * mhz, 2 * mhz, 8, 2 * mhz}, BaudCase{84 * mhz, 115200, 729, 115226},
        BaudCase{8 * mhz, 2 * mhz, 8, mhz}}) {  // as fast as it goes
    const BaudSetting setting = choose_baud(c.clock, c.baud);
    EXPECT_EQ(setting.divider, c.divider) << c.clock << " " << c.baud;
    EXPECT_EQ(setting.actual_baud, c.actual) << c.clock << " " << c.baud;
  }
}

TEST(Baud, OfALowPowerUartIsFinerAndHasALeastDivider) {
  EXPECT_EQ(lpuart_divider(120 * mhz, 2 * mhz), 15360u);
  EXPECT_EQ(lpuart_actual_baud(120 * mhz, 2 * mhz), 2 * mhz);
  EXPECT_EQ(lpuart_divider(80 * mhz, 921'600), 22222u);  // 22 222.2
  EXPECT_EQ(lpuart_actual_baud(80 * mhz, 921'600), 921'609u);
  EXPECT_EQ(lpuart_divider(4 * mhz, 2 * mhz), 0x300u);
  EXPECT_EQ(lpuart_actual_baud(4 * mhz, 2 * mhz), 1'333'333u) << "a third of the clock at most";
}

}  // namespace
}  // namespace assay::port

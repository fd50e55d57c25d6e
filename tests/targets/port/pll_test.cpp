// Clock arithmetic against the reference manuals' equations and limits.
#include "targets/port/pll.hpp"

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

}  // namespace
}  // namespace assay::port

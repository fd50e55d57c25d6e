// The PLL of the L4, G0 and U5 against the manuals' equation and limits, by a brute-force search
// that knows nothing of the order in which the driver looks.
#include "targets/port/pll_l4.hpp"

#include <gtest/gtest.h>

namespace assay::port {
namespace {

constexpr std::uint32_t mhz = 1'000'000;

struct Family {
  const char* name;
  const PllLimits& limits;
  std::uint32_t most_hz;
};

constexpr Family families[] = {{"stm32l4", pll_stm32l4, 80 * mhz},
                               {"stm32l4plus", pll_stm32l4plus, 120 * mhz},
                               {"stm32g0", pll_stm32g0, 64 * mhz},
                               {"stm32u5", pll_stm32u5, 160 * mhz}};

bool some_setting_makes(const PllLimits& l, std::uint64_t source, std::uint64_t wanted) {
  for (std::uint64_t m = 1; m <= l.most_m; ++m) {
    // The input must be a whole number of hertz: the driver has no fractions.
    if (source % m != 0 || source / m < l.least_input_hz || source / m > l.most_input_hz) continue;
    for (std::uint64_t n = l.least_n; n <= l.most_n; ++n) {
      const std::uint64_t vco = source / m * n;
      if (vco < l.least_vco_hz || vco > l.most_vco_hz) continue;
      for (std::uint64_t r = 2; r <= l.most_r; r += l.r_step)
        if (vco == wanted * r) return true;
    }
  }
  return false;
}

TEST(PllL4, FindsASettingWheneverThereIsOne) {
  for (const Family& family : families) {
    int found = 0;
    for (const std::uint32_t source : {4 * mhz, 8 * mhz, 16 * mhz, 26 * mhz, 48 * mhz}) {
      for (std::uint32_t wanted = 2 * mhz; wanted <= family.most_hz; wanted += 2 * mhz) {
        const PllSetting pll = choose_pll(family.limits, source, wanted);
        EXPECT_EQ(pll.valid, some_setting_makes(family.limits, source, wanted))
            << family.name << " " << source << " " << wanted;
        if (!pll.valid) continue;
        ++found;
        EXPECT_EQ(std::uint64_t{source} * pll.n, std::uint64_t{wanted} * pll.m * pll.r);
        EXPECT_LE(pll.m, family.limits.most_m);
        EXPECT_GE(pll.n, family.limits.least_n);
        EXPECT_LE(pll.n, family.limits.most_n);
        EXPECT_EQ(pll.r % family.limits.r_step, 0u);
      }
    }
    EXPECT_GT(found, 90) << family.name;
  }
}

// The settings of ST's own examples and of OpenOCD's reset-init script of the U5.
TEST(PllL4, MakesTheFullClockFromTheInternalOscillator) {
  for (const Family& family : families)
    EXPECT_TRUE(choose_pll(family.limits, hsi16_hz, family.most_hz).valid) << family.name;
  const PllSetting l4 = choose_pll(pll_stm32l4, hsi16_hz, 80 * mhz);
  EXPECT_EQ(l4.m, 1u);
  EXPECT_EQ(l4.n, 10u);
  EXPECT_EQ(l4.r, 2u);
  const PllSetting u5 = choose_pll(pll_stm32u5, 4 * mhz, 160 * mhz);
  EXPECT_EQ(u5.m, 1u);
  EXPECT_EQ(u5.n, 80u);
  EXPECT_EQ(u5.r, 2u);
}

TEST(PllL4, RefusesWhatItCannotMake) {
  EXPECT_FALSE(choose_pll(pll_stm32l4, hsi16_hz, 80 * mhz + 1).valid) << "not exact";
  EXPECT_FALSE(choose_pll(pll_stm32l4, hsi16_hz, 173 * mhz).valid) << "VCO above 344 MHz";
  EXPECT_FALSE(choose_pll(pll_stm32l4, hsi16_hz, 7 * mhz).valid) << "VCO below 64 MHz";
  EXPECT_FALSE(choose_pll(pll_stm32u5, 3 * mhz, 160 * mhz).valid) << "input below 4 MHz";
  EXPECT_FALSE(choose_pll(pll_stm32u5, hsi16_hz, 4'000'000'000).valid) << "no overflow";
}

TEST(PllL4, VoltageAndWaitStatesFollowTheManualsTables) {
  EXPECT_EQ(wait_states(16 * mhz, hertz_per_wait_state_stm32l4), 0u);
  EXPECT_EQ(wait_states(80 * mhz, hertz_per_wait_state_stm32l4), 4u);
  EXPECT_EQ(wait_states(120 * mhz, hertz_per_wait_state_stm32l4plus), 5u);
  EXPECT_EQ(wait_states(24 * mhz, hertz_per_wait_state_stm32g0), 0u);
  EXPECT_EQ(wait_states(64 * mhz, hertz_per_wait_state_stm32g0), 2u);
  struct Voltage {
    std::uint32_t hz, vos, wait_states;
    bool booster;
  };
  for (const Voltage& c : {Voltage{16 * mhz, 0, 1, false}, Voltage{25 * mhz, 0, 2, false},
                           Voltage{26 * mhz, 1, 1, false}, Voltage{55 * mhz, 1, 2, false},
                           Voltage{56 * mhz, 2, 1, true}, Voltage{110 * mhz, 2, 3, true},
                           Voltage{111 * mhz, 3, 3, true}, Voltage{160 * mhz, 3, 4, true}}) {
    const VoltageStm32u5 voltage = voltage_stm32u5(c.hz);
    EXPECT_EQ(voltage.vos, c.vos) << c.hz;
    EXPECT_EQ(voltage.booster, c.booster) << c.hz;
    EXPECT_EQ(wait_states(c.hz, voltage.hertz_per_wait_state), c.wait_states) << c.hz;
  }
  EXPECT_EQ(booster_divider_field(16 * mhz), 0u);
  EXPECT_EQ(booster_divider_field(24 * mhz), 1u);
  EXPECT_EQ(booster_divider_field(50 * mhz), 2u);
}

}  // namespace
}  // namespace assay::port

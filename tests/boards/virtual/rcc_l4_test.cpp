// The clock trees of the STM32L4, L4+, G0 and U5: what registers give which core clock, worked out
// by hand from RM0351, RM0432, RM0444 and RM0456, and what locks, follows or is ignored.
#include "boards/virtual/rcc.hpp"

#include <gtest/gtest.h>

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t all = 0xFFFFFFFF;
constexpr std::uint64_t mhz = 1'000'000;

struct Store {
  std::uint32_t offset;
  std::uint32_t value;
};

/// The model of a clock driver, with that crystal on an otherwise unknown board.
std::unique_ptr<Rcc> rcc_of(const char* family, std::optional<Hertz> crystal = std::nullopt) {
  BoardType type;
  type.part.clock_driver = family;
  type.crystal = crystal;
  auto rcc = make_rcc(type).value();
  rcc->reset();
  return rcc;
}

std::uint64_t clock_after(Rcc& rcc, const std::vector<Store>& stores) {
  for (const Store& store : stores)
    rcc.write(store.offset, store.value, all);
  return rcc.core_clock().count();
}

TEST(RccL4, StartsAsAfterReset) {
  EXPECT_EQ(rcc_of("stm32l4")->core_clock(), Hertz(4 * mhz));
  EXPECT_EQ(rcc_of("stm32l4plus")->core_clock(), Hertz(4 * mhz));
  EXPECT_EQ(rcc_of("stm32g0")->core_clock(), Hertz(16 * mhz));
  EXPECT_EQ(rcc_of("stm32u5")->core_clock(), Hertz(4 * mhz));
}

struct Tree {
  const char* family;
  std::optional<Hertz> crystal;
  std::vector<Store> stores;
  std::uint64_t hz;
};

TEST(RccL4, GivesTheClockOfTheManualsEquations) {
  for (const Tree& tree :
       {// MSI range 11; the L4's PLL from MSI, HSI16 and a crystal; its AHB prescaler.
        Tree{"stm32l4", {}, {{0x00, 0xB9}}, 48 * mhz},
        Tree{"stm32l4", {}, {{0x0C, 1 | 40u << 8 | 1u << 24}, {0, 0x01000063}, {8, 3}}, 80 * mhz},
        Tree{"stm32l4",
             {},
             {{0, 0x163}, {0x0C, 2 | 3u << 4 | 20u << 8 | 1u << 24}, {0, 0x01000163}, {8, 3}},
             40 * mhz},
        Tree{"stm32l4",
             Hertz(8 * mhz),
             {{0, 0x10063}, {0x0C, 3 | 16u << 8 | 1u << 24 | 1u << 25}, {0, 0x01010063}, {8, 0x83}},
             16 * mhz},
        // M of the L4+ has four bits.
        Tree{"stm32l4plus",
             Hertz(32 * mhz),
             {{0, 0x10063}, {0x0C, 3 | 9u << 4 | 75u << 8 | 1u << 24}, {0, 0x01010063}, {8, 3}},
             120 * mhz},
        // HSIDIV; the G0's PLL by 5, which is odd.
        Tree{"stm32g0", {}, {{0, 0x100 | 3u << 11}}, 2 * mhz},
        Tree{"stm32g0",
             {},
             {{0x0C, 2 | 20u << 8 | 1u << 28 | 4u << 29}, {0, 0x01000100}, {8, 2}},
             64 * mhz},
        // PLL1N and PLL1R count from 1; MSIS at 24 MHz.
        Tree{"stm32u5",
             {},
             {{0, 0x111},
              {0x28, 2 | 3u << 2 | 1u << 18},
              {0x34, 19 | 1u << 24},
              {0, 0x01000111},
              {0x1C, 3}},
             160 * mhz},
        Tree{"stm32u5", {}, {{8, 1u << 28 | 1u << 23}}, 24 * mhz}}) {
    const auto rcc = rcc_of(tree.family, tree.crystal);
    EXPECT_EQ(clock_after(*rcc, tree.stores), tree.hz) << tree.family;
  }
}

TEST(RccL4, APllWithoutSourceOrOutOfRangeDoesNotLock) {
  struct Bad {
    const char* family;
    std::vector<Store> stores;
  };
  for (const Bad& bad :
       {Bad{"stm32l4", {{0x0C, 2 | 10u << 8 | 1u << 24}, {0, 0x01000063}, {8, 3}}},  // HSI16 is off
        Bad{"stm32l4", {{0x0C, 3 | 10u << 8 | 1u << 24}, {0, 0x01010063}, {8, 3}}},  // no crystal
        Bad{"stm32l4", {{0x0C, 1 | 10u << 8 | 1u << 24}, {0, 0x01000063}, {8, 3}}},  // VCO 40 MHz
        Bad{"stm32g0", {{0x0C, 2 | 22u << 8 | 1u << 28 | 4u << 29}, {0, 0x01000100}, {8, 2}}},
        // PLL1RGE says 4 to 8 MHz, the input has 16.
        Bad{"stm32u5",
            {{0, 0x111},
             {0x28, 2 | 1u << 18},
             {0x34, 19 | 1u << 24},
             {0, 0x01000111},
             {0x1C, 3}}}}) {
    const auto rcc = rcc_of(bad.family);
    const Hertz before = rcc->core_clock();
    EXPECT_EQ(clock_after(*rcc, bad.stores), before.count()) << bad.family;
    EXPECT_EQ(rcc->read(0) >> 25 & 1, 0u) << bad.family << ": PLLRDY";
  }
}

TEST(RccL4, APllThatRunsKeepsItsFactors) {
  const auto l4 = rcc_of("stm32l4");
  EXPECT_EQ(clock_after(*l4, {{0x0C, 1 | 40u << 8 | 1u << 24},
                              {0, 0x01000063},
                              {8, 3},
                              {0x0C, 1 | 20u << 8 | 1u << 24}}),
            80 * mhz);
  const auto u5 = rcc_of("stm32u5");
  EXPECT_EQ(clock_after(*u5, {{0, 0x111},
                              {0x28, 2 | 3u << 2 | 1u << 18},
                              {0x34, 19 | 1u << 24},
                              {0, 0x01000111},
                              {0x1C, 3},
                              {0x34, 9 | 1u << 24}}),
            160 * mhz);
}

TEST(RccL4, PowerControlNeedsItsClock) {
  struct Gate {
    const char* family;
    std::uint32_t enable, bit, pwr, value, mask;
  };
  for (const Gate& gate : {Gate{"stm32l4", 0x58, 1u << 28, 0x00, 2u << 9, 3u << 9},
                           Gate{"stm32l4plus", 0x58, 1u << 28, 0x80, 0, 1u << 8},
                           Gate{"stm32g0", 0x3C, 1u << 28, 0x00, 2u << 9, 3u << 9},
                           Gate{"stm32u5", 0x94, 1u << 2, 0x0C, 3u << 16, 3u << 16}}) {
    const auto rcc = rcc_of(gate.family);
    Peripheral& power = *rcc->other_blocks().front().registers;
    const std::uint32_t before = power.read(gate.pwr) & gate.mask;
    ASSERT_NE(before, gate.value);
    power.write(gate.pwr, gate.value, all);
    EXPECT_EQ(power.read(gate.pwr) & gate.mask, before) << gate.family << ": its clock is off";
    rcc->write(gate.enable, gate.bit, all);
    power.write(gate.pwr, gate.value, all);
    EXPECT_EQ(power.read(gate.pwr) & gate.mask, gate.value) << gate.family;
  }
}

TEST(RccL4, TheBoosterNeedsAClockOfFourToSixteenMegahertz) {
  const auto rcc = rcc_of("stm32u5", Hertz(32 * mhz));
  rcc->write(0x94, 4, all);
  rcc->write(0, 0x10011, all);
  Peripheral& power = *rcc->other_blocks().front().registers;
  power.write(0x0C, 3u << 16 | 1u << 18, all);
  const auto ready = [&](std::uint32_t pll1cfgr) {
    rcc->write(0x28, pll1cfgr, all);
    return power.read(0x0C) >> 14 & 1;
  };
  EXPECT_EQ(ready(0), 0u) << "no source";
  EXPECT_EQ(ready(3), 0u) << "32 MHz";
  EXPECT_EQ(ready(3 | 1u << 12), 1u) << "32 MHz by 2";
  EXPECT_EQ(ready(3 | 4u << 12), 1u) << "32 MHz by 8";
  EXPECT_EQ(ready(3 | 5u << 12), 0u) << "32 MHz by 10";
}

// RM0456 10.5.1: REGS follows REGSEL; without a coil at its pins the converter makes nothing.
TEST(RccL4, TheConverterNeedsABoardThatIsWiredForIt) {
  for (const bool wired : {true, false}) {
    BoardType type;
    type.part.clock_driver = "stm32u5";
    if (wired) type.power_wiring = {SupplyMode::ldo, SupplyMode::smps};
    const auto rcc = make_rcc(type).value();
    rcc->reset();
    rcc->write(0x94, 4, all);
    Peripheral& power = *rcc->other_blocks().front().registers;
    EXPECT_EQ(power.read(0x3C) & 2, 0u) << "the regulator, after reset";
    EXPECT_FALSE(rcc->failure(0));
    power.write(0x08, 2, all);
    EXPECT_EQ(power.read(0x3C) & 2, 2u);
    EXPECT_EQ(rcc->failure(0).has_value(), !wired);
  }
}

TEST(RccL4, UartsFollowTheirBus) {
  const auto l4 = rcc_of("stm32l4");
  l4->write(0x08, 4u << 8 | 5u << 11, all);
  EXPECT_EQ(l4->cycles_per_uart_clock(0x40004400), 2u);
  EXPECT_EQ(l4->cycles_per_uart_clock(0x40008000), 2u);
  EXPECT_EQ(l4->cycles_per_uart_clock(0x40013800), 4u);
  l4->write(0x88, 1u << 2, all);  // USART2 from SYSCLK
  EXPECT_EQ(l4->cycles_per_uart_clock(0x40004400), 1u);
  const auto g0 = rcc_of("stm32g0");
  g0->write(0x08, 6u << 12, all);
  EXPECT_EQ(g0->cycles_per_uart_clock(0x40013800), 8u);
  const auto u5 = rcc_of("stm32u5");
  u5->write(0x20, 4u << 4 | 5u << 8, all);
  EXPECT_EQ(u5->cycles_per_uart_clock(0x40004400), 2u);
  EXPECT_EQ(u5->cycles_per_uart_clock(0x40013800), 4u);
}

TEST(RccL4, UnknownDriversAreRefusedByName) {
  BoardType type;
  type.part.clock_driver = "stm32x9";
  const auto rcc = make_rcc(type);
  ASSERT_FALSE(rcc);
  EXPECT_NE(rcc.error().message.find("stm32x9"), std::string::npos);
  EXPECT_NE(rcc.error().message.find("stm32l4plus"), std::string::npos);
}

}  // namespace
}  // namespace assay::virtual_board

#include "boards/virtual/systick.hpp"

#include <gtest/gtest.h>

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t ctrl = 0, load = 4, val = 8;

SysTick started(std::uint32_t reload, std::uint32_t control, std::uint64_t now) {
  SysTick tick;
  tick.reset(0);
  tick.write(load, reload, now);
  tick.write(val, 0, now);
  tick.write(ctrl, control, now);
  return tick;
}

TEST(SysTick, CountsDownAndReloads) {
  SysTick tick = started(9, 5, 1000);
  EXPECT_EQ(tick.read(val, 1001), 9u);
  EXPECT_EQ(tick.read(val, 1009), 1u);
  EXPECT_EQ(tick.read(val, 1010), 0u);
  EXPECT_EQ(tick.read(val, 1011), 9u);
}

TEST(SysTick, FlagIsClearedByReading) {
  SysTick tick = started(9, 5, 0);
  EXPECT_EQ(tick.read(ctrl, 9) >> 16, 0u);
  EXPECT_EQ(tick.read(ctrl, 10) >> 16, 1u);
  EXPECT_EQ(tick.read(ctrl, 11) >> 16, 0u);
  EXPECT_EQ(tick.read(ctrl, 45) >> 16, 1u);
}

TEST(SysTick, InterruptsOncePerPeriodAndMissedOnesAreOne) {
  SysTick tick = started(99, 7, 0);
  EXPECT_EQ(tick.next_interrupt(), 100u);
  EXPECT_FALSE(tick.take_interrupt(99));
  EXPECT_TRUE(tick.take_interrupt(100));
  EXPECT_FALSE(tick.take_interrupt(150));
  EXPECT_EQ(tick.next_interrupt(), 200u);
  EXPECT_TRUE(tick.take_interrupt(1000));
  EXPECT_FALSE(tick.take_interrupt(1001));
}

TEST(SysTick, ExternalReferenceIsTheCoreClockOverEight) {
  SysTick tick = started(9, 1, 0);
  EXPECT_EQ(tick.read(val, 16), 8u);
}

TEST(SysTick, StopsAndGoesOnFromThere) {
  SysTick tick = started(99, 5, 0);
  tick.write(ctrl, 4, 40);
  EXPECT_EQ(tick.read(val, 5000), 60u);
  tick.write(ctrl, 5, 6000);
  EXPECT_EQ(tick.read(val, 6010), 50u);
}

}  // namespace
}  // namespace assay::virtual_board

// Priorities and pending state by the rules of the Armv7-M manual, B1.5.
#include "boards/virtual/nvic.hpp"

#include <gtest/gtest.h>

namespace assay::virtual_board {
namespace {

constexpr int irq0 = exception_first_irq, irq1 = irq0 + 1;
constexpr std::uint32_t iser = 0x100, icer = 0x180, ispr = 0x200, ipr = 0x400, all = 0xFFFFFFFF;

Nvic two_enabled(std::uint8_t priority0, std::uint8_t priority1) {
  Nvic nvic(4);
  nvic.write(iser, 3, all);
  nvic.write(ipr, static_cast<std::uint32_t>(priority0) | priority1 << 8, all);
  return nvic;
}

TEST(Nvic, LowerValueThenLowerNumberFirst) {
  Nvic nvic = two_enabled(0x80, 0x40);
  nvic.write(ispr, 3, all);
  EXPECT_EQ(nvic.next({}), irq1);
  nvic.set_priority(irq1, 0x80);
  EXPECT_EQ(nvic.next({}), irq0);
}

TEST(Nvic, ActiveExceptionKeepsEqualPriorityOut) {
  Nvic nvic = two_enabled(0x80, 0x80);
  nvic.activate(irq0);
  nvic.set_pending(irq1, true);
  EXPECT_FALSE(nvic.next({}));
  nvic.deactivate(irq0);
  EXPECT_EQ(nvic.next({}), irq1);
}

TEST(Nvic, PriorityGroupDecidesWhatPreempts) {
  Nvic nvic = two_enabled(0x80, 0x90);
  nvic.activate(irq1);
  nvic.set_pending(irq0, true);
  EXPECT_EQ(nvic.next({}), irq0);
  nvic.set_priority_group(5);  // bits [7:6] preempt: 0x80 and 0x90 are one group
  EXPECT_FALSE(nvic.next({}));
}

TEST(Nvic, MasksHoldBackWhatTheySay) {
  Nvic nvic = two_enabled(0x80, 0x40);
  nvic.set_pending(irq0, true);
  EXPECT_FALSE(nvic.next({.primask = true}));
  EXPECT_FALSE(nvic.next({.basepri = 0x80}));
  EXPECT_EQ(nvic.next({.basepri = 0x90}), irq0);
  EXPECT_TRUE(nvic.wakes({.primask = true}));
  EXPECT_FALSE(nvic.wakes({.basepri = 0x40}));
  nvic.set_pending(exception_nmi, true);
  EXPECT_EQ(nvic.next({.primask = true}), exception_nmi);
  EXPECT_EQ(nvic.next({.faultmask = true}), exception_nmi);
}

TEST(Nvic, OnlyImplementedPriorityBitsStick) {
  Nvic small(2), large(4);
  small.write(ipr, 0xFF, all);
  large.write(ipr, 0xFF, all);
  EXPECT_EQ(small.read(ipr), 0xC0u);
  EXPECT_EQ(large.read(ipr), 0xF0u);
}

TEST(Nvic, LineStillHighPendsAgainAfterItsHandler) {
  Nvic nvic = two_enabled(0, 0);
  nvic.set_line(0, true);
  ASSERT_EQ(nvic.next({}), irq0);
  nvic.activate(irq0);
  EXPECT_FALSE(nvic.is_pending(irq0));
  nvic.deactivate(irq0);
  EXPECT_TRUE(nvic.is_pending(irq0));
  nvic.activate(irq0);
  nvic.set_line(0, false);
  nvic.deactivate(irq0);
  EXPECT_FALSE(nvic.any_pending());
}

TEST(Nvic, DisabledInterruptsStayPending) {
  Nvic nvic = two_enabled(0, 0);
  nvic.write(icer, 1, all);
  nvic.set_pending(irq0, true);
  EXPECT_FALSE(nvic.next({}));
  nvic.write(iser, 1, all);
  EXPECT_EQ(nvic.next({}), irq0);
  EXPECT_EQ(nvic.read(ispr), 1u);
}

}  // namespace
}  // namespace assay::virtual_board

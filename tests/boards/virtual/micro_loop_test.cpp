// Calibration points that can be rebuilt: loops whose cycles follow by hand from the instruction
// timings of Arm DDI 0432C (Cortex-M0, table 3-1) and Arm 100166 (Cortex-M4, table 3-1), through
// the whole of a virtual board. 64 rounds each, the last branch falls through.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <string>

#include "tests/boards/virtual/test_board.hpp"

namespace assay::test {
namespace {

constexpr double rounds = 64;

struct MicroLoop {
  const char* body;
  double m0;  ///< cycles of a round without wait states, SUBS and the taken branch included
  double m4;
  int words;      ///< loaded in a round
  bool in_flash;  ///< what it loads
};

// Cortex-M0: taken branch 3, load and store 2, LDM, STM, PUSH and POP 1 + N.
// Cortex-M4: taken branch 1 + P with P = 2, load 2, store 1, LDM and the like 1 + N.
constexpr MicroLoop loops[] = {
    {"nop", 1 + 1 + 3, 1 + 1 + 3, 0, false},
    {"muls", 1 + 1 + 3, 1 + 1 + 3, 0, false},
    {"push, pop", 5 + 5 + 1 + 3, 5 + 5 + 1 + 3, 4, false},
    {"ldr", 2 + 1 + 3, 2 + 1 + 3, 1, false},
    {"str, nop", 2 + 1 + 1 + 3, 1 + 1 + 1 + 3, 0, false},
    {"ldmia of four", 5 + 1 + 3, 5 + 1 + 3, 4, false},
    {"ldmia of one, in flash", 2 + 1 + 3, 2 + 1 + 3, 1, true},
};

std::vector<virtual_board::Window> windows_of(const BoardUnderTest& kind,
                                              const char* firmware = "micro") {
  const auto board = start_board(kind, firmware);
  Terminal(board->uart_path()).read_until("done\n");
  return virtual_board::Board::Access(*board).processor().counter().windows();
}

/// The branch into the loop is in the window too, the last round's branch costs 1.
double by_hand(double round, double taken_branch) {
  return taken_branch + rounds * round - (taken_branch - 1);
}

void expect_within(double pct, double modelled, double expected, const std::string& what) {
  const double error = 100 * (modelled / expected - 1);
  std::cout << what << ": " << modelled << " cycles, by hand " << expected << " (" << error
            << " %)\n";
  EXPECT_LE(std::abs(error), pct) << what;
}

TEST(MicroLoops, CortexM0WithoutWaitStates) {
  const auto windows = windows_of(f030);
  ASSERT_EQ(windows.size(), 2 * std::size(loops));
  for (std::size_t i = 0; i < std::size(loops); ++i) {
    EXPECT_EQ(static_cast<double>(windows[i].cycles), by_hand(loops[i].m0, 3)) << loops[i].body;
    EXPECT_EQ(static_cast<double>(windows[i].words_loaded), loops[i].words * rounds);
  }
}

TEST(MicroLoops, CortexM4WithoutWaitStates) {
  const auto windows = windows_of(f405);
  ASSERT_EQ(windows.size(), 2 * std::size(loops));
  for (std::size_t i = 0; i < std::size(loops); ++i) {
    EXPECT_EQ(static_cast<double>(windows[i].cycles), by_hand(loops[i].m4, 3)) << loops[i].body;
    EXPECT_EQ(static_cast<double>(windows[i].words_loaded), loops[i].words * rounds);
  }
}

// One wait state: the branch finds its target a cycle later, and so does each load from flash its
// word. RM0360: one wait state above 24 MHz.
TEST(MicroLoops, Stm32F030WaitsAt48MHz) {
  const auto windows = windows_of(f030);
  ASSERT_EQ(windows.size(), 2 * std::size(loops));
  for (std::size_t i = 0; i < std::size(loops); ++i) {
    const double round = loops[i].m0 + 1 + loops[i].in_flash;
    expect_within(2, static_cast<double>(windows[std::size(loops) + i].cycles), by_hand(round, 3),
                  loops[i].body);
  }
}

// Five wait states: 8 % for the code, and five cycles for every line of 16 bytes the data come in.
TEST(MicroLoops, Stm32F405WaitsAt168MHz) {
  const auto windows = windows_of(f405);
  ASSERT_EQ(windows.size(), 2 * std::size(loops));
  for (std::size_t i = 0; i < std::size(loops); ++i) {
    const double lines = loops[i].in_flash ? rounds * 4 / 16 : 0;
    expect_within(0.5, static_cast<double>(windows[std::size(loops) + i].cycles),
                  1.08 * by_hand(loops[i].m4, 3) + 5 * lines, loops[i].body);
  }
}

struct Cache {
  BoardUnderTest board;
  int ram_miss;    ///< core cycles at the clock after reset
  int flash_miss;  ///< with the wait states of that clock
};

class DataCaches : public ::testing::TestWithParam<Cache> {};

// 256 bytes are eight lines. The STM32F746 starts at 16 MHz, without wait states, the STM32H743 and
// H7A3 at 64 MHz, where the lowest voltage scales take one and two.
TEST_P(DataCaches, AFirstWalkMissesOnceALine) {
  const auto windows = windows_of(GetParam().board, "walk");
  ASSERT_EQ(windows.size(), 6u);
  const auto lost = [&](std::size_t walk) {
    return windows[walk].cycles - windows[walk + 1].cycles;
  };
  EXPECT_EQ(lost(0), 0u) << "no cache stands before the core's own RAM";
  EXPECT_EQ(lost(2), 8u * GetParam().ram_miss);
  EXPECT_EQ(lost(4), 8u * GetParam().flash_miss);
  EXPECT_EQ(windows[1].cycles, windows[5].cycles) << "all of it is in the cache";
}

INSTANTIATE_TEST_SUITE_P(CortexM7, DataCaches,
                         ::testing::Values(Cache{f746, 4, 4}, Cache{h743, 8, 1 + 8},
                                           Cache{h7a3, 4, 2 + 4}),
                         [](const auto& param) {
                           std::string name = param.param.board.type;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace assay::test

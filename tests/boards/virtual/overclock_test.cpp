// A core clock beyond what core voltage and flash allow: the board stands still, says why, and a
// reset heals it. The debugger writes the registers here, as a careless firmware would.
#include <gtest/gtest.h>

#include "harness/core/clock.hpp"
#include "tests/boards/virtual/test_board.hpp"

namespace assay::test {
namespace {

using virtual_board::Board;

struct Store {
  std::uint32_t address;
  std::uint32_t value;
};

struct Careless {
  BoardUnderTest board;
  std::vector<Store> stores;  ///< too few wait states after the last one
  const char* words;
};

class Overclock : public ::testing::TestWithParam<Careless> {};

TEST_P(Overclock, StandsStillAndSaysWhyUntilReset) {
  const auto board = start_board(GetParam().board, "echo");
  Terminal terminal(board->uart_path());
  EXPECT_EQ(terminal.read_until("hello\n"), "hello\n");
  {
    Board::Access access(*board);
    for (const Store& store : GetParam().stores) {
      EXPECT_FALSE(access.failure()) << access.failure()->reason;
      ASSERT_TRUE(access.memory().write(store.address, 4, store.value));
    }
    ASSERT_TRUE(access.failure());
    EXPECT_EQ(access.failure()->reason, GetParam().words);
  }
  terminal.write("x");
  EXPECT_EQ(terminal.read_for(std::chrono::milliseconds(50)), "");
  Board::Access(*board).reset();
  EXPECT_EQ(terminal.read_until("hello\n"), "hello\n");
  EXPECT_FALSE(Board::Access(*board).failure());
}

constexpr std::uint32_t rcc = 0x40021000, flash = 0x40022000, pwr = 0x40007000;
constexpr std::uint32_t u5_rcc = 0x46020C00, u5_pwr = 0x46020800;

INSTANTIATE_TEST_SUITE_P(
    Parts, Overclock,
    ::testing::Values(
        // HSI16 times 10 by 2 is 80 MHz; flash still at 3 wait states.
        Careless{l476,
                 {{flash, 3},
                  {rcc, 0x163},
                  {rcc + 0x0C, 2 | 10u << 8 | 1u << 24},
                  {rcc, 0x01000163},
                  {rcc + 0x08, 3}},
                 "a core clock of 80000000 Hz where 3 flash wait states allow 64000000 Hz"},
        // HSI16 times 15 by 2 is 120 MHz, in the normal mode of range 1.
        Careless{l4r5,
                 {{flash, 5},
                  {rcc, 0x163},
                  {rcc + 0x0C, 2 | 15u << 8 | 1u << 24},
                  {rcc, 0x01000163},
                  {rcc + 0x08, 3}},
                 "a core clock of 120000000 Hz where the core voltage allows 80000000 Hz"},
        // HSI16 in voltage range 2, whose flash needs a wait state there.
        Careless{g0b1,
                 {{rcc + 0x3C, 1u << 28}, {pwr, 2u << 9}},
                 "a core clock of 16000000 Hz where 0 flash wait states allow 8000000 Hz"},
        // HSI16 times 10 by 2 is 80 MHz in range 1, without the booster.
        Careless{u575,
                 {{u5_rcc + 0x94, 4},
                  {u5_pwr + 0x0C, 3u << 16},
                  {flash, 4},
                  {u5_rcc, 0x111},
                  {u5_rcc + 0x28, 2 | 3u << 2 | 1u << 18},
                  {u5_rcc + 0x34, 9 | 1u << 24},
                  {u5_rcc, 0x01000111},
                  {u5_rcc + 0x1C, 3}},
                 "a core clock above 55 MHz without the EPOD booster"}),
    [](const auto& param) { return param.param.board.firmware_suffix; });

}  // namespace
}  // namespace assay::test

// What firmware sees of the processor: exceptions, priorities, masks, SysTick, faults, counting.
// The expected figures are those the Armv7-M and Armv6-M manuals demand.
#include <gtest/gtest.h>

#include "tests/boards/virtual/test_board.hpp"

namespace assay::test {
namespace {

using virtual_board::Board;
using virtual_board::RunState;

class MainlineProcessor : public ::testing::TestWithParam<BoardUnderTest> {};

TEST_P(MainlineProcessor, TakesExceptionsAsTheManualSays) {
  const auto board = start_board(GetParam(), "exceptions");
  Terminal terminal(board->uart_path());
  EXPECT_EQ(terminal.read_until("done\n"),
            "svc=0000002a\n"
            "nested=(1)p\n"  // irq 1 preempts irq 0, PendSV waits for both
            "primask=a1b\n"  // pending until interrupts are on again
            "ticks=00000005\n"
            "hundred=00000001\n"
            "unmapped load=00000001\n"
            "at=00000001\n"    // the stacked PC is that of the load itself
            "cfsr=00008200\n"  // PRECISERR, BFARVALID
            "hfsr=40000000\n"  // FORCED
            "bfar=30000000\n"
            "unmapped store=00000001\n"
            "undefined=00000001\n"
            "cfsr=00018200\n"          // UNDEFINSTR, and the store's
            "flash status=00000080\n"  // PGSERR
            "flash=ffffffff\n"
            "faults=00000000\n"
            "float off=00000001\n"
            "cfsr=00080000\n"  // NOCP
            "float on=40400000\n"
            "basepri=a1b\n"
            "done\n");
}

INSTANTIATE_TEST_SUITE_P(Parts, MainlineProcessor, ::testing::Values(f405, l476, u575),
                         [](const auto& param) { return param.param.firmware_suffix; });

struct Baseline {
  BoardUnderTest board;
  const char* flash_status;
};
class BaselineProcessor : public ::testing::TestWithParam<Baseline> {};

TEST_P(BaselineProcessor, TakesExceptionsAndRefusesWhatItLacks) {
  const auto board = start_board(GetParam().board, "exceptions");
  Terminal terminal(board->uart_path());
  EXPECT_EQ(terminal.read_until("done\n"), std::string("svc=0000002a\n"
                                                       "nested=(1)p\n"
                                                       "primask=a1b\n"
                                                       "ticks=00000005\n"
                                                       "hundred=00000001\n"
                                                       "unmapped load=00000001\n"
                                                       "at=00000001\n"
                                                       "unmapped store=00000001\n"
                                                       "undefined=00000001\n"
                                                       "unaligned=00000001\n"
                                                       "cbz=00000001\n"
                                                       "flash status=") +
                                               GetParam().flash_status +
                                               "\n"
                                               "flash=ffffffff\n"
                                               "faults=00000000\n"
                                               "done\n");
}

INSTANTIATE_TEST_SUITE_P(Parts, BaselineProcessor,
                         ::testing::Values(Baseline{f030, "00000004"},   // PGERR
                                           Baseline{g0b1, "00000080"}),  // PGSERR
                         [](const auto& param) { return param.param.board.firmware_suffix; });

TEST(Processor, ErasedFlashLocksUp) {
  const auto type = load_board_type(f405.type);
  const auto board = Board::create({"blank", type.value(), "VB0001"});
  ASSERT_TRUE(board);
  EXPECT_EQ(Board::Access(**board).processor().state(), RunState::locked_up);
}

TEST(Processor, SameFirmwareSameCycles) {
  std::vector<std::uint64_t> cycles;
  for (int run = 0; run < 2; ++run) {
    const auto board = start_board(f405, "count");
    Terminal terminal(board->uart_path());
    terminal.read_until("done\n");
    Board::Access access(*board);
    const auto& windows = access.processor().counter().windows();
    ASSERT_EQ(windows.size(), 4u);
    EXPECT_EQ(windows[0].cycles, windows[1].cycles);
    EXPECT_EQ(windows[0].instructions, windows[3].instructions);
    for (const auto& window : windows)
      cycles.push_back(window.cycles);
  }
  EXPECT_EQ(std::vector(cycles.begin(), cycles.begin() + 4),
            std::vector(cycles.begin() + 4, cycles.end()));
}

TEST(Processor, CycleCounterAgreesWithTheWindow) {
  const auto board = start_board(f405, "count");
  Terminal terminal(board->uart_path());
  const std::string text = terminal.read_until("done\n");
  const auto read = std::stoull(text.substr(text.find("cycles=") + 7, 8), nullptr, 16);
  const std::uint64_t window = Board::Access(*board).processor().counter().windows().back().cycles;
  // Two markers and the second load of CYCCNT lie between the two readings, outside the window.
  EXPECT_GE(read, window + 2);
  EXPECT_LE(read, window + 10);
}

TEST(Processor, TwoBoardsRunAtOnce) {
  const auto first = start_board(f405, "count");
  const auto second = start_board(f030, "count");
  Terminal one(first->uart_path()), two(second->uart_path());
  const std::string words_one = one.read_until("mixed=60a6e4ea\n");
  const std::string words_two = two.read_until("mixed=60a6e4ea\n");
  EXPECT_EQ(words_one, "conv=ffffec72\nmixed=60a6e4ea\n");
  EXPECT_EQ(words_two, words_one);
}

}  // namespace
}  // namespace assay::test

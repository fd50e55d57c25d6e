// The UART from the host's side of the pty: order and completeness, resets, damage, overrun.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

#include "tests/boards/virtual/test_board.hpp"

namespace assay::test {
namespace {

using virtual_board::Board;

std::string random_text(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text)
    c = static_cast<char>(random());
  return text;
}

/// Without the two command bytes of the interrupt firmware.
std::string harmless_text(std::size_t size, unsigned seed) {
  std::string text = random_text(size, seed);
  for (char& c : text)
    if (c == 0x1b || c == 0x1c) c = 'x';
  return text;
}

std::string echo(Terminal& terminal, const std::string& text) {
  std::string back;
  std::jthread writer([&] { terminal.write(text); });
  return terminal.read_exactly(text.size());
}

class Uart : public ::testing::TestWithParam<BoardUnderTest> {};

TEST_P(Uart, EchoesAMegabyteByPollingInOrder) {
  const auto board = start_board(GetParam(), "echo");
  Terminal terminal(board->uart_path());
  EXPECT_EQ(terminal.read_until("hello\n"), "hello\n");
  const std::string text = random_text(1 << 20, 1);
  EXPECT_TRUE(echo(terminal, text) == text);
}

TEST_P(Uart, EchoesByInterruptWithoutLoss) {
  const auto board = start_board(GetParam(), "interrupts");
  Terminal terminal(board->uart_path());
  EXPECT_EQ(terminal.read_until("ready\n"), "ready\n");
  const std::string text = harmless_text(64 << 10, 2);
  EXPECT_TRUE(echo(terminal, text) == text);
  terminal.write("\x1b");
  EXPECT_EQ(terminal.read_until("\n"), "overruns=00000000\n");
}

TEST_P(Uart, PacedBytesAreLostWhenNotReadInTime) {
  const auto board = start_board(GetParam(), "interrupts");
  Terminal terminal(board->uart_path());
  EXPECT_EQ(terminal.read_until("ready\n"), "ready\n");
  Board::Access(*board).uart().set_paced(true);
  EXPECT_EQ(echo(terminal, "on time"), "on time");
  terminal.write("\x1c" + std::string(200, 'y'));  // deaf while the y arrive
  EXPECT_LT(terminal.read_for(std::chrono::milliseconds(300)).size(), 200u);
  terminal.write("\x1b");
  EXPECT_NE(terminal.read_until("\n"), "overruns=00000000\n");
}

TEST_P(Uart, SurvivesResetsAndShowsEveryBoot) {
  const auto board = start_board(GetParam(), "echo");
  Terminal terminal(board->uart_path());
  for (int boot = 0; boot < 3; ++boot) {
    EXPECT_EQ(terminal.read_until("hello\n"), "hello\n");
    Board::Access(*board).reset();
  }
}

TEST_P(Uart, DamagesWhatItIsToldTo) {
  const auto board = start_board(GetParam(), "echo");
  Terminal terminal(board->uart_path());
  terminal.read_until("hello\n");
  Board::Access(*board).uart().fault_to_board().drop_next = 2;
  terminal.write("abcdef");
  EXPECT_EQ(terminal.read_exactly(4), "cdef");
  Board::Access(*board).uart().fault_from_board().corrupt_next = 1;
  terminal.write("abc");
  const std::string damaged = terminal.read_exactly(3);
  ASSERT_EQ(damaged.size(), 3u);
  EXPECT_EQ(__builtin_popcount(static_cast<unsigned>(damaged[0] ^ 'a')), 1);
  EXPECT_EQ(damaged.substr(1), "bc");
}

TEST_P(Uart, SleepsWhilePollingFirmwareWaits) {
  const auto board = start_board(GetParam(), "echo");
  Terminal terminal(board->uart_path());
  terminal.read_until("hello\n");
  terminal.write("a");
  EXPECT_EQ(terminal.read_exactly(1), "a");
  const Deadline limit(std::chrono::seconds(10));
  while (Board::Access(*board).processor().state() != virtual_board::RunState::sleeping &&
         !limit.passed())
    std::this_thread::yield();
  EXPECT_EQ(Board::Access(*board).processor().state(), virtual_board::RunState::sleeping);
  EXPECT_EQ(echo(terminal, "awake"), "awake");
}

INSTANTIATE_TEST_SUITE_P(Parts, Uart,
                         ::testing::Values(f405, f030, f746, f746_disco, h747, g0b1, l476, l4r5,
                                           u575),
                         [](const auto& param) {
                           std::string name = param.param.type;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace assay::test

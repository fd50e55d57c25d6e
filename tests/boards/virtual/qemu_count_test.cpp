// Executed-instruction counts against QEMU, an independent emulator: on the same ELF for the F405,
// on the same code linked for another machine's addresses for the Cortex-M33.
#include <gtest/gtest.h>

#include "tests/boards/virtual/test_board.hpp"
#include "tests/support/qemu.hpp"

namespace assay::test {
namespace {

struct Pair {
  BoardUnderTest board;
  const char* machine;
  BoardUnderTest firmware;  ///< what QEMU runs
};

class InstructionCounts : public ::testing::TestWithParam<Pair> {};

TEST_P(InstructionCounts, EqualQemusToTheInstruction) {
  QemuSpec spec;
  spec.machine = GetParam().machine;
  spec.elf = firmware_path("count", GetParam().firmware, "elf");
  spec.until = "done\n";
  const auto qemu = run_qemu(spec);
  ASSERT_TRUE(qemu) << qemu.error().message;
  ASSERT_FALSE(qemu->timed_out) << qemu->console;

  const auto board = start_board(GetParam().board, "count");
  Terminal terminal(board->uart_path());
  terminal.read_until("done\n");
  virtual_board::Board::Access access(*board);
  const auto& ours = access.processor().counter().windows();
  ASSERT_EQ(ours.size(), 4u);
  ASSERT_EQ(qemu->windows.size(), ours.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const InstructionWindow& theirs = qemu->windows[i];
    EXPECT_EQ(ours[i].instructions, theirs.total);
    const std::array expected{theirs.alu,      theirs.load,   theirs.store,
                              theirs.multiply, theirs.branch, theirs.other};
    EXPECT_EQ(ours[i].classes, expected) << "window " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Cores, InstructionCounts,
                         ::testing::Values(Pair{f405, "netduinoplus2", f405},
                                           Pair{u575, "mps2-an505", {"", "an505"}}),
                         [](const auto& param) { return param.param.board.firmware_suffix; });

}  // namespace
}  // namespace assay::test

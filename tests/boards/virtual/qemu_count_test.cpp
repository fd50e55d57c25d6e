// Executed-instruction counts against QEMU, an independent emulator, on the same ELF.
#include <gtest/gtest.h>

#include "tests/boards/virtual/test_board.hpp"
#include "tests/support/qemu.hpp"

namespace assay::test {
namespace {

TEST(InstructionCounts, EqualQemusToTheInstruction) {
  QemuSpec spec;
  spec.machine = "netduinoplus2";
  spec.elf = firmware_path("count", f405, "elf");
  spec.until = "done\n";
  const auto qemu = run_qemu(spec);
  ASSERT_TRUE(qemu) << qemu.error().message;
  ASSERT_FALSE(qemu->timed_out) << qemu->console;

  const auto board = start_board(f405, "count");
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

}  // namespace
}  // namespace assay::test

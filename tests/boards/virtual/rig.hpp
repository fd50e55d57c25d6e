// The virtual-board program with both kinds of board, and the real OpenOCD in front of it.
#pragma once

#include <string>
#include <vector>

#include "boards/virtual/client.hpp"
#include "tests/boards/virtual/test_board.hpp"

namespace assay::test {

/// Two boards, "f405" (probe VB0405) and "f030" (probe VB0030), in one process.
VirtualBoards start_rig();

/// What the tests need to know of each of them.
struct RigBoard {
  const char* name;
  const char* serial;
  const char* openocd_target;
  BoardUnderTest kind;
};
constexpr RigBoard rig_f405{"f405", "VB0405", "target/stm32f4x.cfg", f405};
constexpr RigBoard rig_f030{"f030", "VB0030", "target/stm32f0x.cfg", f030};

/// Runs OpenOCD against one probe with `commands`; its words are in `errors`.
ProcessOutcome openocd(const VirtualBoards& rig, const std::string& serial,
                       const std::string& target, const std::string& commands);

/// program, verify, reset, exit.
ProcessOutcome program(const VirtualBoards& rig, const RigBoard& board,
                       const std::string& firmware_elf);

}  // namespace assay::test

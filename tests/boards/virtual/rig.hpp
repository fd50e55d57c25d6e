// The virtual-board program with boards of every kind, and the real OpenOCD in front of it.
#pragma once

#include <string>
#include <vector>

#include "boards/virtual/client.hpp"
#include "tests/boards/virtual/test_board.hpp"

namespace assay::test {

/// What the tests need to know of each of them.
struct RigBoard {
  const char* name;
  const char* serial;
  const char* openocd_target;
  BoardUnderTest kind;
};
constexpr RigBoard rig_f405{"f405", "VB0405", "target/stm32f4x.cfg", f405};
constexpr RigBoard rig_f030{"f030", "VB0030", "target/stm32f0x.cfg", f030};
constexpr RigBoard rig_f746{"f746", "VB0746", "target/stm32f7x.cfg", f746};
constexpr RigBoard rig_f779{"f779", "VB0779", "target/stm32f7x.cfg", f779};
constexpr RigBoard rig_h743{"h743", "VB1743", "target/stm32h7x_dual_bank.cfg", h743};
constexpr RigBoard rig_h747{"h747", "VB1747", "target/stm32h7x_dual_bank.cfg", h747};
constexpr RigBoard rig_h7a3{"h7a3", "VB17A3", "target/stm32h7x_dual_bank.cfg", h7a3};

/// The boards in one process.
VirtualBoards start_rig(const std::vector<RigBoard>& boards = {rig_f405, rig_f030});

/// Runs OpenOCD against one probe with `commands`; its words are in `errors`.
ProcessOutcome openocd(const VirtualBoards& rig, const std::string& serial,
                       const std::string& target, const std::string& commands);

/// program, verify, reset, exit.
ProcessOutcome program(const VirtualBoards& rig, const RigBoard& board,
                       const std::string& firmware_elf);

}  // namespace assay::test

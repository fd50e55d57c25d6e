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
  const char* processor;  ///< as OpenOCD names it after a look at CPUID
  BoardUnderTest kind;
  /// OpenOCD's words when a bit of flash stays 0: verification fails, or the controller refuses to
  /// program what is not erased.
  const char* stuck_bit_words = "** Verify Failed **";
};
constexpr RigBoard rig_f405{"f405", "VB0405", "target/stm32f4x.cfg", "Cortex-M4 r0p1", f405};
constexpr RigBoard rig_f030{"f030",           "VB0030", "target/stm32f0x.cfg",
                            "Cortex-M0 r0p0", f030,     "flash not erased"};
constexpr RigBoard rig_f746{"f746", "VB0746", "target/stm32f7x.cfg", "Cortex-M7", f746};
constexpr RigBoard rig_f779{"f779", "VB0779", "target/stm32f7x.cfg", "Cortex-M7", f779};
constexpr RigBoard rig_h743{"h743", "VB1743", "target/stm32h7x_dual_bank.cfg", "Cortex-M7", h743};
constexpr RigBoard rig_h747{"h747", "VB1747", "target/stm32h7x_dual_bank.cfg", "Cortex-M7", h747};
constexpr RigBoard rig_h7a3{"h7a3", "VB17A3", "target/stm32h7x_dual_bank.cfg", "Cortex-M7", h7a3};
constexpr const char* progerr_words = "flash write failed = 00000008";  // FLASH_SR.PROGERR
constexpr RigBoard rig_l476{"l476",           "VB0476", "target/stm32l4x.cfg",
                            "Cortex-M4 r0p1", l476,     progerr_words};
constexpr RigBoard rig_l4r5{"l4r5",           "VB04A5", "target/stm32l4x.cfg",
                            "Cortex-M4 r0p1", l4r5,     progerr_words};
constexpr RigBoard rig_g0b1{"g0b1", "VB00B1",     "target/stm32g0x.cfg", "Cortex-M0+ r0p1",
                            g0b1,   progerr_words};
constexpr RigBoard rig_u575{"u575", "VB0575",     "target/stm32u5x.cfg", "Cortex-M33 r0p4",
                            u575,   progerr_words};

/// The boards in one process.
VirtualBoards start_rig(const std::vector<RigBoard>& boards = {rig_f405, rig_f030});

/// Runs OpenOCD against one probe with `commands`; its words are in `errors`.
ProcessOutcome openocd(const VirtualBoards& rig, const std::string& serial,
                       const std::string& target, const std::string& commands);

/// program, verify, reset, exit.
ProcessOutcome program(const VirtualBoards& rig, const RigBoard& board,
                       const std::string& firmware_elf);

}  // namespace assay::test

#include "tests/boards/virtual/rig.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace assay::test {

VirtualBoards start_rig(const std::vector<RigBoard>& boards) {
  std::vector<VirtualBoardSpec> specs;
  for (const RigBoard& board : boards)
    specs.push_back({board.name, board.kind.type, board.serial});
  auto rig = VirtualBoards::start(specs);
  EXPECT_TRUE(rig) << (rig ? "" : rig.error().message);
  return std::move(*rig);
}

ProcessOutcome openocd(const VirtualBoards& rig, const std::string& serial,
                       const std::string& target, const std::string& commands) {
  ProcessSpec spec;
  spec.arguments = {"openocd",
                    "-c",
                    "gdb_port disabled; tcl_port disabled; telnet_port disabled",
                    "-f",
                    "interface/stlink-dap.cfg",
                    "-c",
                    fmt::format("st-link backend tcp {}", rig.probe_port()),
                    "-c",
                    "transport select dapdirect_swd",
                    "-c",
                    fmt::format("adapter serial {}", serial),
                    "-f",
                    target,
                    "-c",
                    commands};
  spec.deadline = std::chrono::seconds(30);
  const auto outcome = run_process(spec);
  EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().message);
  return *outcome;
}

ProcessOutcome program(const VirtualBoards& rig, const RigBoard& board,
                       const std::string& firmware_elf) {
  return openocd(rig, board.serial, board.openocd_target,
                 fmt::format("program {{{}}} verify reset exit", firmware_elf));
}

}  // namespace assay::test

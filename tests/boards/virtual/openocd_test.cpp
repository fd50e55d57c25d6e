// The real OpenOCD, with its own flash drivers and target stubs, against virtual boards: it must
// see a chip, and each injected fault must end in the words OpenOCD has for it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <random>

#include "harness/core/clock.hpp"
#include "harness/core/file.hpp"
#include "tests/boards/virtual/rig.hpp"

namespace assay::test {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string random_image(const std::string& name, std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string image(size, '\0');
  for (char& c : image)
    c = static_cast<char>(random());
  const std::string path = ::testing::TempDir() + name;
  EXPECT_TRUE(write_atomically(path, image));
  return path;
}

class OpenOcd : public ::testing::TestWithParam<RigBoard> {
 protected:
  VirtualBoards rig_ = start_rig();
  const RigBoard& board_ = GetParam();
};

TEST_P(OpenOcd, ProgramsVerifiesAndBootsFirmware) {
  Terminal terminal(rig_.find(board_.name)->uart);
  const auto outcome = program(rig_, board_, firmware_path("echo", board_.kind, "elf"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr("** Verified OK **"));
  EXPECT_EQ(terminal.read_until("hello\n"), "hello\n");
  terminal.write("through the pty");
  EXPECT_EQ(terminal.read_exactly(15), "through the pty");
}

TEST_P(OpenOcd, WritesAndReadsBackSixtyKilobytes) {
  const std::string image = random_image(std::string("image_") + board_.name + ".bin", 60 << 10, 7);
  const std::string copy = image + ".back";
  const auto outcome = openocd(rig_, board_.serial, board_.openocd_target,
                               fmt::format("program {{{}}} 0x08000000 verify; reset halt; "
                                           "dump_image {{{}}} 0x08000000 61440; shutdown",
                                           image, copy));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_TRUE(read_bytes(image).value() == read_bytes(copy).value());
}

TEST_P(OpenOcd, HaltsStepsAndResumes) {
  ASSERT_EQ(program(rig_, board_, firmware_path("echo", board_.kind, "elf")).exit_code, 0);
  const auto outcome =
      openocd(rig_, board_.serial, board_.openocd_target,
              "init; reset halt; set entry [dict get [get_reg pc] pc]; step; "
              "echo \"stepped [expr {[dict get [get_reg pc] pc] - $entry}]\"; "
              "mww 0x20000100 0x12345678; echo \"memory [read_memory 0x20000100 32 1]\"; "
              "resume; sleep 20; halt; wait_halt 100; shutdown");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr("memory 0x12345678"));
  EXPECT_THAT(outcome.errors, AnyOf(HasSubstr("stepped 2\n"), HasSubstr("stepped 4\n")));
}

// The F4 controller programs over anything, so only verification notices; the F0 controller refuses
// a half-word that is not erased.
TEST_P(OpenOcd, StuckFlashBitIsNoticed) {
  ASSERT_TRUE(rig_.inject(board_.name, {{"fault", "stuck_flash_bit"}, {"offset", 4}, {"bit", 0}}));
  const auto outcome = program(rig_, board_, firmware_path("echo", board_.kind, "elf"));
  EXPECT_EQ(outcome.exit_code, 1);
  if (std::string(board_.name) == rig_f405.name) {
    EXPECT_THAT(outcome.errors, HasSubstr("checksum mismatch"));
    EXPECT_THAT(outcome.errors, HasSubstr("** Verify Failed **"));
  } else {
    EXPECT_THAT(outcome.errors, HasSubstr("flash not erased"));
    EXPECT_THAT(outcome.errors, HasSubstr("** Programming Failed **"));
  }
  ASSERT_TRUE(rig_.inject(board_.name, {{"fault", "stuck_flash_bit"}, {"offset", nullptr}}));
  EXPECT_EQ(program(rig_, board_, firmware_path("echo", board_.kind, "elf")).exit_code, 0);
}

TEST_P(OpenOcd, WriteProtectionIsReported) {
  ASSERT_TRUE(rig_.inject(board_.name, {{"fault", "write_protect"}, {"on", true}}));
  const auto outcome = program(rig_, board_, firmware_path("echo", board_.kind, "elf"));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.errors, HasSubstr("device protected"));
}

TEST_P(OpenOcd, NoPowerIsReported) {
  ASSERT_TRUE(rig_.set_power(board_.name, false));
  const auto off = program(rig_, board_, firmware_path("echo", board_.kind, "elf"));
  EXPECT_EQ(off.exit_code, 1);
  EXPECT_THAT(off.errors, HasSubstr("target voltage may be too low"));
  EXPECT_THAT(off.errors, HasSubstr("init mode failed"));
  ASSERT_TRUE(rig_.set_power(board_.name, true));
  EXPECT_EQ(program(rig_, board_, firmware_path("echo", board_.kind, "elf")).exit_code, 0);
}

TEST_P(OpenOcd, MissingProbeIsReported) {
  ASSERT_TRUE(rig_.inject(board_.name, {{"fault", "probe"}, {"present", false}}));
  const auto outcome = program(rig_, board_, firmware_path("echo", board_.kind, "elf"));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.errors, HasSubstr("serial mismatch"));
}

TEST_P(OpenOcd, HungFirmwareIsSilentUntilReset) {
  ASSERT_EQ(program(rig_, board_, firmware_path("echo", board_.kind, "elf")).exit_code, 0);
  Terminal terminal(rig_.find(board_.name)->uart);
  EXPECT_EQ(terminal.read_until("hello\n"), "hello\n");
  ASSERT_TRUE(rig_.inject(board_.name, {{"fault", "hang"}, {"until", "reset"}}));
  EXPECT_EQ(rig_.status(board_.name).value()["state"], "hung");
  terminal.write("x");
  EXPECT_EQ(terminal.read_for(std::chrono::milliseconds(50)), "");
  const auto reset =
      openocd(rig_, board_.serial, board_.openocd_target, "init; reset run; shutdown");
  EXPECT_EQ(reset.exit_code, 0) << reset.errors;
  EXPECT_EQ(terminal.read_until("hello\n"), "hello\n");
}

INSTANTIATE_TEST_SUITE_P(Parts, OpenOcd, ::testing::Values(rig_f405, rig_f030),
                         [](const auto& param) { return param.param.name; });

TEST(OpenOcdProbes, WrongSerialAndWrongConfigurationAreReported) {
  const VirtualBoards rig = start_rig();
  const std::string image = firmware_path("echo", f405, "elf");
  const std::string command = fmt::format("program {{{}}} verify reset exit", image);
  const auto nobody = openocd(rig, "NOBODY", "target/stm32f4x.cfg", command);
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.errors, HasSubstr("serial mismatch"));
  const auto wrong = openocd(rig, rig_f030.serial, "target/stm32f4x.cfg", command);
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.errors, HasSubstr("Cannot identify target as"));
  EXPECT_THAT(wrong.errors, HasSubstr("auto_probe failed"));
  EXPECT_THAT(wrong.errors, Not(HasSubstr("Verified OK")));
}

TEST(OpenOcdProbes, NoProcessNoConnection) {
  ProcessOutcome outcome;
  {
    VirtualBoards rig = start_rig();
    ASSERT_EQ(kill(rig.pid(), SIGTERM), 0);
    const Deadline limit(std::chrono::seconds(5));
    while (rig.status("f405") && !limit.passed()) {
    }
    outcome = program(rig, rig_f405, firmware_path("echo", f405, "elf"));
  }
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.errors, HasSubstr("cannot connect to stlink server"));
}

}  // namespace
}  // namespace assay::test

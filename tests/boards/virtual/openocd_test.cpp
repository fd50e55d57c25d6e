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
  const RigBoard& board_ = GetParam();
  // Another board stands beside it: a wrong serial is told from no probe at all.
  VirtualBoards rig_ =
      start_rig({board_, std::string(board_.name) == rig_f030.name ? rig_f405 : rig_f030});
};

TEST_P(OpenOcd, ProgramsVerifiesAndBootsFirmware) {
  Terminal terminal(rig_.find(board_.name)->uart);
  const auto outcome = program(rig_, board_, firmware_path("echo", board_.kind, "elf"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr(board_.processor));
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

TEST_P(OpenOcd, StuckFlashBitIsNoticed) {
  ASSERT_TRUE(rig_.inject(board_.name, {{"fault", "stuck_flash_bit"}, {"offset", 4}, {"bit", 0}}));
  const auto outcome = program(rig_, board_, firmware_path("echo", board_.kind, "elf"));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.errors, HasSubstr(board_.stuck_bit_words));
  EXPECT_THAT(outcome.errors, Not(HasSubstr("Verified OK")));
  ASSERT_TRUE(rig_.inject(board_.name, {{"fault", "stuck_flash_bit"}, {"offset", nullptr}}));
  EXPECT_EQ(program(rig_, board_, firmware_path("echo", board_.kind, "elf")).exit_code, 0);
}

// The far end of the last bank.
TEST_P(OpenOcd, ProgramsAndErasesToTheLastPage) {
  constexpr unsigned image_size = 4096;
  const auto type = load_board_type(board_.kind.type);
  ASSERT_TRUE(type);
  const unsigned end = 0x08000000 + static_cast<unsigned>(type->part.flash_size().count());
  const std::string image =
      random_image(std::string("end_") + board_.name + ".bin", image_size, 11);
  const auto outcome = openocd(
      rig_, board_.serial, board_.openocd_target,
      fmt::format("init; reset halt; flash write_image erase {{{0}}} {1:#x}; "
                  "verify_image {{{0}}} {1:#x}; echo verified; flash erase_address pad {1:#x} {3}; "
                  "echo \"last word [read_memory {2:#x} 32 1]\"; shutdown",
                  image, end - image_size, end - 4, image_size));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr("verified\n"));
  EXPECT_THAT(outcome.errors, HasSubstr("last word 0xffffffff"));
}

// A store by the debugger with the controller locked changes nothing.
TEST_P(OpenOcd, ALockedFlashKeepsItsContent) {
  const auto outcome = openocd(rig_, board_.serial, board_.openocd_target,
                               "init; reset halt; mww 0x08000000 0x12345678; "
                               "echo \"first word [read_memory 0x08000000 32 1]\"; shutdown");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr("first word 0xffffffff"));
}

TEST_P(OpenOcd, WriteProtectionIsReported) {
  ASSERT_TRUE(rig_.inject(board_.name, {{"fault", "write_protect"}, {"on", true}}));
  const auto outcome = program(rig_, board_, firmware_path("echo", board_.kind, "elf"));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.errors, AnyOf(HasSubstr("device protected"), HasSubstr("WRPERR detected")));
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

// The controllers with an error correction code refuse a second word over the first.
class OpenOcdUnerased : public OpenOcd {};

TEST_P(OpenOcdUnerased, ProgrammingIsRefused) {
  const std::string first = random_image(std::string("first_") + board_.name + ".bin", 4096, 8);
  const std::string second = random_image(std::string("second_") + board_.name + ".bin", 4096, 9);
  const auto outcome =
      openocd(rig_, board_.serial, board_.openocd_target,
              fmt::format("init; reset halt; flash write_image erase {{{}}} 0x08000000; "
                          "flash write_image {{{}}} 0x08000000; shutdown",
                          first, second));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.errors, HasSubstr(board_.stuck_bit_words));
}

INSTANTIATE_TEST_SUITE_P(Parts, OpenOcdUnerased,
                         ::testing::Values(rig_f030, rig_g0b1, rig_l476, rig_l4r5, rig_u575),
                         [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(Parts, OpenOcd,
                         ::testing::Values(rig_f405, rig_f030, rig_f746, rig_f779, rig_h743,
                                           rig_h747, rig_h7a3, rig_g0b1, rig_l476, rig_l4r5,
                                           rig_u575),
                         [](const auto& param) { return param.param.name; });

class OpenOcdTwoBanks : public OpenOcd {};

TEST_P(OpenOcdTwoBanks, WritesAcrossTheirBorder) {
  const std::string image =
      random_image(std::string("border_") + board_.name + ".bin", 40 << 10, 11);
  const std::string copy = image + ".back";
  const auto outcome = openocd(rig_, board_.serial, board_.openocd_target,
                               fmt::format("program {{{}}} 0x080FC000 verify; reset halt; "
                                           "dump_image {{{}}} 0x080FC000 40960; shutdown",
                                           image, copy));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_THAT(outcome.errors, Not(HasSubstr("no flash bank found")));
  EXPECT_TRUE(read_bytes(image).value() == read_bytes(copy).value());
}

INSTANTIATE_TEST_SUITE_P(Parts, OpenOcdTwoBanks, ::testing::Values(rig_h743, rig_h747, rig_h7a3),
                         [](const auto& param) { return param.param.name; });

// A firmware that sets a supply the board is not wired for ends the core and the debug port with
// it, and again after every power-up.
TEST(OpenOcdLockOut, AWrongSupplyShutsTheProbeOut) {
  VirtualBoards rig = start_rig({rig_h747});
  program(rig, rig_h747, firmware_path("lockout", h747, "elf"));
  for (int power_up = 0; power_up < 2; ++power_up) {
    const Deadline limit(std::chrono::seconds(5));
    while (rig.status("h747").value()["state"] != "failed" && !limit.passed()) {
    }
    const auto status = rig.status("h747").value();
    EXPECT_EQ(status["state"], "failed");
    EXPECT_THAT(std::string(status["failure"]), HasSubstr("wired for smps"));
    const auto outcome = program(rig, rig_h747, firmware_path("echo", h747, "elf"));
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.errors, HasSubstr("init mode failed"));
    ASSERT_TRUE(rig.set_power("h747", false));
    ASSERT_TRUE(rig.set_power("h747", true));
  }
}

// 80 MHz with the flash at no wait state: the firmware dies, the debugger does not, and whoever
// asks is told why.
TEST(OpenOcdClock, AnOverclockedBoardSaysSoAndHealsByReset) {
  VirtualBoards rig = start_rig({rig_l476});
  ASSERT_EQ(program(rig, rig_l476, firmware_path("echo", l476, "elf")).exit_code, 0);
  Terminal terminal(rig.find("l476")->uart);
  EXPECT_EQ(terminal.read_until("hello\n"), "hello\n");
  const auto outcome = openocd(rig, rig_l476.serial, rig_l476.openocd_target,
                               "init; mww 0x40021000 0x163; mww 0x4002100C 0x01000A02; "
                               "mww 0x40021000 0x01000163; mww 0x40021008 3; "
                               "echo \"clock switch [read_memory 0x40021008 32 1]\"; shutdown");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr("clock switch 0xf\n"));
  const auto status = rig.status("l476");
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ((*status)["state"], "failed");
  EXPECT_EQ((*status)["failure"],
            "a core clock of 80000000 Hz where 0 flash wait states allow 16000000 Hz");
  ASSERT_EQ(
      openocd(rig, rig_l476.serial, rig_l476.openocd_target, "init; reset run; shutdown").exit_code,
      0);
  EXPECT_EQ(terminal.read_until("hello\n"), "hello\n");
  EXPECT_FALSE(rig.status("l476")->contains("failure"));
}

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

// What the driver says to OpenOCD and makes of its answers, without running it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "boards/probe/openocd.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Complaint {
  const char* output;  ///< lines OpenOCD 0.12 prints, the telling ones
  const char* fault;
};

class Classification : public ::testing::TestWithParam<Complaint> {};

TEST_P(Classification, NamesTheCauseNotItsConsequence) {
  const auto* fault = classify_probe_output(GetParam().output);
  ASSERT_NE(fault, nullptr);
  EXPECT_EQ(fault->name, GetParam().fault);
}

INSTANTIATE_TEST_SUITE_P(
    OpenOcd, Classification,
    ::testing::Values(
        Complaint{"Error: cannot connect to stlink server, errno: Connection refused\n"
                  "** OpenOCD init failed **\n",
                  "server-down"},
        Complaint{"Error: no ST-LINK detected\n** OpenOCD init failed **\n", "no-probe"},
        Complaint{"Error: open failed\n** OpenOCD init failed **\n", "no-probe"},
        Complaint{"Error: libusb_open() failed with LIBUSB_ERROR_ACCESS\nError: open failed\n",
                  "no-permission"},
        Complaint{"Info : connected to stlink-server\n"
                  "Error: ST-LINK open failed (serial mismatch)\n** OpenOCD init failed **\n",
                  "wrong-serial"},
        Complaint{"Info : Target voltage: 0.000000\n"
                  "Error: target voltage may be too low for reliable debugging\n"
                  "Error: init mode failed (unable to connect to the target)\n",
                  "unpowered"},
        Complaint{"Info : Target voltage: 3.290000\n"
                  "Error: init mode failed (unable to connect to the target)\n",
                  "unpowered"},
        Complaint{"Warn : UNEXPECTED idcode: 0x2ba01477\nError: expected 1 of 1: 0x0bb11477\n",
                  "wrong-debug-port"},
        Complaint{"Warn : Cannot identify target as a STM32 family.\nError: auto_probe failed\n"
                  "** Programming Failed **\n",
                  "wrong-chip"},
        Complaint{"Error: auto_probe failed\n** Programming Failed **\n", "wrong-chip"},
        Complaint{"Error: stm32x device protected\nError: failed erasing sectors 0 to 1\n"
                  "** Programming Failed **\n",
                  "write-protected"},
        Complaint{"Error: couldn't open firmware.elf\n** Programming Failed **\n", "missing-file"},
        Complaint{"Error: invalid ELF file, no loadable segments\n** Programming Failed **\n",
                  "bad-image"},
        Complaint{"Warn : no flash bank found for address 0x08040000\n** Programming Finished **\n"
                  "Error: checksum mismatch - attempting binary compare\n** Verify Failed **\n",
                  "no-flash-bank"},
        Complaint{"Error: timeout waiting for algorithm, a target reset is recommended\n"
                  "Error: error writing to flash at address 0x08000000 at offset 0x00000000\n"
                  "** Programming Failed **\n",
                  "hung-core"},
        Complaint{"Error: flash write algorithm aborted by target\n"
                  "Error: stm32x device programming failed / flash not erased\n"
                  "Error: error writing to flash at address 0x08000000 at offset 0x00000000\n"
                  "** Programming Failed **\n",
                  "worn-flash"},
        Complaint{"Error: checksum mismatch - attempting binary compare\n** Verify Failed **\n",
                  "verify"},
        Complaint{"** Verify Failed **\n", "verify"},
        Complaint{"Error: failed erasing sectors 0 to 4\n** Programming Failed **\n", "flash"},
        Complaint{"** Programming Failed **\n", "flash"}));

TEST(ProbeFaults, GoodRunsAndUnknownWordsAreNoFault) {
  EXPECT_EQ(classify_probe_output(""), nullptr);
  EXPECT_EQ(
      classify_probe_output("Info : Unable to match requested speed 2000 kHz, using 1000 kHz\n"
                            "** Programming Finished **\n** Verified OK **\n"
                            "shutdown command invoked\n"),
      nullptr);
}

TEST(ProbeFaults, EveryRowCanBeReachedAndSaysWhatToDo) {
  for (const auto& fault : probe_faults()) {
    EXPECT_EQ(classify_probe_output(fault.fragment), &fault) << fault.fragment;
    EXPECT_THAT(fault.sentence, Not(IsEmpty()));
  }
}

TEST(OpenOcdArguments, VirtualProbe) {
  EXPECT_THAT(
      openocd_arguments({"VB 1", 7184, "target/stm32f4x.cfg"}, {"init", "shutdown"}),
      ElementsAre("openocd", "-c", "gdb_port disabled; tcl_port disabled; telnet_port disabled",
                  "-f", "interface/stlink-dap.cfg", "-c", "st-link backend tcp 7184", "-c",
                  "transport select dapdirect_swd", "-c", "adapter serial {VB 1}", "-f",
                  "target/stm32f4x.cfg", "-c", "init", "-c", "shutdown"));
}

TEST(OpenOcdArguments, ProbeOnUsb) {
  const auto arguments = openocd_arguments({"066DFF", std::nullopt, "target/stm32f0x.cfg"}, {});
  EXPECT_THAT(arguments, Not(::testing::Contains(HasSubstr("backend"))));
  EXPECT_THAT(arguments, ::testing::Contains("adapter serial {066DFF}"));
}

TEST(OpenOcdRefusals, WhatTclWouldReadAsItsOwn) {
  const ProbeTarget good{"S", 1, "target/stm32f4x.cfg"};
  for (const char* path : {"/a/{b.elf", "/a/b}.elf", "/a\\b.elf", "/a\nb.elf"}) {
    const auto status = program_and_verify(good, path, std::chrono::seconds(1), {});
    ASSERT_FALSE(status) << path;
    EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(status.error().message, HasSubstr("rename it"));
  }
  const ProbeTarget evil{"S}; exit; {", 1, "target/stm32f4x.cfg"};
  for (const auto& status : {program_and_verify(evil, "/a.elf", std::chrono::seconds(1), {}),
                             reset_target(evil, std::chrono::seconds(1), {})}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
  }
}

}  // namespace
}  // namespace assay

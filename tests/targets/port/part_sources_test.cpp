// The figures of part and board files against sources that are not ours, each named at its table,
// and against what the clock drivers set up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "harness/core/board_type.hpp"
#include "targets/port/pll_l4.hpp"
#include "targets/port/stm32h7_clocks.hpp"

namespace assay {
namespace {

/// Those of the microcontrollers.
std::vector<Part> every_part() {
  std::vector<Part> parts;
  for (const auto& name : known_parts())
    if (auto part = load_part(name).value(); !part.runs_linux()) parts.push_back(part);
  return parts;
}

struct WaitPoint {
  const char* part;
  std::uint64_t clock;
  std::uint32_t cycles;
};

// What others set for the same clocks: ST's HAL examples and the tables of embassy-stm32 (commit of
// 2026, src/rcc), which were written from the same manuals as ours but not by us. Of an STM32H74x
// the wait states count twice, as its AXI bus has half the core's clock.
constexpr WaitPoint wait_points[] = {
    {"stm32f030cc", 24'000'000, 0},    {"stm32f030cc", 48'000'000, 1},
    {"stm32f405", 16'000'000, 0},      {"stm32f405", 30'000'000, 0},
    {"stm32f405", 30'000'001, 1},      {"stm32f405", 168'000'000, 5},
    {"stm32f746", 216'000'000, 7},     {"stm32f779", 216'000'000, 7},
    {"stm32g0b1", 24'000'000, 0},      {"stm32g0b1", 48'000'000, 1},
    {"stm32g0b1", 64'000'000, 2},      {"stm32l476", 16'000'000, 0},
    {"stm32l476", 80'000'000, 4},      {"stm32l4r5", 100'000'000, 4},
    {"stm32l4r5", 120'000'000, 5},     {"stm32u575", 160'000'000, 4},
    {"stm32h743", 400'000'000, 2 * 2}, {"stm32h743", 480'000'000, 4 * 2},
    {"stm32h747", 400'000'000, 2 * 2}, {"stm32h7a3", 225'000'000, 5},
    {"stm32h7a3", 280'000'000, 6}};

TEST(PartSources, FlashWaitsAsOthersSetIt) {
  std::set<std::string> seen;
  for (const WaitPoint& it : wait_points) {
    const auto part = load_part(it.part);
    ASSERT_TRUE(part && part->flash_timing) << it.part;
    EXPECT_EQ(part->flash_timing->wait_states_at(Hertz(it.clock)), it.cycles)
        << it.part << " " << it.clock;
    seen.insert(it.part);
  }
  for (const Part& part : every_part())
    EXPECT_TRUE(seen.contains(part.name)) << part.name;
}

/// Core cycles that a read of flash waits at a clock, as the clock drivers set the chip up.
std::uint32_t wait_of_driver(const std::string& driver, std::uint32_t hz) {
  using namespace port;
  if (driver == "stm32f0") return hz > 24'000'000 ? 1 : 0;
  if (driver == "stm32f4" || driver == "stm32f7") return wait_states(hz, 30'000'000);
  if (driver == "stm32g0") return wait_states(hz, hertz_per_wait_state_stm32g0);
  if (driver == "stm32l4") return wait_states(hz, hertz_per_wait_state_stm32l4);
  if (driver == "stm32l4plus") return wait_states(hz, hertz_per_wait_state_stm32l4plus);
  if (driver == "stm32u5") return wait_states(hz, voltage_stm32u5(hz).hertz_per_wait_state);
  const Stm32h7Line& line = driver == "stm32h7" ? stm32h74x : stm32h7a3;
  const Stm32h7Buses buses = stm32h7_buses(line, *choose_scale(line, hz), hz);
  return buses.wait_states * buses.axi_divider;
}

// A modelled figure counts the wait states of the file, silicon those that the firmware sets.
TEST(PartSources, FlashTimingAgreesWithTheClockSetUpAtEveryMegahertz) {
  constexpr std::uint32_t mhz = 1'000'000;
  for (const Part& part : every_part())
    for (std::uint32_t hz = mhz; hz <= part.max_clock.value.count(); hz += mhz)
      ASSERT_EQ(part.flash_timing->wait_states_at(Hertz(hz)), wait_of_driver(part.clock_driver, hz))
          << part.name << " at " << hz / mhz << " MHz";
}

struct Identity {
  const char* part;
  std::uint32_t device;  ///< DEV_ID
  std::uint32_t revision;
  std::uint32_t idcode_address;
  std::uint32_t flash_size_register;
  std::uint32_t unique_id;  ///< 0: none
  std::uint32_t cpuid;
};

// DEV_ID, REV_ID and the flash size register as OpenOCD's flash drivers know them (stm32f1x.c,
// stm32f2x.c, stm32l4x.c, stm32h7x.c), DBGMCU_BASE, UID_BASE and the core's revision from ST's
// CMSIS device headers (__CM7_REV 0x0110 of the STM32H7A3 is r1p2). __CM0PLUS_REV and __CM33_REV
// name other revisions than the chips answer: those are from DDI 0484C and Arm 100230.
constexpr Identity identities[] = {
    {"stm32f030cc", 0x442, 0x1000, 0x40015800, 0x1FFFF7CC, 0, 0x410CC200},
    {"stm32f405", 0x413, 0x1007, 0xE0042000, 0x1FFF7A22, 0x1FFF7A10, 0x410FC241},
    {"stm32f746", 0x449, 0x1001, 0xE0042000, 0x1FF0F442, 0x1FF0F420, 0x410FC271},
    {"stm32f779", 0x451, 0x1001, 0xE0042000, 0x1FF0F442, 0x1FF0F420, 0x411FC270},
    {"stm32g0b1", 0x467, 0x1000, 0x40015800, 0x1FFF75E0, 0x1FFF7590, 0x410CC601},
    {"stm32h743", 0x450, 0x2003, 0x5C001000, 0x1FF1E880, 0x1FF1E800, 0x411FC271},
    {"stm32h747", 0x450, 0x2003, 0x5C001000, 0x1FF1E880, 0x1FF1E800, 0x411FC271},
    {"stm32h7a3", 0x480, 0x1000, 0x5C001000, 0x08FFF80C, 0x08FFF800, 0x411FC272},
    {"stm32l476", 0x415, 0x1007, 0xE0042000, 0x1FFF75E0, 0x1FFF7590, 0x410FC241},
    {"stm32l4r5", 0x470, 0x1003, 0xE0042000, 0x1FFF75E0, 0x1FFF7590, 0x410FC241},
    {"stm32u575", 0x482, 0x3001, 0xE0044000, 0x0BFA07A0, 0x0BFA0700, 0x410FD214}};

TEST(PartSources, AnswerADebuggerAsOpenOcdExpects) {
  std::set<std::string> seen;
  for (const Identity& it : identities) {
    const auto part = load_part(it.part);
    ASSERT_TRUE(part) << it.part;
    EXPECT_EQ(part->debug_idcode & 0xFFF, it.device) << it.part;
    EXPECT_EQ(part->debug_idcode >> 16, it.revision) << it.part;
    EXPECT_EQ(part->debug_idcode_address, it.idcode_address) << it.part;
    EXPECT_EQ(part->flash_size_register, it.flash_size_register) << it.part;
    EXPECT_EQ(part->unique_id.value_or(0), it.unique_id) << it.part;
    EXPECT_EQ(part->cpuid, it.cpuid) << it.part;
    seen.insert(it.part);
  }
  for (const Part& part : every_part())
    EXPECT_TRUE(seen.contains(part.name)) << part.name;
}

// A figure of energy needs one; each names the document and what stands for what.
TEST(PartSources, RunCurrentsAreOfAPlausibleSizeAndSourced) {
  for (const Part& part : every_part()) {
    ASSERT_TRUE(part.run_current) << part.name;
    EXPECT_GT(part.run_current->value.count(), 40) << part.name;
    EXPECT_LT(part.run_current->value.count(), 500) << part.name;
    EXPECT_THAT(part.run_current->source, ::testing::ContainsRegex("DS[0-9]+|MLPerf")) << part.name;
  }
}

struct Wiring {
  const char* board;
  const char* uart;
  const char* tx;
  const char* rx;
  std::uint64_t crystal;  ///< 0: none
  bool clock_input;
};

// The consoles of Zephyr's boards/st/<board> (chosen zephyr,console and its pinctrl) and their
// &clk_hse, of the STM32F779I-EVAL the UART examples of STM32CubeF7 for the STM32F769I-EVAL.
constexpr Wiring wirings[] = {{"nucleo-f746zg", "USART3", "D8", "D9", 8'000'000, true},
                              {"nucleo-g0b1re", "USART2", "A2", "A3", 0, false},
                              {"nucleo-h743zi", "USART3", "D8", "D9", 8'000'000, true},
                              {"nucleo-h743zi2", "USART3", "D8", "D9", 8'000'000, true},
                              {"nucleo-h7a3zi-q", "USART3", "D8", "D9", 8'000'000, true},
                              {"nucleo-l476rg", "USART2", "A2", "A3", 0, false},
                              {"nucleo-l4r5zi", "LPUART1", "G7", "G8", 0, false},
                              {"nucleo-u575zi-q", "USART1", "A9", "A10", 0, false},
                              {"stm32f746g-disco", "USART1", "A9", "B7", 25'000'000, false},
                              {"stm32f779i-eval", "USART1", "A9", "A10", 25'000'000, false},
                              {"stm32h747i-disco", "USART1", "A9", "A10", 25'000'000, false}};

std::string pin_name(const Pin& pin) {
  return std::string(1, pin.port) + std::to_string(pin.number);
}

TEST(BoardSources, AreWiredAsOthersKnowThem) {
  for (const Wiring& it : wirings) {
    const auto board = load_board_type(it.board);
    ASSERT_TRUE(board) << it.board;
    EXPECT_EQ(board->uart, it.uart) << it.board;
    EXPECT_EQ(pin_name(board->uart_tx), it.tx) << it.board;
    EXPECT_EQ(pin_name(board->uart_rx), it.rx) << it.board;
    EXPECT_EQ(board->crystal.value_or(Hertz(0)).count(), it.crystal) << it.board;
    EXPECT_EQ(board->clock_input, it.clock_input) << it.board;
  }
}

// What an ST-LINK/V2-1 was seen to carry without a loss, 1 228 800 baud, and RS-232 transceivers.
TEST(BoardSources, AskNoMoreOfTheirSerialPortThanItCarries) {
  for (const char* name : {"nucleo-f746zg", "nucleo-g0b1re", "nucleo-h743zi", "nucleo-l476rg",
                           "nucleo-l4r5zi", "stm32f746g-disco"})
    EXPECT_LE(load_board_type(name)->baud.count(), 1'228'800u) << name;
  EXPECT_LE(load_board_type("stm32f779i-eval")->baud.count(), 250'000u);
}

}  // namespace
}  // namespace assay

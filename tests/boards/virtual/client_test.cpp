// The program as others use it: start, control socket, end of life.
#include "boards/virtual/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <thread>

#include "harness/core/clock.hpp"
#include "harness/core/paths.hpp"
#include "tests/boards/virtual/rig.hpp"

namespace assay::test {
namespace {

using ::testing::HasSubstr;

/// Ended; an orphan that nobody has collected yet has ended too.
bool gone(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return !(file >> number >> name >> state) || state == "Z";
}

bool gone_within(pid_t pid, std::chrono::seconds time) {
  const Deadline limit(time);
  while (!gone(pid) && !limit.passed())
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return gone(pid);
}

TEST(VirtualBoards, SaysWhatItIs) {
  const VirtualBoards rig = start_rig();
  ASSERT_EQ(rig.boards().size(), 2u);
  const VirtualBoard* board = rig.find("f405");
  ASSERT_NE(board, nullptr);
  EXPECT_EQ(board->part, "stm32f405");
  EXPECT_EQ(board->serial, "VB0405");
  EXPECT_EQ(rig.find("nobody"), nullptr);
  EXPECT_NE(rig.probe_port(), 0);
}

TEST(VirtualBoards, RefusesBadBoardsInOneSentence) {
  struct Bad {
    VirtualBoardSpec spec;
    const char* words;
  };
  for (const Bad& bad : {Bad{{"a", "no-such-board", "S"}, "no-such-board"},
                         Bad{{"a", "stm32f405", ""}, "serial= is missing"}}) {
    const auto started = VirtualBoards::start({bad.spec});
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(started.error().message, HasSubstr(bad.words));
  }
  const auto twice = VirtualBoards::start({{"a", "stm32f405", "S"}, {"b", "stm32f405", "S"}});
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, HasSubstr("two boards have the probe serial \"S\""));
}

TEST(VirtualBoards, RefusesBadRequestsInOneSentence) {
  VirtualBoards rig = start_rig();
  struct Bad {
    const char* board;
    Json fault;
    const char* words;
  };
  for (const Bad& bad :
       {Bad{"nobody", {{"fault", "hang"}, {"until", "reset"}}, "no board is named \"nobody\""},
        Bad{"f405", {{"fault", "flood"}}, "no fault is named \"flood\""},
        Bad{"f405", {{"fault", "hang"}, {"until", "noon"}}, "until"},
        Bad{"f405", {{"fault", "write_protect"}, {"on", 3}}, "on"},
        Bad{"f405", {{"fault", "write_protect"}, {"on", true}, {"of", 1}}, "of"},
        Bad{"f405", {{"fault", "uart"}, {"direction", "to_board"}, {"drop_rate", 2}}, "drop_rate"},
        Bad{"f030", {{"fault", "unique_id"}, {"text", "SOMETHINGNEW"}}, "no unique id"}}) {
    const Status status = rig.inject(bad.board, bad.fault);
    ASSERT_FALSE(status) << bad.fault;
    EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(status.error().message, HasSubstr(bad.words));
  }
}

TEST(VirtualBoards, CountsAreToldOnceUnlessAllAreWanted) {
  VirtualBoards rig = start_rig();
  Terminal terminal(rig.find("f405")->uart);
  ASSERT_EQ(program(rig, rig_f405, firmware_path("count", f405, "elf")).exit_code, 0);
  terminal.read_until("done\n");
  const auto first = rig.counts("f405");
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_EQ(first->size(), 4u);
  const ExecutionWindow& window = first->front();
  EXPECT_EQ(
      window.alu + window.load + window.store + window.multiply + window.branch + window.other,
      window.instructions);
  EXPECT_GE(window.words_loaded, window.load) << "a load brings one word or more";
  EXPECT_TRUE(rig.counts("f405").value().empty());
  EXPECT_EQ(rig.counts("f405", true).value().size(), 4u);
  EXPECT_TRUE(rig.counts("f030").value().empty());
}

TEST(VirtualBoards, UniqueIdSaysVirtualAndCanBeWrong) {
  VirtualBoards rig = start_rig();
  const std::string read = "init; echo \"id [read_memory 0x1FFF7A10 8 12]\"; shutdown";
  const auto id = openocd(rig, rig_f405.serial, rig_f405.openocd_target, read);
  // "VIRTUALB0405"
  EXPECT_THAT(id.errors, HasSubstr("0x56 0x49 0x52 0x54 0x55 0x41 0x4c 0x42 0x30 0x34 0x30 0x35"));
  ASSERT_TRUE(rig.inject("f405", {{"fault", "unique_id"}, {"text", "SOMEONE ELSE"}}));
  const auto other = openocd(rig, rig_f405.serial, rig_f405.openocd_target, read);
  EXPECT_THAT(other.errors, HasSubstr("0x53 0x4f 0x4d 0x45"));
}

TEST(VirtualBoards, EndsWithItsOwner) {
  pid_t pid = 0;
  {
    VirtualBoards rig = start_rig();
    pid = rig.pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_TRUE(gone_within(pid, std::chrono::seconds(5)));
}

// A parent that is killed cannot say goodbye. It tells the program's pid first.
TEST(VirtualBoards, EndsWhenItsParentIsKilled) {
  int tell[2];
  ASSERT_EQ(pipe(tell), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    const auto rig = VirtualBoards::start({{"a", f405.type, "VB0001"}});
    if (!rig) std::fprintf(stderr, "%s\n", rig.error().message.c_str());
    const pid_t pid = rig ? rig->pid() : 0;
    if (!rig || write(tell[1], &pid, sizeof pid) != sizeof pid) _exit(1);
    for (;;)
      pause();
  }
  close(tell[1]);
  pid_t pid = 0;
  const ssize_t told = read(tell[0], &pid, sizeof pid);
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  close(tell[0]);
  ASSERT_EQ(told, static_cast<ssize_t>(sizeof pid));
  EXPECT_TRUE(gone_within(pid, std::chrono::seconds(5)));
}

TEST(VirtualBoardProgram, HelpShowsAnExample) {
  ProcessSpec spec;
  spec.arguments = {own_program("virtual-board").string(), "--help"};
  const auto outcome = run_process(spec);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->exit_code, 0);
  EXPECT_THAT(outcome->output, HasSubstr("Example:"));
}

}  // namespace
}  // namespace assay::test

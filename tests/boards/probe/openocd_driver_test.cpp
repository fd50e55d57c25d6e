// The driver, the real OpenOCD and virtual boards: what works, and the name of every fault that can
// be brought about.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "boards/probe/openocd.hpp"
#include "harness/core/clock.hpp"
#include "harness/core/file.hpp"
#include "tests/boards/virtual/rig.hpp"

namespace assay::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto deadline = 30s;

ProbeTarget target_of(const VirtualBoards& rig, const RigBoard& board) {
  return {board.serial, rig.probe_port(), board.openocd_target};
}

std::string echo_firmware(const RigBoard& board) {
  return firmware_path("echo", board.kind, "elf");
}

void expect_fault(const Status& status, const std::string& serial, const std::string& name) {
  ASSERT_FALSE(status) << "wanted " << name;
  EXPECT_EQ(status.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(status.error().message,
              AllOf(HasSubstr("probe " + serial), HasSubstr("(" + name + ")")));
}

/// The ELF file with its first segment's physical address moved to `address`.
std::filesystem::path moved_elf(const std::filesystem::path& elf, std::uint32_t address,
                                const std::filesystem::path& folder) {
  auto bytes = *read_bytes(elf);
  const auto word = [&](std::size_t at) {
    return reinterpret_cast<std::uint32_t*>(bytes.data() + at);
  };
  constexpr std::size_t program_header_offset = 28;  // e_phoff (elf.h, Elf32_Ehdr)
  constexpr std::size_t physical_address = 12;       // p_paddr (Elf32_Phdr)
  *word(*word(program_header_offset) + physical_address) = address;
  const auto moved = folder / "moved.elf";
  EXPECT_TRUE(write_atomically(moved, bytes));
  return moved;
}

class Driver : public ::testing::TestWithParam<RigBoard> {
 protected:
  bool is_f405() const { return std::string(board_.name) == rig_f405.name; }
  Status program(const std::filesystem::path& elf) {
    return program_and_verify(target_, elf, deadline, {});
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "probe");
  const RigBoard& board_ = GetParam();
  VirtualBoards rig_ = start_rig();
  ProbeTarget target_ = target_of(rig_, board_);
};

TEST_P(Driver, ProgramsVerifiesAndResets) {
  Terminal terminal(rig_.find(board_.name)->uart);
  const auto status = program(echo_firmware(board_));
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(terminal.read_until("hello\n"), "hello\n");
  ASSERT_TRUE(reset_target(target_, deadline, {}));
  EXPECT_EQ(terminal.read_until("hello\n"), "hello\n");
}

TEST_P(Driver, TakesPathsThatTclWouldSplitOrSubstitute) {
  const auto awkward = scratch_.path() / "a b [c] $d;e \"f\".elf";
  std::filesystem::copy_file(echo_firmware(board_), awkward);
  const auto status = program(awkward);
  EXPECT_TRUE(status) << status.error().message;
}

TEST_P(Driver, NamesFaultsOfTheBoard) {
  struct Case {
    Json fault;
    const char* name;
  };
  // The controller of the F0 itself refuses to program what is not erased.
  const char* stuck = is_f405() ? "verify" : "worn-flash";
  for (const auto& [fault, name] :
       {Case{{{"fault", "stuck_flash_bit"}, {"offset", 4}, {"bit", 0}}, stuck},
        Case{{{"fault", "write_protect"}, {"on", true}}, "write-protected"},
        Case{{{"fault", "hang"}, {"until", "power"}}, "hung-core"},
        Case{{{"fault", "probe"}, {"present", false}}, "wrong-serial"}}) {
    SCOPED_TRACE(name);
    VirtualBoards rig = start_rig();
    ASSERT_TRUE(rig.inject(board_.name, fault));
    expect_fault(program_and_verify(target_of(rig, board_), echo_firmware(board_), deadline, {}),
                 board_.serial, name);
  }
}

TEST_P(Driver, NamesABoardWithoutPower) {
  ASSERT_TRUE(rig_.set_power(board_.name, false));
  expect_fault(program(echo_firmware(board_)), board_.serial, "unpowered");
  expect_fault(reset_target(target_, deadline, {}), board_.serial, "unpowered");
}

TEST_P(Driver, NamesWrongTargets) {
  ProbeTarget stranger = target_;
  stranger.serial = "NOBODY";
  expect_fault(program_and_verify(stranger, echo_firmware(board_), deadline, {}), "NOBODY",
               "wrong-serial");
  ProbeTarget other = target_;
  other.openocd_target = is_f405() ? rig_f030.openocd_target : rig_f405.openocd_target;
  expect_fault(program_and_verify(other, echo_firmware(board_), deadline, {}), board_.serial,
               "wrong-chip");
}

TEST_P(Driver, NamesWrongImages) {
  const auto elf = echo_firmware(board_);
  expect_fault(program(scratch_.path() / "absent.elf"), board_.serial, "missing-file");
  const std::uint32_t end = is_f405() ? 0x08100000 : 0x08040000;  // 1 MB and 256 KB of flash
  expect_fault(program(moved_elf(elf, end - 8, scratch_.path())), board_.serial, "no-flash-bank");
  expect_fault(program(moved_elf(elf, end, scratch_.path())), board_.serial, "no-flash-bank");
  ASSERT_TRUE(program(elf));
}

INSTANTIATE_TEST_SUITE_P(Parts, Driver, ::testing::Values(rig_f405, rig_f030),
                         [](const auto& param) { return param.param.name; });

TEST(DriverAlone, NamesAServerThatIsGone) {
  std::uint16_t port = 0;
  { port = start_rig().probe_port(); }
  expect_fault(
      program_and_verify({"VB0405", port, rig_f405.openocd_target}, "/x.elf", deadline, {}),
      "VB0405", "server-down");
}

TEST(DriverAlone, NamesTheOnlyProbeThatIsGone) {
  auto rig = VirtualBoards::start({{rig_f405.name, rig_f405.kind.type, rig_f405.serial}});
  ASSERT_TRUE(rig);
  ASSERT_TRUE(rig->inject(rig_f405.name, {{"fault", "probe"}, {"present", false}}));
  expect_fault(program_and_verify(target_of(*rig, rig_f405), "/x.elf", deadline, {}), "VB0405",
               "no-probe");
}

/// A server that takes a connection and says nothing.
class SilentServer {
 public:
  SilentServer() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(descriptor_, plain, size), 0);
    EXPECT_EQ(::listen(descriptor_, 4), 0);
    EXPECT_EQ(::getsockname(descriptor_, plain, &size), 0);
    port = ntohs(address.sin_port);
  }
  ~SilentServer() { ::close(descriptor_); }
  std::uint16_t port = 0;

 private:
  int descriptor_;
};

TEST(DriverAlone, StopsAnOpenOcdThatHangs) {
  const SilentServer server;
  const ProbeTarget target{"VB0405", server.port, rig_f405.openocd_target};
  const auto status = reset_target(target, 300ms, {});
  expect_fault(status, "VB0405", "time-out");
  EXPECT_THAT(status.error().message, HasSubstr("within 0.3 s"));
}

TEST(DriverAlone, StopsWhenAsked) {
  const SilentServer server;
  std::stop_source stop;
  std::jthread user([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  const auto status =
      reset_target({"VB0405", server.port, rig_f405.openocd_target}, 60s, stop.get_token());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::interrupted);
}

TEST(DriverAlone, SaysWhichPackageIsMissing) {
  const auto empty = *ScratchDirectory::create(::testing::TempDir(), "no-programs");
  const std::string path = std::getenv("PATH");
  ASSERT_EQ(::setenv("PATH", empty.path().c_str(), 1), 0);
  const auto status = reset_target({"VB0405", 1, rig_f405.openocd_target}, deadline, {});
  ASSERT_EQ(::setenv("PATH", path.c_str(), 1), 0);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(status.error().message, HasSubstr("install the Debian package openocd"));
}

}  // namespace
}  // namespace assay::test

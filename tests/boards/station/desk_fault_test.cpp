// A desk whose boards fail: every fault ends in bounded time, in one sentence that names the board,
// and line noise changes nothing but the number of retransmissions.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "harness/core/clock.hpp"
#include "harness/core/file.hpp"
#include "tests/boards/station/desk_rig.hpp"
#include "tests/targets/build/test_network.hpp"

namespace assay::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class DeskFaults : public ::testing::TestWithParam<const char*> {
 protected:
  Status inject(const Json& fault) {
    return desk_.with_virtual_boards(
        [&](VirtualBoards& boards) { return boards.inject(board_.name, fault); });
  }

  void expect_infrastructure(const Result<BoardMeasurement>& found, const std::string& words) {
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, ErrorKind::infrastructure);
    EXPECT_THAT(found.error().message, HasSubstr(words));
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "desk");
  Board board_ = virtual_board("b", GetParam());
  Desk desk_ = *Desk::open({board_}, scratch_.path() / "locks");
  FirmwareImage image_ = build_for(small_network(), board_.type, scratch_.path() / "firmware");
};

TEST_P(DeskFaults, NoPower) {
  const auto power = [&](bool on) {
    return desk_.with_virtual_boards(
        [&](VirtualBoards& boards) { return boards.set_power(board_.name, on); });
  };
  const auto request = request_for(small_network(), image_, 2);
  ASSERT_TRUE(power(false));
  expect_infrastructure(desk_.measure(board_, request, {}),
                        "b: probe VB-virtual:" + board_.type.name + ": the target has no power");
  ASSERT_TRUE(power(true));
  const auto healed = desk_.measure(board_, request, {});
  EXPECT_TRUE(healed) << healed.error().message;
}

TEST(DeskSupply, IsCheckedBeforeFlashing) {
  const auto scratch = *ScratchDirectory::create(::testing::TempDir(), "desk");
  Board board = virtual_board("b", "stm32h747");
  Desk desk = *Desk::open({board}, scratch.path() / "locks");
  const FirmwareImage image = build_for(small_network(), board.type, scratch.path() / "firmware");
  board.type.supply_mode = SupplyMode::ldo;
  const auto found = desk.measure(board, request_for(small_network(), image, 1), {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(found.error().message, HasSubstr("ldo would lock STM32H747XI out"));
}

TEST_P(DeskFaults, NoiseBothWaysCostsRetransmissionsOnly) {
  for (const char* direction : {"to_board", "from_board"})
    ASSERT_TRUE(inject({{"fault", "uart"},
                        {"direction", direction},
                        {"drop_rate", 0.0005},
                        {"corrupt_rate", 0.0005},
                        {"seed", 7}}));
  const auto request = request_for(small_network(), image_, 100);
  const auto found = desk_.measure(board_, request, {});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->samples, 100u);
  EXPECT_EQ(found->identical_samples, 100u);
  EXPECT_GT(found->link.retransmissions, 0u);
  ASSERT_TRUE(found->instructions);
  EXPECT_EQ(found->instructions->size(), request.inferences);
}

TEST_P(DeskFaults, FirmwareThatHangsInMidStream) {
  std::jthread saboteur([&](std::stop_token stop) {
    // Far more than flashing and booting execute on the core.
    const auto busy = [&] {
      std::uint64_t instructions = 0;
      const auto ask = [&](VirtualBoards& boards) -> Status {
        ASSAY_TRY(const auto status, boards.status(board_.name));
        instructions = status.value("instructions", std::uint64_t{0});
        return {};
      };
      return desk_.with_virtual_boards(ask) && instructions > 50'000'000;
    };
    while (!stop.stop_requested() && !busy())
      std::this_thread::sleep_for(2ms);
    EXPECT_TRUE(inject({{"fault", "hang"}, {"until", "reset"}}));
  });
  const auto begin = system_clock().now();
  const auto found = desk_.measure(board_, request_for(small_network(), image_, 20000), {});
  EXPECT_LT(system_clock().now() - begin, 60s);
  expect_infrastructure(found, "b stopped answering");
}

TEST_P(DeskFaults, ARealBoardThatIsNotConnected) {
  Board real = board_;
  real.virtual_board = false;
  real.probe_serial = "066DFF515049657187214339";
  real.uart = (scratch_.path() / "ttyACM0").string();
  const auto request = request_for(small_network(), image_, 1);
  expect_infrastructure(desk_.measure(real, request, {}), "ttyACM0 of b");
  // Its lock was given back.
  expect_infrastructure(desk_.measure(real, request, {}), "ttyACM0");
  EXPECT_TRUE(std::filesystem::exists(scratch_.path() / "locks" / (real.probe_serial + ".lock")));
}

INSTANTIATE_TEST_SUITE_P(Parts, DeskFaults, ::testing::Values("stm32f405", "stm32f030cc"),
                         [](const auto& param) { return std::string(param.param); });

TEST(DeskFault, AnotherUniqueIdThanAVirtualBoards) {
  const auto scratch = *ScratchDirectory::create(::testing::TempDir(), "desk");
  const Board board = virtual_board("b", "stm32f405");
  Desk desk = *Desk::open({board}, scratch.path() / "locks");
  ASSERT_TRUE(desk.with_virtual_boards([](VirtualBoards& boards) {
    return boards.inject("b", {{"fault", "unique_id"}, {"text", "SOMEONE ELSE"}});
  }));
  const FirmwareImage image = build_for(small_network(), board.type, scratch.path() / "firmware");
  const auto found = desk.measure(board, request_for(small_network(), image, 1), {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(found.error().message, HasSubstr("instead of a virtual board's"));
}

}  // namespace
}  // namespace assay::test

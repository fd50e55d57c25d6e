// A desk from end to end: real firmware, the real OpenOCD, virtual boards.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <future>

#include "harness/core/elf.hpp"
#include "harness/core/file.hpp"
#include "targets/pack/bench_shapes.hpp"
#include "tests/boards/station/desk_rig.hpp"
#include "tests/targets/build/test_network.hpp"

namespace assay::test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int samples = 60;

class DeskOf : public ::testing::TestWithParam<std::string> {
 protected:
  Result<BoardMeasurement> measure(const MeasureRequest& request) {
    return desk_.measure(board_, request, {});
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "desk");
  Board board_ = virtual_board("b", GetParam());
  Desk desk_ = *Desk::open({board_}, scratch_.path() / "locks");
  FirmwareImage image_ = build_for(small_network(), board_.type, scratch_.path() / "firmware");
  MeasureRequest request_ = request_for(small_network(), image_, samples);
};

/// What a chip's own clock, memory and flash decide; the rest is asked of one small and one large.
class DeskOfEveryPart : public DeskOf {};

TEST_P(DeskOfEveryPart, ConfirmsEveryLogitAndMeasures) {
  const auto found = measure(request_);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->hello.part, GetParam());
  EXPECT_EQ(found->hello.core_clock, board_.type.clock);
  EXPECT_EQ(found->samples, std::size_t{samples});
  EXPECT_EQ(found->identical_samples, std::size_t{samples});
  EXPECT_FALSE(found->first_mismatch);
  EXPECT_EQ(found->link.retransmissions, 0u);
  EXPECT_GT(found->timing.stack_high_water.value_or(Bytes(0)), Bytes(100));
  EXPECT_LE(*found->timing.stack_high_water, image_.stack_reserve);

  // Every multiplication of the network takes an instruction, or half of one where two go together.
  constexpr std::uint64_t macs = 12 * 12 * 9 * 8 + 10 * 6 * 6 * 8;
  ASSERT_TRUE(found->instructions);
  EXPECT_THAT(*found->instructions, SizeIs(request_.inferences));
  EXPECT_GT(found->instructions->front().count(), macs / 2);
  ASSERT_TRUE(found->timing.cycles);
  EXPECT_THAT(*found->timing.cycles, SizeIs(request_.inferences));
  // A core issues two instructions a cycle at most.
  EXPECT_GE(2 * found->timing.cycles->front().count(), found->instructions->front().count());
  ASSERT_TRUE(found->words_loaded);
  EXPECT_THAT(*found->words_loaded, SizeIs(request_.inferences));
  // A word holds four factors at most, and every output takes its own.
  EXPECT_GT(found->words_loaded->front(), macs / 16);
  EXPECT_LT(found->words_loaded->front(), 4 * macs);
}

// What the firmware believes, and what the clock registers it wrote make of the board's crystal.
TEST_P(DeskOfEveryPart, RunsAtTheClockItClaims) {
  ASSERT_TRUE(measure(request_));
  const auto status = desk_.with_virtual_boards([&](VirtualBoards& boards) -> Status {
    ASSAY_TRY(const auto found, boards.status(board_.name));
    EXPECT_EQ(found["core_clock_hz"], board_.type.clock.count());
    EXPECT_FALSE(found.contains("failure")) << found.dump();
    return {};
  });
  EXPECT_TRUE(status) << status.error().message;
}

/// 18 KB of input on a part with 32 KB: no second one may wait in the ring, and the slowest core
/// must read it as fast as it comes.
TEST(Desk, ReceivesAnInputWithoutRoomForAnother) {
  IntegerGraph graph;
  graph.tensors = {{.name = "in", .height = 96, .width = 96, .channels = 2},
                   {.name = "out", .height = 12, .width = 12, .channels = 2}};
  IntegerLayer pool;
  pool.op = IntegerOp::max_pool;
  pool.inputs = {0};
  pool.output = 1;
  pool.window = {8, 8, 8, 8, 0, 0, 0, 0};
  graph.layers = {pool};
  graph.output = 1;
  const auto scratch = *ScratchDirectory::create(::testing::TempDir(), "long");
  const Board board = virtual_board("b", "stm32f030cc");
  const FirmwareImage image = build_for(graph, board.type, scratch.path() / "firmware");
  EXPECT_LT(image.ram_static, Bytes(2048));
  auto desk = Desk::open({board}, scratch.path() / "locks");
  const auto found = desk->measure(board, request_for(graph, image, 5), {});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->identical_samples, 5u);
  EXPECT_EQ(found->link.retransmissions, 0u);
  EXPECT_EQ(found->timing.receive_overruns, 0u);
}

/// Two banks of a part, cut down so that the small network fits only across both.
struct Banks {
  const char* part;
  const char* home;  ///< region with the stack, static data and the input
  const char* far;   ///< region with the first layer's output
};

class DeskOfTwoBanks : public ::testing::TestWithParam<Banks> {};

TEST_P(DeskOfTwoBanks, ConfirmsEveryLogitOfANetworkInBoth) {
  const auto scratch = *ScratchDirectory::create(::testing::TempDir(), "banks");
  const Board board = virtual_board("b", GetParam().part);
  BoardType small = board.type;
  for (MemoryRegion& region : small.part.memory)
    if (!region.flash) region.size = Bytes(0);
  for (MemoryRegion& region : small.part.memory) {
    if (region.name == GetParam().home) region.size = Bytes(3584 + 1000);
    if (region.name == GetParam().far) region.size = Bytes(12 * 12 * 8);
  }
  const IntegerGraph graph = small_network();
  const FirmwareImage image = build_for(graph, small, scratch.path() / "firmware");
  const auto elf = read_elf(image.elf);
  ASSERT_TRUE(elf) << elf.error().message;
  EXPECT_EQ(elf->sections.at(fmt::format(".arena.{}", GetParam().far)), Bytes(12 * 12 * 8));
  auto desk = Desk::open({board}, scratch.path() / "locks");
  const auto found = desk->measure(board, request_for(graph, image, samples), {});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->identical_samples, std::size_t{samples});
  EXPECT_EQ(found->link.retransmissions, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Parts, DeskOfTwoBanks,
    ::testing::Values(Banks{"stm32f405", "RAM", "CCM"}, Banks{"stm32f405", "CCM", "RAM"},
                      Banks{"stm32l476", "RAM", "SRAM2"}, Banks{"stm32h747", "DTCM", "SRAM123"},
                      Banks{"stm32h747", "RAM", "DTCM"}, Banks{"stm32h7a3", "RAM", "SRAM12"}),
    [](const auto& tested) {
      return fmt::format("{}_{}_{}", tested.param.part, tested.param.home, tested.param.far);
    });

TEST_P(DeskOf, CountsTheSameEveryTime) {
  request_.inferences = 5;
  const auto first = measure(request_);
  const auto second = measure(request_);
  ASSERT_TRUE(first && second);
  EXPECT_THAT(*first->instructions, AllOf(SizeIs(5), Each(first->instructions->front())));
  EXPECT_EQ(*first->instructions, *second->instructions);
  EXPECT_EQ(*first->timing.cycles, *second->timing.cycles);
}

// Interrupts strike where they will: hardly any with one sample, thousands with two hundred.
TEST_P(DeskOf, MarksTheSameStackHoweverManyInterruptsStruck) {
  const auto one = measure(request_for(small_network(), image_, 1));
  const auto many = measure(request_for(small_network(), image_, 200));
  ASSERT_TRUE(one && many);
  ASSERT_TRUE(one->timing.stack_high_water);
  EXPECT_EQ(*one->timing.stack_high_water, *many->timing.stack_high_water);
}

TEST_P(DeskOf, ReportsWrongLogitsAsAFinding) {
  request_.expected_logits[10 * 7 + 3] ^= 1;  // sample 7, logit 3
  request_.expected_logits[10 * 7 + 9] ^= 1;
  request_.expected_logits[10 * 40] ^= 1;
  const auto found = measure(request_);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->samples, std::size_t{samples});
  EXPECT_EQ(found->identical_samples, std::size_t{samples} - 2);
  ASSERT_TRUE(found->first_mismatch);
  EXPECT_EQ(found->first_mismatch->sample, 7u);
  EXPECT_EQ(found->first_mismatch->logit, 3u);
  EXPECT_EQ(found->first_mismatch->expected, request_.expected_logits[73]);
  EXPECT_EQ(found->first_mismatch->found, request_.expected_logits[73] ^ 1);
}

TEST_P(DeskOf, RecordsNothingOfABoardWithAnotherIdentity) {
  struct Wrong {
    const char* words;
    std::function<void(Board&, MeasureRequest&)> claim;
  };
  const std::string other(64, 'a');
  for (const Wrong& wrong :
       {Wrong{"build", [&](Board&, MeasureRequest&r) { r.build_id = other.substr(0, 40); }},
        Wrong{"model", [&](Board&, MeasureRequest&r) { r.model_hash = other; }},
        Wrong{"core clock (Hz)", [](Board&, MeasureRequest&r) { r.clock = Hertz(16'000'000); }},
        Wrong{"unique id", [](Board&b, MeasureRequest&) { b.unique_id = "3800250018504b4e"; }},
        Wrong{"part", [](Board&b, MeasureRequest&) { b.type.part.name = "stm32f407"; }}}) {
    Board board = board_;
    MeasureRequest request = request_;
    wrong.claim(board, request);
    const auto found = desk_.measure(board, request, {});
    ASSERT_FALSE(found) << wrong.words;
    EXPECT_EQ(found.error().kind, ErrorKind::infrastructure);
    EXPECT_THAT(found.error().message,
                AllOf(HasSubstr("b: the board answers with " + std::string(wrong.words)),
                      HasSubstr("nothing was recorded")));
  }
}

TEST_P(DeskOf, RefusesRequestsThatAreNotOfTheModel) {
  for (const auto spoil : {+[](MeasureRequest& r) { r.inputs.clear(); },
                           +[](MeasureRequest& r) { r.inputs.pop_back(); },
                           +[](MeasureRequest& r) { r.expected_logits.pop_back(); }}) {
    MeasureRequest request = request_;
    spoil(request);
    const auto found = measure(request);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, ErrorKind::bad_input) << found.error().message;
  }
}

/// linux_board_test.cpp has those that run Linux.
std::vector<std::string> microcontrollers() {
  std::vector<std::string> names = known_parts();
  std::erase_if(names, [](const std::string& name) { return load_part(name)->runs_linux(); });
  return names;
}

INSTANTIATE_TEST_SUITE_P(Parts, DeskOfEveryPart, ::testing::ValuesIn(microcontrollers()),
                         [](const auto& param) { return param.param; });
INSTANTIATE_TEST_SUITE_P(Parts, DeskOf, ::testing::Values("stm32f405", "stm32f030cc"),
                         [](const auto& param) { return param.param; });

// A core executes the same whatever chip it is in, and however fast: M4 at 168, 80 and 120 MHz.
TEST(Desk, CountsTheSameOnEveryPartOfACore) {
  const auto scratch = *ScratchDirectory::create(::testing::TempDir(), "desk");
  std::vector<Instructions> counts;
  for (const char* part : {"stm32f405", "stm32l476", "stm32l4r5"}) {
    const Board board = virtual_board("b", part);
    Desk desk = *Desk::open({board}, scratch.path() / "locks");
    const FirmwareImage image = build_for(small_network(), board.type, scratch.path() / part);
    const auto found = desk.measure(board, request_for(small_network(), image, 1), {});
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->hello.core_clock, board.type.clock);
    counts.push_back(found->instructions->front());
  }
  EXPECT_THAT(counts, Each(counts.front()));
}

TEST(Desk, MeasuresSeveralBoardsAtOnce) {
  const auto scratch = *ScratchDirectory::create(::testing::TempDir(), "desk");
  std::vector<Board> boards{virtual_board("a", "stm32f405"), virtual_board("b", "stm32f405"),
                            virtual_board("c", "stm32f030cc")};
  boards[0].probe_serial = "VB-a";
  boards[1].probe_serial = "VB-b";
  Desk desk = *Desk::open(boards, scratch.path() / "locks");
  const FirmwareImage m4 = build_for(small_network(), boards[0].type, scratch.path() / "m4");
  const FirmwareImage m0 = build_for(small_network(), boards[2].type, scratch.path() / "m0");
  std::vector<std::future<Result<BoardMeasurement>>> found;
  for (const Board& board : boards) {
    const auto request = request_for(small_network(), board.name == "c" ? m0 : m4, samples);
    found.push_back(std::async(
        std::launch::async, [&desk, &board, request] { return desk.measure(board, request, {}); }));
  }
  for (auto& one : found) {
    const auto measured = one.get();
    ASSERT_TRUE(measured) << measured.error().message;
    EXPECT_EQ(measured->identical_samples, std::size_t{samples});
    EXPECT_THAT(*measured->instructions, SizeIs(3));
  }
}

// SysTick interrupts when its 24 bits run out; each window must hold the same number of handlers.
TEST(Desk, CountsTheSameWhereverSysTickStands) {
  const auto scratch = *ScratchDirectory::create(::testing::TempDir(), "desk");
  const Board board = virtual_board("b", "stm32f030cc");
  Desk desk = *Desk::open({board}, scratch.path() / "locks");
  const Window five{.kernel_height = 5,
                    .kernel_width = 5,
                    .pad_top = 2,
                    .pad_left = 2,
                    .pad_bottom = 2,
                    .pad_right = 2};
  const IntegerGraph graph = single_layer_graph({IntegerOp::convolution, 16, 16, 4, 32, five}, 1);
  KernelChoice reference;
  reference.force_reference = true;
  const FirmwareImage image = build_for(graph, board.type, scratch.path() / "firmware", reference);
  MeasureRequest request = request_for(graph, image, 1);
  const auto first = desk.measure(board, request, {});
  const auto second = desk.measure(board, request, {});
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_TRUE(second) << second.error().message;
  const double rounds = first->timing.cycles->front().count() / std::exp2(24);
  EXPECT_GT(rounds - std::floor(rounds), 1.0 / 3) << "three windows would see the same anyway";
  EXPECT_THAT(*first->instructions, Each(first->instructions->front()));
  EXPECT_THAT(*first->timing.cycles, Each(first->timing.cycles->front()));
  EXPECT_EQ(*first->instructions, *second->instructions);
  EXPECT_EQ(*first->timing.cycles, *second->timing.cycles);
}

TEST(Desk, KnowsOnlyItsOwnBoards) {
  const auto scratch = *ScratchDirectory::create(::testing::TempDir(), "desk");
  Desk empty = *Desk::open({}, scratch.path());
  const auto found = empty.measure(virtual_board("a", "stm32f405"), {}, {});
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("a does not stand on this desk"));
  const auto used = empty.with_virtual_boards([](VirtualBoards&) { return Status(); });
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().kind, ErrorKind::bad_input);
}

}  // namespace
}  // namespace assay::test

// Networks with layers in strips on virtual boards and under QEMU: the reference run's logits, the
// planned arena, and a part whose RAM does not hold the network as a whole.
#include <gtest/gtest.h>

#include <random>

#include "harness/core/file.hpp"
#include "targets/build/ram_layout.hpp"
#include "targets/graph/lower.hpp"
#include "targets/pack/strip_deployment.hpp"
#include "tests/boards/station/desk_rig.hpp"
#include "tests/boards/station/qemu_opinion.hpp"
#include "tests/targets/build/test_network.hpp"
#include "tests/targets/graph/random_networks.hpp"
#include "tests/targets/graph/strip_ranges.hpp"

namespace assay::test {
namespace {

constexpr int samples = 5;

/// One of the ways in which the network can run in strips.
KernelChoice in_strips(const IntegerGraph& graph, unsigned draw) {
  KernelChoice choice;
  const auto plans = all_strip_plans(graph);
  std::mt19937 random(draw);
  choice.strips = plans.at(random() % plans.size()).range;
  return choice;
}

class Strips : public ::testing::Test {
 protected:
  void expect_right(const IntegerGraph& graph, const Board& board, const KernelChoice& choice) {
    const FirmwareImage image = build_for(graph, board.type, scratch_.path() / "firmware", choice);
    Desk desk = *Desk::open({board}, scratch_.path() / "locks");
    const auto found = desk.measure(board, request_for(graph, image, samples), {});
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->identical_samples, std::size_t{samples});
    const auto deployment = deploy(graph, &board.type.part.core, choice);
    ASSERT_TRUE(deployment) << deployment.error().message;
    EXPECT_EQ(image.ram_arena, deployment->memory.arena_bytes);
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "strips");
};

class StripsOnPart : public Strips, public ::testing::WithParamInterface<const char*> {};

TEST_P(StripsOnPart, LogitsAreTheReferenceRuns) {
  const Board board = virtual_board("b", GetParam());
  for (unsigned seed = 300; seed < 306; ++seed) {
    SCOPED_TRACE(seed);
    const auto graph = lower(random_stages(seed));
    ASSERT_TRUE(graph) << graph.error().message;
    expect_right(*graph, board, in_strips(*graph, seed));
  }
}

TEST_P(StripsOnPart, LogitsOfInt16AreTheReferenceRuns) {
  const Board board = virtual_board("b", GetParam());
  for (unsigned seed = 320; seed < 324; ++seed) {
    SCOPED_TRACE(seed);
    const auto graph = lower(wide_random_stages(seed));
    ASSERT_TRUE(graph) << graph.error().message;
    expect_right(*graph, board, in_strips(*graph, seed));
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, StripsOnPart,
                         ::testing::Values("stm32f030cc", "stm32g0b1", "stm32f405", "stm32h743",
                                           "stm32u575"));

TEST_F(Strips, QemuAnswersTheSame) {
  const auto graph = lower(random_stages(310));
  ASSERT_TRUE(graph) << graph.error().message;
  const KernelChoice choice = in_strips(*graph, 310);
  const Board board = virtual_board("b", "stm32f405");
  const FirmwareImage image = build_for(*graph, board.type, scratch_.path(), choice);
  const auto opinion =
      qemu_opinion("netduinoplus2", image.elf, seeded_inputs(*graph, samples), 1, scratch_.path());
  ASSERT_TRUE(opinion) << opinion.error().message;
  EXPECT_EQ(opinion->logits, request_for(*graph, image, samples).expected_logits);
}

TEST_F(Strips, QemusStandInsAnswerTheSame) {
  const auto graph = lower(random_stages(311));
  ASSERT_TRUE(graph) << graph.error().message;
  const KernelChoice choice = in_strips(*graph, 311);
  const auto expected = request_for(*graph, {}, samples).expected_logits;
  for (const QemuStandIn& stand_in : qemu_stand_ins()) {
    SCOPED_TRACE(stand_in.part);
    const Core core = virtual_board("b", stand_in.part).type.part.core;
    const auto model = generate(*graph, &core, std::string(64, '7'), choice);
    ASSERT_TRUE(model) << model.error().message;
    const auto elf = build_for_stand_in(stand_in, *model, scratch_.path());
    ASSERT_TRUE(elf) << elf.error().message;
    const auto opinion =
        qemu_opinion(stand_in.machine, *elf, seeded_inputs(*graph, samples), 1, scratch_.path());
    ASSERT_TRUE(opinion) << opinion.error().message;
    EXPECT_EQ(opinion->logits, expected);
  }
}

/// The first stages of MobileNetV1 (width 0.25) on a grey image of 96 x 96, then a classifier.
IntegerGraph grey_mobilenet_stages(onnx::ElementType activations = onnx::ElementType::int8) {
  QdqBuilder b(7, 1, 96, 96, activations);
  const auto pointwise = [&](const std::string& x, int outputs) {
    return b.conv(x,
                  {.outputs = outputs, .kernel_height = 1, .kernel_width = 1, .pads = {0, 0, 0, 0}},
                  "Relu");
  };
  std::string x = b.conv(b.input(), {.outputs = 8, .stride = 2}, "Relu");
  x = pointwise(b.conv(x, {.depthwise = true}, "Relu"), 16);
  x = pointwise(b.conv(x, {.stride = 2, .depthwise = true}, "Relu"), 32);
  x = pointwise(b.conv(x, {.stride = 2, .depthwise = true}, "Relu"), 64);
  return *lower(b.finish(b.dense(b.flatten(b.global_average_pool(x)), 10)));
}

TEST_F(Strips, BootAPartThatIsTooSmallForTheWholeNetwork) {
  const IntegerGraph graph = grey_mobilenet_stages();
  const Board board = virtual_board("b", "stm32f030cc");
  EXPECT_THROW(build_for(graph, board.type, scratch_.path() / "whole"), std::runtime_error);
  const KernelChoice choice = choose_in_room(graph, board.type.part.core, {Bytes(24 << 10), {}});
  ASSERT_TRUE(choice.strips);
  expect_right(graph, board, choice);
}

/// The image takes 18 KiB, the layers behind it twice what they take in int8.
TEST_F(Strips, KeepABudgetOfRamWithInt16) {
  const IntegerGraph graph = grey_mobilenet_stages(onnx::ElementType::int16);
  const Board board = virtual_board("b", "stm32f405");
  const Core& core = board.type.part.core;
  constexpr Bytes budget{40 << 10};
  const auto whole = deploy(graph, &core, {});
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_GT(whole->memory.arena_bytes.count(), 3 * budget.count() / 2);
  const KernelChoice choice = choose_in_room(graph, core, {budget, {}});
  ASSERT_TRUE(choice.strips);
  const auto stripped = deploy(graph, &core, choice);
  ASSERT_TRUE(stripped) << stripped.error().message;
  EXPECT_LE(stripped->memory.arena_bytes.count(), budget.count());
  expect_right(graph, board, choice);
}

}  // namespace
}  // namespace assay::test

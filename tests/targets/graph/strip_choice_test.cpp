// The choice of strips against closed forms of chains, and against all there is to choose from.
#include "targets/graph/strip_choice.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "targets/graph/lower.hpp"
#include "targets/graph/strip_estimate.hpp"
#include "tests/targets/graph/random_networks.hpp"
#include "tests/targets/graph/strip_ranges.hpp"

namespace assay {
namespace {

const NeedsInStrips& no_needs_of(const IntegerGraph& graph) {
  static NeedsInStrips needs;
  needs = [&graph](const StripPlan&) { return std::vector<LayerMemory>(graph.layers.size()); };
  return needs;
}

Bytes arena_of(const IntegerGraph& graph, const StripPlan* plan = nullptr) {
  return plan_memory(graph, std::vector<LayerMemory>(graph.layers.size()), plan).arena_bytes;
}

/// Convolutions of 3x3 with padding on all sides on an image of 24 x 8, from 4 channels to those,
/// and two logits, which need next to nothing.
IntegerGraph chain(const std::vector<int>& channels) {
  test::QdqBuilder b(1, 4, 24, 8);
  std::string x = b.input();
  for (const int outputs : channels)
    x = b.conv(x, {.outputs = outputs}, "Relu");
  return *lower(b.finish(b.dense(b.flatten(x), 2)));
}

const Core& core() {
  static const Core found = *load_core("cortex-m4f");
  return found;
}

constexpr std::uint64_t row = 8;  // bytes of a channel

TEST(StripChoice, AConvolutionOverItsInputKeepsTwoRows) {
  // The output takes the place of input rows that are already in the buffer: rows + 2 of them.
  const IntegerGraph graph = chain({4});
  EXPECT_EQ(arena_of(graph), Bytes(2 * 24 * 4 * row));
  for (const int rows : {1, 2, 3, 4, 6, 8, 12}) {
    const auto plan = plan_strips(graph, {0, 0, rows});
    ASSERT_TRUE(plan);
    EXPECT_EQ(arena_of(graph, &*plan), Bytes((24 + rows + 2) * 4 * row)) << rows;
  }
}

TEST(StripChoice, EveryTensorBetweenKeepsTwoRowsOfItsOwn) {
  const IntegerGraph graph = chain({16, 16, 4});
  EXPECT_EQ(arena_of(graph), Bytes(2 * 24 * 16 * row));
  for (const int rows : {1, 2, 3, 4, 6, 8, 12}) {
    const auto plan = plan_strips(graph, {0, 2, rows});
    ASSERT_TRUE(plan);
    EXPECT_EQ(arena_of(graph, &*plan), Bytes(24 * 4 * row + (rows + 2) * (4 + 16 + 16) * row))
        << rows;
  }
}

TEST(StripChoice, StripsOfOneRowAreTheSmallestAndFitToTheByte) {
  // Higher strips would compute more rows outside the image, too.
  const IntegerGraph graph = chain({16, 16, 4});
  const Bytes least(24 * 4 * row + 3 * 36 * row);
  for (const Bytes budget : {least, least + Bytes(1)}) {
    const auto choice = choose_strips(graph, no_needs_of(graph), {budget, {}}, core());
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->range, (StripRange{0, 2, 1}));
    EXPECT_EQ(choice->arena, least);
    EXPECT_TRUE(choice->has_room);
  }
  const auto none = choose_strips(graph, no_needs_of(graph), {least - Bytes(1), {}}, core());
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_room);
  EXPECT_EQ(none->arena, least);
}

TEST(StripChoice, NoOtherPlanIsCheaperOrSmaller) {
  std::mt19937 random(31);
  std::size_t with_room = 0, without = 0;
  for (unsigned seed = 400; seed < 440; ++seed) {
    SCOPED_TRACE(seed);
    const auto graph = lower(test::random_stages(seed));
    ASSERT_TRUE(graph) << graph.error().message;
    const Bytes whole = arena_of(*graph);
    const Bytes budget(whole.count() * (40 + random() % 60) / 100);
    double cheapest = std::numeric_limits<double>::infinity();
    Bytes smallest = Bytes(std::numeric_limits<std::uint64_t>::max());
    for (const StripPlan& plan : test::all_strip_plans(*graph)) {
      const Bytes arena = arena_of(*graph, &plan);
      smallest = std::min(smallest, arena);
      if (arena <= budget) cheapest = std::min(cheapest, instructions_of(*graph, plan, core()));
    }
    const auto choice = choose_strips(*graph, no_needs_of(*graph), {budget, {}}, core());
    ASSERT_TRUE(choice);
    const auto plan = plan_strips(*graph, choice->range);
    ASSERT_TRUE(plan);
    EXPECT_EQ(arena_of(*graph, &*plan), choice->arena);
    ASSERT_EQ(choice->has_room, smallest <= budget);
    if (choice->has_room)
      EXPECT_EQ(instructions_of(*graph, *plan, core()), cheapest);
    else
      EXPECT_EQ(choice->arena, smallest);
    (choice->has_room ? with_room : without) += 1;
  }
  EXPECT_GT(with_room, 5u);
  EXPECT_GT(without, 5u);
}

TEST(StripChoice, StripsMayLieInSeveralBanks) {
  // 24 x 4 channels of input, where the output goes, fill one bank; the rows go to the other.
  const IntegerGraph graph = chain({16, 16, 4});
  const RamLayout banks{{{"A", Bytes(24 * 4 * row)}, {"B", Bytes(3 * 36 * row)}}, Bytes(0)};
  const RamRoom room{std::nullopt, banks};
  EXPECT_FALSE(has_room(room, graph, std::vector<LayerMemory>(4)));
  const auto choice = choose_strips(graph, no_needs_of(graph), room, core());
  ASSERT_TRUE(choice);
  EXPECT_TRUE(choice->has_room);
  EXPECT_EQ(choice->range, (StripRange{0, 2, 1}));
}

TEST(StripChoice, NothingRunsInStripsWithoutRows) {
  test::QdqBuilder b(1, 1, 4, 4);
  const auto graph = *lower(b.finish(b.dense(b.flatten(b.input()), 10)));
  EXPECT_FALSE(choose_strips(graph, no_needs_of(graph), {Bytes(1), {}}, core()));
}

}  // namespace
}  // namespace assay

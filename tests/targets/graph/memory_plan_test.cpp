// The plan is checked by running it: every byte of a simulated arena knows which tensor it holds.
#include "targets/graph/memory_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace assay {
namespace {

/// A network whose layers read the given tensors; tensor 0 is the input, layer i writes tensor i
/// + 1.
IntegerGraph network(const std::vector<int>& sizes, const std::vector<std::vector<int>>& inputs) {
  IntegerGraph graph;
  for (int size : sizes)
    graph.tensors.push_back({.name = "t", .channels = size});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    IntegerLayer layer;
    layer.inputs = inputs[i];
    layer.output = static_cast<int>(i) + 1;
    graph.layers.push_back(layer);
  }
  graph.output = static_cast<int>(sizes.size()) - 1;
  return graph;
}

/// An arena whose bytes know their owner. Returns false when a layer finds an input overwritten.
bool survives(const IntegerGraph& graph, const std::vector<LayerMemory>& layers,
              const MemoryPlan& plan) {
  constexpr int nobody = -1, scratch = -2;
  std::vector<int> owner(plan.arena_bytes.count(), nobody);
  const auto at = [&](int tensor, std::int64_t i) -> int& {
    return owner.at(plan.tensor_offset[tensor] + i);
  };
  for (std::int64_t i = 0; i < graph.tensors[graph.input].size(); ++i)
    at(graph.input, i) = 0;
  for (std::size_t step = 0; step < graph.layers.size(); ++step) {
    const IntegerLayer& layer = graph.layers[step];
    for (std::uint64_t i = 0; i < layers[step].scratch.count(); ++i)
      owner.at(plan.scratch_offset[step] + i) = scratch;
    // In place, the worst case the contract allows: element i is written when only elements up to i
    // of the first input were read. Otherwise inputs are needed to the end.
    const std::int64_t written = graph.tensors[layer.output].size();
    for (std::int64_t i = 0; i < written; ++i) {
      const auto& first = graph.tensors[layer.inputs.front()];
      if (layers[step].in_place && i < first.size() &&
          at(layer.inputs.front(), i) != layer.inputs[0])
        return false;
      at(layer.output, i) = layer.output;
    }
    if (!layers[step].in_place)
      for (int input : layer.inputs)
        for (std::int64_t i = 0; i < graph.tensors[input].size(); ++i)
          if (at(input, i) != input) return false;
    for (std::uint64_t i = 0; i < layers[step].scratch.count(); ++i)
      if (owner.at(plan.scratch_offset[step] + i) != scratch) return false;
  }
  for (std::int64_t i = 0; i < graph.tensors[graph.output].size(); ++i)
    if (at(graph.output, i) != graph.output) return false;
  return true;
}

std::vector<LayerMemory> no_needs(std::size_t layers) {
  return std::vector<LayerMemory>(layers);
}

TEST(MemoryPlan, ChainNeedsItsLargestNeighbours) {
  const auto graph = network({784, 1568, 400, 16}, {{0}, {1}, {2}});
  const MemoryPlan plan = plan_memory(graph, no_needs(3));
  EXPECT_EQ(plan.arena_bytes, Bytes(784 + 1568));
  EXPECT_EQ(plan.lower_bound, plan.arena_bytes);
  EXPECT_TRUE(survives(graph, no_needs(3), plan));
}

TEST(MemoryPlan, InPlaceLayersShareTheirInput) {
  const auto graph = network({64, 1000, 248, 904}, {{0}, {1}, {2}});
  std::vector<LayerMemory> layers = no_needs(3);
  layers[1].in_place = true;
  const MemoryPlan plan = plan_memory(graph, layers);
  EXPECT_EQ(plan.arena_bytes, Bytes(248 + 904));
  EXPECT_TRUE(survives(graph, layers, plan));
}

TEST(MemoryPlan, ScratchCountsWhileItsLayerRuns) {
  const auto graph = network({100, 100, 100}, {{0}, {1}});
  std::vector<LayerMemory> layers = no_needs(2);
  layers[1].scratch = Bytes(52);
  const MemoryPlan plan = plan_memory(graph, layers);
  EXPECT_EQ(plan.arena_bytes, Bytes(104 + 104 + 56));
  EXPECT_TRUE(survives(graph, layers, plan));
}

TEST(MemoryPlan, AShortcutStaysUntilItIsAdded) {
  const auto graph = network({80, 80, 80, 80}, {{0}, {1}, {0, 2}});
  const MemoryPlan plan = plan_memory(graph, no_needs(3));
  EXPECT_EQ(plan.arena_bytes, Bytes(240));
  EXPECT_TRUE(survives(graph, no_needs(3), plan));
}

struct RandomNetwork {
  IntegerGraph graph;
  std::vector<LayerMemory> layers;
};

RandomNetwork random_network(std::mt19937& random, bool chain) {
  std::uniform_int_distribution<int> length(1, 12), size(1, 500), tenth(0, 9);
  const int layers = length(random);
  std::vector<int> sizes = {size(random)};
  std::vector<std::vector<int>> inputs;
  RandomNetwork made;
  for (int i = 0; i < layers; ++i) {
    sizes.push_back(size(random));
    inputs.push_back({i});
    if (!chain && tenth(random) < 4)
      inputs.back().push_back(std::uniform_int_distribution<int>(0, i)(random));
    LayerMemory memory;
    if (tenth(random) < 4) memory.scratch = Bytes(size(random));
    memory.in_place = memory.scratch.count() == 0 && tenth(random) < 5 && inputs.back().size() == 1;
    made.layers.push_back(memory);
  }
  made.graph = network(sizes, inputs);
  // A kernel that runs in place never makes its tensor grow.
  for (int i = 0; i < layers; ++i)
    if (sizes[i + 1] > sizes[i]) made.layers[i].in_place = false;
  return made;
}

/// The largest sum of what is alive at once, counted anew.
std::uint64_t alive_bound(const RandomNetwork& made) {
  const auto& [graph, layers] = made;
  const int steps = static_cast<int>(layers.size());
  const auto rounded = [](std::uint64_t bytes) { return (bytes + 7) / 8 * 8; };
  std::uint64_t bound = 0;
  for (int step = 0; step < steps; ++step) {
    std::uint64_t sum = rounded(layers[step].scratch.count());
    for (int tensor = 0; tensor <= steps; ++tensor) {
      int last = tensor == 0 ? 0 : tensor - 1;
      for (int reader = 0; reader < steps; ++reader)
        for (int input : graph.layers[reader].inputs)
          if (input == tensor) last = std::max(last, reader);
      if (tensor == steps) last = steps - 1;
      const bool alive = tensor - 1 <= step && step <= last;
      const int source = graph.layers[step].inputs.front();
      const bool dies = [&] {
        for (int reader = step + 1; reader < steps; ++reader)
          for (int input : graph.layers[reader].inputs)
            if (input == source) return false;
        return true;
      }();
      const bool shared = tensor == step + 1 && layers[step].in_place && dies;
      if (alive && !shared) sum += rounded(graph.tensors[tensor].size());
    }
    bound = std::max(bound, sum);
  }
  return bound;
}

TEST(MemoryPlan, RandomChainsReachTheLowerBound) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 2000; ++trial) {
    SCOPED_TRACE(trial);
    const RandomNetwork made = random_network(random, true);
    const MemoryPlan plan = plan_memory(made.graph, made.layers);
    ASSERT_EQ(plan.lower_bound.count(), alive_bound(made));
    ASSERT_EQ(plan.arena_bytes, plan.lower_bound);
    ASSERT_TRUE(survives(made.graph, made.layers, plan));
  }
}

TEST(MemoryPlan, RandomBranchesNeverOverlapAndStayNearTheBound) {
  std::mt19937 random(12);
  double excess = 0;
  constexpr int trials = 1000;
  for (int trial = 0; trial < trials; ++trial) {
    SCOPED_TRACE(trial);
    const RandomNetwork made = random_network(random, false);
    const MemoryPlan plan = plan_memory(made.graph, made.layers);
    ASSERT_EQ(plan.lower_bound.count(), alive_bound(made));
    ASSERT_GE(plan.arena_bytes, plan.lower_bound);
    ASSERT_TRUE(survives(made.graph, made.layers, plan));
    for (std::int64_t offset : plan.tensor_offset)
      ASSERT_EQ(offset % 8, 0);
    for (std::int64_t offset : plan.scratch_offset)
      ASSERT_EQ(offset % 8, 0);
    excess += double(plan.arena_bytes.count()) / double(plan.lower_bound.count()) - 1;
  }
  EXPECT_LT(excess / trials, 0.02);
}

}  // namespace
}  // namespace assay

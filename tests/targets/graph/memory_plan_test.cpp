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

/// Few and small tensors, so that every plan can be tried.
RandomNetwork random_branches(std::mt19937& random) {
  std::uniform_int_distribution<int> length(2, 6), size(1, 7), tenth(0, 9);
  const int layers = length(random);
  std::vector<int> sizes = {8 * size(random)};
  std::vector<std::vector<int>> inputs;
  RandomNetwork made;
  for (int i = 0; i < layers; ++i) {
    inputs.push_back({std::uniform_int_distribution<int>(std::max(0, i - 2), i)(random)});
    if (tenth(random) < 5)
      inputs.back().push_back(std::uniform_int_distribution<int>(0, i)(random));
    sizes.push_back(8 * size(random));
    LayerMemory memory;
    memory.in_place = tenth(random) < 4 && sizes[i + 1] <= sizes[inputs.back().front()];
    if (!memory.in_place && tenth(random) < 2) memory.scratch = Bytes(8u * unsigned(size(random)));
    made.layers.push_back(memory);
  }
  made.graph = network(sizes, inputs);
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
  EXPECT_LT(excess / trials, 1e-4);
}

/// A piece of memory and the layers during which it is needed, found anew from the network; `under`
/// is the piece it may be written over.
struct Piece {
  std::int64_t size = 0;
  int first = 0;
  int last = 0;
  int under = -1;
};

std::vector<Piece> pieces_of(const RandomNetwork& made) {
  const int steps = static_cast<int>(made.layers.size());
  std::vector<Piece> pieces(steps + 1);
  for (int tensor = 0; tensor <= steps; ++tensor) {
    Piece& piece = pieces[tensor];
    piece.size = (made.graph.tensors[tensor].size() + 7) / 8;
    piece.first = piece.last = std::max(tensor - 1, 0);
    for (int reader = 0; reader < steps; ++reader)
      for (int input : made.graph.layers[reader].inputs)
        if (input == tensor) piece.last = reader;
    if (tensor == steps) piece.last = steps - 1;
  }
  for (int step = 0; step < steps; ++step) {
    const int source = made.graph.layers[step].inputs.front();
    if (made.layers[step].in_place && pieces[source].last == step) pieces[step + 1].under = source;
    const auto scratch = static_cast<std::int64_t>(made.layers[step].scratch.count() + 7) / 8;
    if (scratch > 0) pieces.push_back({scratch, step, step});
  }
  return pieces;
}

bool apart(const std::vector<Piece>& pieces, const std::vector<int>& at, int a, int b) {
  const Piece &p = pieces[a], &q = pieces[b];
  if (p.last < q.first || q.last < p.first) return true;
  if (at[a] + p.size <= at[b] || at[b] + q.size <= at[a]) return true;
  return (p.under == b && at[a] <= at[b]) || (q.under == a && at[b] <= at[a]);
}

/// Whether the pieces from `next` on can be laid anywhere below `limit`, in units of 8 bytes.
bool can_lay(const std::vector<Piece>& pieces, std::vector<int>& at, int next, std::int64_t limit) {
  if (next == static_cast<int>(pieces.size())) return true;
  for (int offset = 0; offset + pieces[next].size <= limit; ++offset) {
    at[next] = offset;
    bool good = true;
    for (int other = 0; good && other < next; ++other)
      good = apart(pieces, at, next, other);
    if (good && can_lay(pieces, at, next + 1, limit)) return true;
  }
  return false;
}

/// The smallest arena of all, found by trying every offset of every piece.
std::uint64_t brute_force(const RandomNetwork& made) {
  const std::vector<Piece> pieces = pieces_of(made);
  std::vector<int> at(pieces.size());
  auto limit = static_cast<std::int64_t>(alive_bound(made) / 8);
  while (!can_lay(pieces, at, 0, limit))
    ++limit;
  return static_cast<std::uint64_t>(limit) * 8;
}

TEST(MemoryPlan, NoSmallerPlanExistsForSmallBranchingNetworks) {
  std::mt19937 random(13);
  for (int trial = 0; trial < 2000; ++trial) {
    SCOPED_TRACE(trial);
    const RandomNetwork made = random_branches(random);
    const MemoryPlan plan = plan_memory(made.graph, made.layers);
    ASSERT_EQ(plan.arena_bytes.count(), brute_force(made));
    ASSERT_TRUE(survives(made.graph, made.layers, plan));
  }
}

/// Blocks of two convolutions and a shortcut, some with one of its own: ResNet's.
TEST(MemoryPlan, ResidualNetworksReachTheLowerBound) {
  std::mt19937 random(14);
  std::uniform_int_distribution<int> size(1, 6), coin(0, 1);
  for (int trial = 0; trial < 300; ++trial) {
    SCOPED_TRACE(trial);
    std::vector<int> sizes = {100 * size(random), 100 * size(random)};
    std::vector<std::vector<int>> inputs = {{0}};
    for (int block = 0; block < 4; ++block) {
      const int start = static_cast<int>(sizes.size()) - 1;
      const int out = 100 * size(random);
      const bool shortcut = coin(random) == 1;
      sizes.insert(sizes.end(), {out, out});
      inputs.insert(inputs.end(), {{start}, {start + 1}});
      if (!shortcut && sizes[start] != out) sizes.back() = sizes[start];
      if (shortcut) {
        sizes.push_back(out);
        inputs.push_back({start});
      }
      const int last = static_cast<int>(sizes.size()) - 1;
      sizes.push_back(sizes.back());
      inputs.push_back({shortcut ? last - 1 : last, shortcut ? last : start});
    }
    RandomNetwork made;
    made.graph = network(sizes, inputs);
    made.layers = no_needs(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i].size() == 2) made.layers[i].in_place = coin(random) == 1;
    for (auto& layer : made.layers)
      if (!layer.in_place) layer.scratch = Bytes(8u * unsigned(size(random)));
    const MemoryPlan plan = plan_memory(made.graph, made.layers);
    ASSERT_EQ(plan.arena_bytes, plan.lower_bound);
    ASSERT_TRUE(survives(made.graph, made.layers, plan));
  }
}

}  // namespace
}  // namespace assay

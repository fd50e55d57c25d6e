// Plans of several banks against one that tries every place of every piece.
#include "targets/graph/bank_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace assay {
namespace {

struct Network {
  IntegerGraph graph;
  std::vector<LayerMemory> layers;
};

/// Layer i reads the given tensors and writes tensor i + 1.
Network network(const std::vector<int>& sizes, const std::vector<std::vector<int>>& inputs) {
  Network made;
  for (const int size : sizes)
    made.graph.tensors.push_back({.name = "t", .channels = size});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    IntegerLayer layer;
    layer.inputs = inputs[i];
    layer.output = static_cast<int>(i) + 1;
    made.graph.layers.push_back(layer);
  }
  made.graph.output = static_cast<int>(sizes.size()) - 1;
  made.layers.resize(inputs.size());
  return made;
}

RamLayout ram_of(const std::vector<std::uint64_t>& sizes, std::uint64_t home = 0) {
  RamLayout ram;
  for (const std::uint64_t size : sizes)
    ram.banks.push_back({"B" + std::to_string(ram.banks.size()), Bytes(size)});
  ram.home_bytes = Bytes(home);
  return ram;
}

/// A tensor or scratch, in units of 8 bytes, found anew from the network.
struct Piece {
  std::int64_t size = 0;
  int first = 0;
  int last = 0;
  int over = -1;  ///< the piece it may be written over
};

std::vector<Piece> pieces_of(const Network& made) {
  const int steps = static_cast<int>(made.layers.size());
  std::vector<Piece> pieces;
  for (int tensor = 0; tensor <= steps; ++tensor) {
    Piece piece{(made.graph.tensors[tensor].size() + 7) / 8, std::max(tensor - 1, 0), 0};
    piece.last = piece.first;
    for (int reader = 0; reader < steps; ++reader)
      for (const int input : made.graph.layers[reader].inputs)
        if (input == tensor) piece.last = std::max(piece.last, reader);
    if (tensor == steps) piece.last = steps - 1;
    pieces.push_back(piece);
  }
  for (int step = 0; step < steps; ++step) {
    const int source = made.graph.layers[step].inputs.front();
    if (made.layers[step].in_place && pieces[source].last == step) pieces[step + 1].over = source;
    const auto scratch = static_cast<std::int64_t>((made.layers[step].scratch.count() + 7) / 8);
    if (scratch > 0) pieces.push_back({scratch, step, step});
  }
  return pieces;
}

/// A piece's place: its bank, and its offset there in units of 8 bytes.
struct At {
  std::size_t bank = 0;
  std::int64_t offset = 0;
};

bool apart(const Piece& a, const At& at_a, const Piece& b, const At& at_b, bool a_over_b,
           bool b_over_a) {
  if (a.last < b.first || b.last < a.first || at_a.bank != at_b.bank) return true;
  if (at_a.offset + a.size <= at_b.offset || at_b.offset + b.size <= at_a.offset) return true;
  return (a_over_b && at_a.offset <= at_b.offset) || (b_over_a && at_b.offset <= at_a.offset);
}

bool can_lay(const std::vector<Piece>& pieces, const std::vector<std::int64_t>& banks,
             std::vector<At>& at, std::size_t next) {
  if (next == pieces.size()) return true;
  for (std::size_t bank = 0; bank < banks.size(); ++bank)
    for (std::int64_t offset = 0; offset + pieces[next].size <= banks[bank]; ++offset) {
      at[next] = {bank, offset};
      bool good = true;
      for (std::size_t other = 0; good && other < next; ++other)
        good = apart(pieces[next], at[next], pieces[other], at[other],
                     pieces[next].over == static_cast<int>(other),
                     pieces[other].over == static_cast<int>(next));
      if (good && can_lay(pieces, banks, at, next + 1)) return true;
    }
  return false;
}

/// Whether any plan fits, whichever bank holds stack and static data.
bool brute_force_fits(const Network& made, const RamLayout& ram) {
  const std::vector<Piece> pieces = pieces_of(made);
  for (std::size_t home = 0; home < ram.banks.size(); ++home) {
    if (ram.banks[home].size < ram.home_bytes) continue;
    std::vector<std::int64_t> banks;
    for (std::size_t bank = 0; bank < ram.banks.size(); ++bank)
      banks.push_back(static_cast<std::int64_t>(
          (ram.banks[bank].size - (bank == home ? ram.home_bytes : Bytes(0))).count() / 8));
    std::vector<At> at(pieces.size());
    if (can_lay(pieces, banks, at, 0)) return true;
  }
  return false;
}

/// No two pieces that are alive at once overlap, and every bank has room for its own.
void expect_sound(const Network& made, const RamLayout& ram, const BankPlan& plan) {
  std::vector<Piece> pieces = pieces_of(made);
  std::vector<At> at;
  for (const BankPlace& place : plan.tensors)
    at.push_back({place.bank, place.offset / 8});
  for (std::size_t step = 0; step < made.layers.size(); ++step)
    if (made.layers[step].scratch.count() > 0)
      at.push_back({plan.scratch[step].bank, plan.scratch[step].offset / 8});
  ASSERT_EQ(at.size(), pieces.size());
  for (std::size_t a = 0; a < pieces.size(); ++a) {
    const Bytes end(static_cast<std::uint64_t>(8 * (at[a].offset + pieces[a].size)));
    EXPECT_LE(end, plan.arenas.at(at[a].bank));
    for (std::size_t b = 0; b < a; ++b)
      EXPECT_TRUE(apart(pieces[a], at[a], pieces[b], at[b], pieces[a].over == static_cast<int>(b),
                        pieces[b].over == static_cast<int>(a)))
          << a << " and " << b;
  }
  for (std::size_t bank = 0; plan.fits && bank < ram.banks.size(); ++bank)
    EXPECT_LE(plan.arenas[bank] + (bank == plan.home ? ram.home_bytes : Bytes(0)),
              ram.banks[bank].size);
}

TEST(BankPlan, OneBankWithoutAnEndIsTheMemoryPlan) {
  const Network made = network({64, 128, 32}, {{0}, {1}});
  const BankPlan plan = plan_banks(made.graph, made.layers, {});
  const MemoryPlan one = plan_memory(made.graph, made.layers);
  EXPECT_EQ(plan.arenas, std::vector<Bytes>{one.arena_bytes});
  for (std::size_t i = 0; i < one.tensor_offset.size(); ++i)
    EXPECT_EQ(plan.tensors[i].offset, one.tensor_offset[i]);
}

TEST(BankPlan, TakesTheFirstBankWithRoomForAll) {
  const Network made = network({64, 128, 32}, {{0}, {1}});
  EXPECT_EQ(plan_banks(made.graph, made.layers, ram_of({200, 400})).arenas[0], Bytes(192));
  EXPECT_EQ(plan_banks(made.graph, made.layers, ram_of({191, 400})).arenas[1], Bytes(192));
}

TEST(BankPlan, StackAndStaticDataMakeRoomForTensors) {
  const Network made = network({64, 128, 32}, {{0}, {1}});
  const BankPlan beside = plan_banks(made.graph, made.layers, ram_of({300, 400}, 100));
  EXPECT_EQ(beside.home, 0u);
  const BankPlan elsewhere = plan_banks(made.graph, made.layers, ram_of({200, 400}, 100));
  EXPECT_EQ(elsewhere.arenas[0], Bytes(192));
  EXPECT_EQ(elsewhere.home, 1u);
}

/// MobileNet's first layers at 96x96, the depthwise one in place, on banks that are too small
/// alone.
TEST(BankPlan, SplitsWhatNoBankHolds) {
  Network made = network({27648, 18432, 18432, 36864, 9216}, {{0}, {1}, {2}, {3}});
  made.layers[1].in_place = true;
  const RamLayout ram = ram_of({40000, 20000});
  const BankPlan plan = plan_banks(made.graph, made.layers, ram);
  EXPECT_TRUE(plan.fits);
  EXPECT_GT(plan.arenas[0].count(), 0u);
  EXPECT_GT(plan.arenas[1].count(), 0u);
  expect_sound(made, ram, plan);
}

TEST(BankPlan, SaysWhenNothingFits) {
  const Network made = network({64, 128, 32}, {{0}, {1}});
  const BankPlan plan = plan_banks(made.graph, made.layers, ram_of({80, 120}));
  EXPECT_FALSE(plan.fits);
  EXPECT_EQ(plan.arenas, (std::vector<Bytes>{Bytes(0), Bytes(192)}));
}

/// Few and small tensors, so that every plan can be tried.
Network random_network(std::mt19937& random) {
  std::uniform_int_distribution<int> length(2, 4), size(1, 5), tenth(0, 9);
  const int layers = length(random);
  std::vector<int> sizes = {8 * size(random)};
  std::vector<std::vector<int>> inputs;
  for (int i = 0; i < layers; ++i) {
    sizes.push_back(8 * size(random));
    inputs.push_back({i});
    if (tenth(random) < 3)
      inputs.back().push_back(std::uniform_int_distribution<int>(0, i)(random));
  }
  Network made = network(sizes, inputs);
  for (int i = 0; i < layers; ++i) {
    LayerMemory& memory = made.layers[static_cast<std::size_t>(i)];
    memory.in_place = tenth(random) < 4 && sizes[i + 1] <= sizes[i];
    if (!memory.in_place && tenth(random) < 2) memory.scratch = Bytes(8u * unsigned(size(random)));
  }
  return made;
}

TEST(BankPlan, FitsWheneverAnyPlanOfASmallNetworkDoes) {
  std::mt19937 random(15);
  int fitting = 0, split = 0, refused = 0;
  for (int trial = 0; trial < 600; ++trial) {
    SCOPED_TRACE(trial);
    const Network made = random_network(random);
    const std::uint64_t bound = plan_memory(made.graph, made.layers).lower_bound.count();
    std::vector<std::uint64_t> sizes;
    const std::size_t banks = 2 + random() % 2;
    for (std::size_t bank = 0; bank < banks; ++bank)
      sizes.push_back(8 * (1 + random() % (2 * bound / 8 / banks + 2)));
    const RamLayout ram = ram_of(sizes, 8 * (random() % 3));
    const BankPlan plan = plan_banks(made.graph, made.layers, ram);
    ASSERT_EQ(plan.fits, brute_force_fits(made, ram));
    expect_sound(made, ram, plan);
    const auto used = std::ranges::count_if(plan.arenas, [](Bytes b) { return b.count() > 0; });
    fitting += plan.fits;
    refused += !plan.fits;
    split += plan.fits && used > 1;
  }
  // Every outcome must have been among them.
  EXPECT_GT(fitting, 100);
  EXPECT_GT(split, 50);
  EXPECT_GT(refused, 50);
}

}  // namespace
}  // namespace assay

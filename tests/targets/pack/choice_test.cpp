// The choice of kernels against every combination of small networks.
#include "targets/pack/choice.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>
#include <tuple>

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Layers = std::vector<LayerCosts>;
using Picks = std::vector<std::size_t>;

struct Sum {
  std::uint64_t flash = 0;
  std::uint64_t cycles = 0;
};

Sum sum_of(const Layers& layers, const Picks& picks) {
  Sum sum;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    sum.flash += layers[i][picks[i]].flash.count();
    sum.cycles += layers[i][picks[i]].cycles.count();
  }
  return sum;
}

KernelCost cost(std::uint64_t flash, std::uint64_t cycles) {
  return {Bytes(flash), Cycles(cycles)};
}

bool allowed(const Layers& layers, const ChoiceGoal& goal, const Sum& sum) {
  const Sum first = sum_of(layers, Picks(layers.size(), 0));
  const auto within = [&](const Sum& some) {
    return (!goal.flash_budget || some.flash <= goal.flash_budget->count()) &&
           (!goal.cycle_budget || some.cycles <= goal.cycle_budget->count());
  };
  if (!within(sum)) return false;
  return goal.optimize != Optimize::balanced || !within(first) ||
         (sum.flash <= first.flash && sum.cycles <= first.cycles);
}

/// What is compared: the measure, then cycles, then flash. The balanced measure is multiplied out,
/// so that it is exact.
std::tuple<std::uint64_t, std::uint64_t, std::uint64_t> rank(const Layers& layers,
                                                             const ChoiceGoal& goal,
                                                             const Sum& sum) {
  const Sum first = sum_of(layers, Picks(layers.size(), 0));
  std::uint64_t measure = sum.cycles;
  if (goal.optimize == Optimize::flash) measure = sum.flash;
  if (goal.optimize == Optimize::balanced)
    measure = sum.flash * first.cycles + sum.cycles * first.flash;
  return {measure, sum.cycles, sum.flash};
}

/// Calls `visit` with every combination.
void for_each_choice(const Layers& layers, const std::function<void(const Picks&)>& visit) {
  Picks picks(layers.size(), 0);
  for (;;) {
    visit(picks);
    std::size_t i = 0;
    while (i < picks.size() && ++picks[i] == layers[i].size())
      picks[i++] = 0;
    if (i == picks.size()) return;
  }
}

std::optional<Sum> brute_force(const Layers& layers, const ChoiceGoal& goal) {
  std::optional<Sum> best;
  for_each_choice(layers, [&](const Picks& picks) {
    const Sum sum = sum_of(layers, picks);
    if (allowed(layers, goal, sum) &&
        (!best || rank(layers, goal, sum) < rank(layers, goal, *best)))
      best = sum;
  });
  return best;
}

Layers random_layers(std::mt19937& random) {
  Layers layers(1 + random() % 6);
  for (LayerCosts& layer : layers)
    for (std::size_t i = 1 + random() % 4; i > 0; --i)
      layer.push_back(cost(1 + random() % 40, 1 + random() % 40));
  return layers;
}

/// A budget around what the first kernels need, or none.
std::uint64_t random_budget(std::mt19937& random, std::uint64_t first) {
  return first / 2 + random() % (first + 1);
}

TEST(Choice, IsTheBestOfAllCombinations) {
  std::mt19937 random(7);
  int infeasible = 0, bounded = 0;
  for (int round = 0; round < 6000; ++round) {
    const Layers layers = random_layers(random);
    const Sum first = sum_of(layers, Picks(layers.size(), 0));
    ChoiceGoal goal{static_cast<Optimize>(round % 3), {}, {}};
    if (random() % 2) goal.flash_budget = Bytes(random_budget(random, first.flash));
    if (random() % 2) goal.cycle_budget = Cycles(random_budget(random, first.cycles));
    const auto expected = brute_force(layers, goal);
    const auto found = choose_costs(layers, goal);
    ASSERT_EQ(found.has_value(), expected.has_value()) << "round " << round;
    if (!found) {
      EXPECT_EQ(found.error().kind, ErrorKind::bad_input);
      ++infeasible;
      continue;
    }
    const Sum sum = sum_of(layers, *found);
    EXPECT_EQ(rank(layers, goal, sum), rank(layers, goal, *expected)) << "round " << round;
    if (allowed(layers, goal, first)) {
      EXPECT_LE(rank(layers, goal, sum), rank(layers, goal, first)) << "round " << round;
    }
    bounded += goal.flash_budget || goal.cycle_budget;
  }
  EXPECT_GT(infeasible, 100);
  EXPECT_GT(bounded, 1000);
}

TEST(Choice, OfALargeNetworkKeepsItsBudgetToTheByte) {
  // 60 layers in which every byte less costs cycles: of the sums nearly none dominates another.
  std::mt19937 random(3);
  Layers layers(60);
  std::uint64_t dense = 0;
  for (LayerCosts& layer : layers) {
    std::uint64_t flash = 20'000 + random() % 30'000, cycles = 100'000;
    dense += flash;
    for (int i = 0; i < 6; ++i) {
      layer.push_back(cost(flash, cycles));
      flash -= 500 + random() % 2000;
      cycles += 1000 + random() % 20'000;
    }
  }
  const Bytes budget(dense * 9 / 10);
  const auto found = choose_costs(layers, {Optimize::latency, budget, {}});
  ASSERT_TRUE(found) << found.error().message;
  const Sum best = sum_of(layers, *found);
  EXPECT_LE(best.flash, budget.count());
  // No single layer can be exchanged for the better, nor two for one another.
  for (std::size_t a = 0; a < layers.size(); ++a)
    for (std::size_t b = 0; b < a; ++b)
      for (std::size_t i = 0; i < 36; ++i) {
        Picks other = *found;
        other[a] = i % 6;
        other[b] = i / 6;
        const Sum sum = sum_of(layers, other);
        EXPECT_TRUE(sum.flash > budget.count() || sum.cycles >= best.cycles) << a << " " << b;
      }
}

TEST(Choice, GoesByTheMeasureThatIsAskedFor) {
  const Layers layers{{cost(100, 100), cost(60, 140), cost(150, 50), cost(80, 90)}};
  const auto pick = [&](Optimize optimize) { return *choose_costs(layers, {optimize, {}, {}}); };
  EXPECT_THAT(pick(Optimize::latency), ElementsAre(2));
  EXPECT_THAT(pick(Optimize::flash), ElementsAre(1));
  EXPECT_THAT(pick(Optimize::balanced), ElementsAre(3));
}

TEST(Choice, OfEqualOnesTakesTheFasterThenTheSmaller) {
  EXPECT_THAT(*choose_costs(Layers{{cost(9, 5), cost(8, 5), cost(8, 6)}}, {}), ElementsAre(1));
  const ChoiceGoal flash{Optimize::flash, {}, {}};
  EXPECT_THAT(*choose_costs(Layers{{cost(8, 6), cost(8, 5)}}, flash), ElementsAre(1));
}

TEST(Choice, WithoutLayersIsEmpty) {
  EXPECT_THAT(*choose_costs({}, {}), ::testing::IsEmpty());
}

TEST(Choice, SaysByHowMuchABudgetIsTooSmall) {
  const Layers layers{{cost(100, 100), cost(60, 140)}, {cost(30, 10)}};
  struct Case {
    ChoiceGoal goal;
    const char* words;
  };
  for (const auto& [goal, words] : {
           Case{{Optimize::latency, Bytes(80), {}},
                "need at least 90 bytes of flash, 10 more than the budget of 80"},
           Case{{Optimize::flash, {}, Cycles(109)},
                "need at least 110 modelled cycles, 1 more than the budget of 109"},
           Case{{Optimize::balanced, Bytes(95), Cycles(120)},
                "no choice keeps both the flash budget of 95 bytes and the latency budget of 120"},
       }) {
    const auto found = choose_costs(layers, goal);
    ASSERT_FALSE(found) << words;
    EXPECT_EQ(found.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(found.error().message, HasSubstr(words));
  }
}

/// By how many times itself a choice takes the budget that it exceeds more.
double excess_of(const Sum& sum, const ChoiceGoal& goal) {
  const auto times = [](std::uint64_t taken, const auto& budget) {
    return budget ? static_cast<double>(taken) / static_cast<double>(budget->count()) : 0;
  };
  return std::max(times(sum.flash, goal.flash_budget), times(sum.cycles, goal.cycle_budget));
}

double least_excess(const Layers& layers, const ChoiceGoal& goal) {
  double least = std::numeric_limits<double>::infinity();
  for_each_choice(layers, [&](const Picks& picks) {
    least = std::min(least, excess_of(sum_of(layers, picks), goal));
  });
  return least;
}

TEST(Choice, ComesNearestToABudgetThatNothingKeeps) {
  std::mt19937 random(11);
  for (int round = 0; round < 500; ++round) {
    const Layers layers = random_layers(random);
    ChoiceGoal goal;
    if (round % 2)
      goal.flash_budget = Bytes(1);
    else
      goal.cycle_budget = Cycles(1);
    const Sum found = sum_of(layers, nearest_costs(layers, goal));
    EXPECT_EQ(excess_of(found, goal), least_excess(layers, goal)) << "round " << round;
    // Of those the one that is least in the other measure.
    for_each_choice(layers, [&](const Picks& picks) {
      const Sum other = sum_of(layers, picks);
      if (round % 2 ? other.flash == found.flash : other.cycles == found.cycles) {
        EXPECT_LE(found.flash + found.cycles, other.flash + other.cycles) << "round " << round;
      }
    });
  }
}

TEST(Choice, ComesNearToTwoBudgetsThatNothingKeepsTogether) {
  std::mt19937 random(12);
  double sum = 0;
  constexpr int rounds = 500;
  for (int round = 0; round < rounds; ++round) {
    const Layers layers = random_layers(random);
    const ChoiceGoal goal{
        Optimize::latency,
        Bytes(sum_of(layers, nearest_costs(layers, {Optimize::latency, Bytes(1), {}})).flash),
        Cycles(sum_of(layers, nearest_costs(layers, {Optimize::latency, {}, Cycles(1)})).cycles)};
    const double best = least_excess(layers, goal);
    const double found = excess_of(sum_of(layers, nearest_costs(layers, goal)), goal);
    EXPECT_LE(found, 1.5 * best) << "round " << round;
    sum += found / best;
  }
  EXPECT_LT(sum / rounds, 1.03);
}

TEST(Choice, ComesNearToABudgetOfNothing) {
  const Layers layers{{cost(100, 100), cost(60, 140)}};
  EXPECT_THAT(nearest_costs(layers, {Optimize::latency, Bytes(0), {}}), ElementsAre(1));
  EXPECT_THAT(nearest_costs(layers, {Optimize::flash, {}, Cycles(0)}), ElementsAre(0));
}

TEST(Optimize, HasThreeWords) {
  for (const Optimize optimize : {Optimize::latency, Optimize::flash, Optimize::balanced})
    EXPECT_EQ(*parse_optimize(to_string(optimize)), optimize);
  const auto found = parse_optimize("speed");
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("latency, flash or balanced, found \"speed\""));
}

}  // namespace
}  // namespace assay

#include "targets/pack/choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <limits>
#include <tuple>

namespace assay {
namespace {

constexpr std::array words{"latency", "flash", "balanced"};
constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// Flash and cycles as plain numbers, of a layer or summed over some.
struct Cost {
  std::uint64_t flash = 0;
  std::uint64_t cycles = 0;
  Cost operator+(const Cost& other) const { return {flash + other.flash, cycles + other.cycles}; }
};

Cost cost_of(const KernelCost& kernel) {
  return {kernel.flash.count(), kernel.cycles.count()};
}

/// A linear measure of costs.
struct Weights {
  double flash = 0;
  double cycles = 0;
  double operator()(const Cost& cost) const {
    return flash * static_cast<double>(cost.flash) + cycles * static_cast<double>(cost.cycles);
  }
};

/// The kernel of every layer that is least by `measure`; of equal ones the first.
std::vector<std::size_t> least_picks(std::span<const LayerCosts> layers, const auto& measure) {
  std::vector<std::size_t> picks;
  for (const LayerCosts& layer : layers) {
    const auto least = std::ranges::min_element(
        layer, {}, [&](const KernelCost& kernel) { return measure(cost_of(kernel)); });
    picks.push_back(static_cast<std::size_t>(least - layer.begin()));
  }
  return picks;
}

Cost sum_of(std::span<const LayerCosts> layers, const std::vector<std::size_t>& picks) {
  Cost sum;
  for (std::size_t i = 0; i < layers.size(); ++i)
    sum = sum + cost_of(layers[i][picks[i]]);
  return sum;
}

/// What is made small, and how large each part may become.
struct Problem {
  std::span<const LayerCosts> layers;
  Weights objective;
  Cost limit;

  bool allows(const Cost& cost) const {
    return cost.flash <= limit.flash && cost.cycles <= limit.cycles;
  }
  /// The kernels that are least by `measure`, together.
  Cost least(const auto& measure) const { return sum_of(layers, least_picks(layers, measure)); }
};

double reciprocal(std::uint64_t value) {
  return value == 0 ? 0 : 1 / static_cast<double>(value);
}

Problem make_problem(std::span<const LayerCosts> layers, const ChoiceGoal& goal) {
  Problem problem{layers, {}, {unlimited, unlimited}};
  if (goal.flash_budget) problem.limit.flash = goal.flash_budget->count();
  if (goal.cycle_budget) problem.limit.cycles = goal.cycle_budget->count();
  if (goal.optimize == Optimize::latency) problem.objective = {0, 1};
  if (goal.optimize == Optimize::flash) problem.objective = {1, 0};
  if (goal.optimize != Optimize::balanced) return problem;
  Cost first;
  for (const LayerCosts& layer : layers)
    first = first + cost_of(layer.front());
  problem.objective = {reciprocal(first.flash), reciprocal(first.cycles)};
  // Where the first kernels miss a budget there is nothing to be no worse than.
  if (problem.allows(first)) problem.limit = first;
  return problem;
}

std::string missed(std::string_view what, std::uint64_t least, std::uint64_t limit) {
  return fmt::format("the layers need at least {} {}, {} more than the budget of {}", least, what,
                     least - limit, limit);
}

Status check_budgets(const Problem& problem) {
  const Cost smallest = problem.least([](const Cost& cost) { return cost.flash; });
  const Cost fastest = problem.least([](const Cost& cost) { return cost.cycles; });
  if (smallest.flash > problem.limit.flash)
    return fail(ErrorKind::bad_input,
                missed("bytes of flash", smallest.flash, problem.limit.flash));
  if (fastest.cycles > problem.limit.cycles)
    return fail(ErrorKind::bad_input,
                missed("modelled cycles", fastest.cycles, problem.limit.cycles));
  return {};
}

/// A lower bound by Lagrange's multipliers: whatever the limits forbid is paid for instead.
struct Bound {
  Weights price;                                                ///< objective plus multipliers
  double credit = 0;                                            ///< multipliers times limits
  double best_known = std::numeric_limits<double>::infinity();  ///< of a choice within the limits
  std::vector<double> rest;  ///< least price of the layers from the i-th on

  bool excludes(const Cost& so_far, std::size_t next) const {
    constexpr double rounding = 1e-9;
    return price(so_far) + rest[next] - credit > best_known + rounding * (best_known + credit);
  }
};

/// The multipliers for which the cheapest choice just keeps the one limit that the best
/// unlimited choice breaks, by bisection.
Bound make_bound(const Problem& problem) {
  Bound bound{problem.objective, 0, std::numeric_limits<double>::infinity(), {}};
  const Cost wish = problem.least(problem.objective);
  const auto consider = [&](const Cost& choice) {
    if (problem.allows(choice))
      bound.best_known = std::min(bound.best_known, problem.objective(choice));
    return problem.allows(choice);
  };
  if (!consider(wish)) {
    const bool flash = wish.flash > problem.limit.flash;
    const auto priced = [&](double multiplier) {
      Weights price = problem.objective;
      (flash ? price.flash : price.cycles) += multiplier;
      return price;
    };
    double low = 0, high = 1e-12;
    while (high < 1e12 && !consider(problem.least(priced(high))))
      high *= 4;
    for (int i = 0; i < 60; ++i) {
      const double middle = (low + high) / 2;
      (consider(problem.least(priced(middle))) ? high : low) = middle;
    }
    bound.price = priced(high);
    bound.credit = high * static_cast<double>(flash ? problem.limit.flash : problem.limit.cycles);
  }
  bound.rest.assign(problem.layers.size() + 1, 0);
  for (std::size_t i = problem.layers.size(); i-- > 0;) {
    double least = std::numeric_limits<double>::infinity();
    for (const KernelCost& kernel : problem.layers[i])
      least = std::min(least, bound.price(cost_of(kernel)));
    bound.rest[i] = bound.rest[i + 1] + least;
  }
  return bound;
}

/// Kernels chosen for the layers so far.
struct State {
  Cost cost;
  std::size_t before = 0;  ///< state of the layer before
  std::size_t pick = 0;    ///< kernel of this layer
};

/// Keeps what no other state beats in both parts.
void keep_undominated(std::vector<State>& states) {
  std::ranges::sort(states, [](const State& a, const State& b) {
    return a.cost.flash != b.cost.flash ? a.cost.flash < b.cost.flash
                                        : a.cost.cycles < b.cost.cycles;
  });
  std::uint64_t fastest = unlimited;
  std::erase_if(states, [&](const State& state) {
    if (state.cost.cycles >= fastest) return true;
    fastest = state.cost.cycles;
    return false;
  });
}

/// Dynamic programming over the layers on the undominated sums, the hopeless ones cut off.
std::vector<std::vector<State>> enumerate(const Problem& problem) {
  const Bound bound = make_bound(problem);
  std::vector<std::vector<State>> steps{{State{}}};
  for (std::size_t layer = 0; layer < problem.layers.size(); ++layer) {
    std::vector<State> states;
    for (std::size_t before = 0; before < steps.back().size(); ++before)
      for (std::size_t pick = 0; pick < problem.layers[layer].size(); ++pick) {
        const Cost cost = steps.back()[before].cost + cost_of(problem.layers[layer][pick]);
        if (problem.allows(cost) && !bound.excludes(cost, layer + 1))
          states.push_back({cost, before, pick});
      }
    keep_undominated(states);
    steps.push_back(std::move(states));
  }
  return steps;
}

}  // namespace

std::string_view to_string(Optimize optimize) {
  return words[static_cast<std::size_t>(optimize)];
}

Result<Optimize> parse_optimize(std::string_view word) {
  for (std::size_t i = 0; i < words.size(); ++i)
    if (word == words[i]) return static_cast<Optimize>(i);
  return fail(ErrorKind::bad_input,
              fmt::format("expected latency, flash or balanced, found \"{}\"", word));
}

Result<std::vector<std::size_t>> choose_costs(std::span<const LayerCosts> layers,
                                              const ChoiceGoal& goal) {
  const Problem problem = make_problem(layers, goal);
  ASSAY_CHECK(check_budgets(problem));
  const auto steps = enumerate(problem);
  const auto& last = steps.back();
  if (last.empty())
    return fail(ErrorKind::bad_input,
                fmt::format("no choice keeps both the flash budget of {} bytes and the latency "
                            "budget of {} cycles: give more of one",
                            problem.limit.flash, problem.limit.cycles));
  const auto rank = [&](const State& state) {
    return std::tuple(problem.objective(state.cost), state.cost.cycles, state.cost.flash);
  };
  auto state = static_cast<std::size_t>(std::ranges::min_element(last, {}, rank) - last.begin());
  std::vector<std::size_t> picks(layers.size());
  for (std::size_t layer = layers.size(); layer-- > 0;) {
    picks[layer] = steps[layer + 1][state].pick;
    state = steps[layer + 1][state].before;
  }
  return picks;
}

std::vector<std::size_t> nearest_costs(std::span<const LayerCosts> layers, const ChoiceGoal& goal) {
  assert(goal.flash_budget || goal.cycle_budget);
  const auto share_of_one = [](const auto& budget) {
    return budget ? 1 / std::max(static_cast<double>(budget->count()), 1.0) : 0;
  };
  const Weights in_budgets{share_of_one(goal.flash_budget), share_of_one(goal.cycle_budget)};
  const auto excess = [&](const std::vector<std::size_t>& picks) {
    const Cost sum = sum_of(layers, picks);
    return std::max(Weights{in_budgets.flash, 0}(sum), Weights{0, in_budgets.cycles}(sum));
  };
  std::vector<std::size_t> nearest;
  // Of one budget every weighting says the same; what ties is decided by the other measure.
  constexpr int weightings = 256;
  for (int i = 0; i <= weightings; ++i) {
    const double share = static_cast<double>(i) / weightings;
    const Weights measure{share * in_budgets.flash, (1 - share) * in_budgets.cycles};
    auto picks = least_picks(layers, [&](const Cost& cost) {
      return std::tuple(measure(cost), cost.cycles, cost.flash);
    });
    if (nearest.empty() || excess(picks) < excess(nearest)) nearest = std::move(picks);
  }
  return nearest;
}

}  // namespace assay

// Which kernel every layer gets: a multiple-choice knapsack over the layers of a network, solved
// exactly. Pure; thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "harness/core/result.hpp"
#include "harness/core/units.hpp"

namespace assay {

/// What a choice makes small.
enum class Optimize {
  latency,   ///< the cycles of an inference
  flash,     ///< the bytes of the layers
  balanced,  ///< the sum of both, each relative to dense int8, neither worse than that
};

std::string_view to_string(Optimize optimize);
/// Errors: bad_input naming the three words.
Result<Optimize> parse_optimize(std::string_view word);

/// What one kernel costs a layer.
struct KernelCost {
  Bytes flash;  ///< constants and the kernel's code
  Cycles cycles;
  bool operator==(const KernelCost&) const = default;
};

/// The kernels that may run one layer, at least one; the first, dense int8 where there is one, is
/// what the others are held against.
using LayerCosts = std::vector<KernelCost>;

/// What is wanted of a network. The budgets are for all its layers together.
struct ChoiceGoal {
  Optimize optimize = Optimize::latency;
  std::optional<Bytes> flash_budget;
  std::optional<Cycles> cycle_budget;
};

/// The kernel of every layer, as indices into its costs: the best of all combinations within the
/// budgets, never worse in the chosen measure than the first kernels wherever those are within
/// them. Of equally good ones the faster, then the smaller, is taken. Errors: bad_input saying by
/// how much the budgets are too small.
Result<std::vector<std::size_t>> choose_costs(std::span<const LayerCosts> layers,
                                              const ChoiceGoal& goal);

/// Where no choice keeps the budgets, of which there is at least one: what comes nearest to them. A
/// single budget is exceeded the least. Of two the one that is exceeded more, in parts of itself,
/// is, among the choices that are least by some weighting of bytes and cycles.
std::vector<std::size_t> nearest_costs(std::span<const LayerCosts> layers, const ChoiceGoal& goal);

}  // namespace assay

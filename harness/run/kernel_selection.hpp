// From what every kernel costs to the kernels of a firmware, with the reasons. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "harness/core/json.hpp"
#include "harness/core/result.hpp"
#include "harness/plan/deploy_goal.hpp"
#include "harness/run/trial_stage.hpp"
#include "targets/graph/bank_plan.hpp"
#include "targets/graph/integer_graph.hpp"
#include "targets/pack/deployment.hpp"

namespace assay {

/// The kernels of a network, and the kernels they were chosen from.
struct KernelSelection {
  KernelChoice choice;
  /// One object a layer: name, op, shape, macc, kernel, form, constant_bytes, scratch_bytes, and,
  /// where it was tried, code_bytes and modelled_cycles (under Linux instructions); int8_because,
  /// where its weights would fit fewer bits; alternatives: what else there was, with the same
  /// figures and "why_not".
  Json layers;
  /// Which layers run in strips, for what arena, at what cost; null where none does.
  Json strips;
  /// Whether the kernels as they were tried, one by one, keep the part's flash and the budgets of
  /// flash and latency. What is built of them together may need less, or more.
  bool within_budgets = true;
  /// What the budgets of flash and latency were held against: the kernels as they were tried, one
  /// by one, with the time that strips take beyond that. Zero where nothing was tried.
  KernelCost tried = {};
  std::vector<std::string> notices;
};

/// Chooses what `goal` asks for at that pace. Kernels whose scratch does not fit the RAM are
/// left out, and layers run in strips where a network does not fit it, or the user's RAM budget,
/// otherwise. Where layers one by one exceed the flash, or a budget of flash or latency, the
/// kernels that come nearest are chosen, to be judged by what is built of them: the linker, or the
/// verdict, says by how much it misses. Under Linux executed instructions stand for cycles, and a
/// notice says that they are not time. Where nothing could be tried, constants alone decide for
/// flash under Linux, and the table's first kernels are taken for any other goal. Errors: bad_input
/// saying by how much the RAM budget is too small, which is exact, or that the trial is of another
/// network.
Result<KernelSelection> select_kernels(const IntegerGraph& graph, const Core& core,
                                       const Trial& trial, const DeployGoal& goal, const Pace& pace,
                                       const RamLayout& ram = {});

}  // namespace assay

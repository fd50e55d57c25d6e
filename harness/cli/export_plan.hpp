// The kernels and the memory of a model that is exported for a part: what a firmware around it has
// room for. Runs the stages that this takes; one caller at a time.
#pragma once

#include <filesystem>
#include <string>

#include "harness/core/board_type.hpp"
#include "harness/core/result.hpp"
#include "harness/plan/deploy_goal.hpp"
#include "harness/run/kernel_selection.hpp"
#include "targets/build/generate.hpp"

namespace assay::cli {

/// What is to be exported.
struct ExportOrder {
  std::filesystem::path model;
  const BoardType& type;
  const IntegerGraph& graph;  ///< of that model
  std::string hash;           ///< SHA-256 of its file
  DeployGoal goal;
  std::filesystem::path store;  ///< beside which calibrations lie
  std::filesystem::path cache;
};

struct ExportPlan {
  KernelSelection selection;
  GeneratedModel model;  ///< the arena in as many arrays as the part's banks of RAM ask for
};

/// Tries the model's kernels on the part if that has not been done, chooses among them, and places
/// the arena: in one bank, else over several, else with layers in strips. Budgets are kept by what
/// is built and run, not by the layers' sum. Errors: failed_verdict where they are not kept, or
/// where neither arena nor constants find room on the part; those of the stages.
Result<ExportPlan> plan_export(const ExportOrder& order);

}  // namespace assay::cli

#include "harness/cli/outlook.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace assay::cli {
namespace {

/// Pending stages in which a network learns, teachers included.
std::size_t count_trainings(const Plan& plan, const PendingWork& pending) {
  std::set<std::size_t> learned;
  for (const auto& config : plan.configs)
    learned.insert(config.learned.begin(), config.learned.end());
  return static_cast<std::size_t>(std::ranges::count_if(pending.stages, [&](std::size_t stage) {
    return learned.contains(stage) || plan.stages[stage].kind == StageKind::train;
  }));
}

}  // namespace

Result<Outlook> look_ahead(const Plan& plan, const RunContext& context,
                           const MatrixOptions& options) {
  Outlook outlook;
  ASSAY_TRY(outlook.pending, options.find_pending(plan, context.cache));
  for (const auto& stage : plan.stages) {
    auto& [count, cached] = outlook.kinds[std::string(to_string(stage.kind))];
    ++count;
    cached += context.cache.has(stage);
  }
  outlook.trainings = count_trainings(plan, outlook.pending);
  if (!outlook.pending.cells.empty())
    outlook.seconds =
        estimate_makespan(outline_tasks(plan, outlook.pending), lanes_of(plan, context));
  return outlook;
}

Result<std::optional<FitEstimate>> FitTable::of(const Cell& cell) {
  if (!cell.placement) return std::nullopt;
  const Config& config = plan_.expansion.configs[cell.config];
  const auto& target = plan_.matrix.deploy.on[cell.placement->target];
  const auto& type = target.board_type;
  const DeployGoal goal = goal_of(plan_.matrix.deploy, target);
  // What an estimate depends on: shapes, the form of the weights, what may make them smaller, and
  // the budgets.
  const Json json = config.json();
  const auto key =
      fmt::format("{} {} {} {} {} {} {}", json.at("student").dump(), config.at("data").dump(),
                  json.at("quantize").dump(), config.has("prune"), config.has("cluster"), type.name,
                  to_json(goal).dump());
  if (const auto known = estimates_.find(key); known != estimates_.end()) return known->second;
  ASSAY_TRY(const auto estimate, estimate_fit(config, type, goal));
  return estimates_[key] = estimate;
}

}  // namespace assay::cli

// Carries out a plan: runs the stages that are missing, measures the cells that have no record,
// writes each record when it is made.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "boards/station/inventory.hpp"
#include "harness/plan/plan.hpp"
#include "harness/run/cache.hpp"
#include "harness/run/cell_artifacts.hpp"
#include "harness/run/executor.hpp"
#include "results/store.hpp"

namespace assay {

/// What has to be done for a plan.
struct PendingWork {
  std::vector<std::size_t> stages;   ///< indices into Plan::stages, not cached and needed
  std::vector<std::size_t> cells;    ///< indices into Plan::cells without a final record
  std::vector<std::string> damaged;  ///< a sentence for each stage whose result in the cache is
};

/// A wanted cell is pending when the store has no record under its measurement key, or one with
/// verdict infra, or, if it is to be measured `again`, fail; a stage when a pending cell needs it
/// and the cache lacks it or holds a damaged result. A store file that is not there has no record,
/// and is not made. Errors: the store's.
Result<PendingWork> find_pending(const Plan& plan, const StageCache& cache,
                                 const std::filesystem::path& store,
                                 const std::function<bool(const Cell&)>& wanted,
                                 bool again = false);

/// How many training processes run at once, and where things are.
struct RunContext {
  StageCache cache;
  std::vector<Board> inventory;
  std::size_t jobs = 1;
  std::string command;  ///< reproduces the run, for records
  bool again = false;   ///< records with verdict fail give way to new ones
};

/// Something that did not work, with the task it belongs to.
struct RunFailure {
  std::string task;
  Error error;
};

/// The tasks of a plan's pending work with their lanes, for estimates (nothing in them can run).
std::vector<Task> outline_tasks(const Plan& plan, const PendingWork& pending);
std::map<std::string, std::size_t> lanes_of(const Plan& plan, const RunContext& context);

/// The boards that will measure the pending cells. Errors: bad_input when a board type has none.
Result<std::vector<Board>> boards_needed(const Plan& plan, const PendingWork& pending,
                                         const RunContext& context);

/// Whether there is a board of every type that the pending cells go to, and of every type that a
/// selection may still send cells to. Errors: bad_input.
Status check_boards(const Plan& plan, const PendingWork& pending, const RunContext& context);

/// Does the pending work. Returns what failed (empty: everything worked). Errors: bad_input when a
/// board type has no board; infrastructure when the virtual boards do not start; interrupted after
/// `stop` fired and everything has come to rest.
Result<std::vector<RunFailure>> run_plan(const Plan& plan, const PendingWork& pending,
                                         const RunContext& context, Store& store,
                                         std::stop_token stop);

/// The records of all cells of a plan that have one, in plan order. Errors: the store's.
Result<std::vector<Record>> records_of(const Plan& plan, Store& store);

/// Paths of a cell's artifacts in the cache.
CellArtifacts artifacts_of(const Plan& plan, const Cell& cell, const StageCache& cache);

}  // namespace assay

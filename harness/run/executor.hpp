// Runs a graph of tasks on lanes of threads: "cpu" has one thread per core, a board type as many as
// there are boards. Tasks on different lanes overlap; within a lane the longest remaining path runs
// first.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/core/result.hpp"

namespace assay {

/// One unit of work.
struct Task {
  std::string name;
  std::string lane;
  std::vector<std::size_t> after;  ///< indices of earlier tasks that must be done first
  double estimated_seconds = 1;
  /// Runs on thread `slot` (0-based) of its lane.
  std::function<Status(std::size_t slot, std::stop_token stop)> run;
};

/// How a task ended.
struct TaskOutcome {
  enum class State { done, failed, skipped };
  State state = State::skipped;  ///< skipped: an input failed, or the run was interrupted
  std::optional<Error> error;    ///< when failed
  double seconds = 0;
};

/// Told about every change, from the worker threads, one call at a time.
struct ExecutorEvents {
  std::function<void(std::size_t task)> started;
  std::function<void(std::size_t task, const TaskOutcome&)> ended;
};

/// Runs all tasks and returns their outcomes in order. A failed task does not stop the others, only
/// those after it. When `stop` fires, running tasks are told, nothing new starts, and the call
/// returns once they ended. `lanes` gives the number of threads of every lane (asserted to exist).
std::vector<TaskOutcome> execute(const std::vector<Task>& tasks,
                                 const std::map<std::string, std::size_t>& lanes,
                                 const ExecutorEvents& events, std::stop_token stop);

/// Seconds until the last task would end if every estimate were right: a list-scheduling simulation
/// with the executor's own rule.
double estimate_makespan(const std::vector<Task>& tasks,
                         const std::map<std::string, std::size_t>& lanes);

}  // namespace assay

#include "harness/run/executor.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

namespace assay {
namespace {

/// For every task the estimated time of the longest path that starts with it.
std::vector<double> remaining_paths(const std::vector<Task>& tasks) {
  std::vector<double> path(tasks.size());
  for (std::size_t i = tasks.size(); i-- > 0;) {
    path[i] += tasks[i].estimated_seconds;
    for (std::size_t before : tasks[i].after) {
      assert(before < i);
      path[before] = std::max(path[before], path[i]);
    }
  }
  return path;
}

/// Runs a task; what a library throws is its failure, not the end of the other lanes.
Status run_guarded(const Task& task, std::size_t slot, const std::stop_token& stop) {
  try {
    return task.run(slot, stop);
  } catch (const std::exception& problem) {
    return fail(ErrorKind::infrastructure, problem.what());
  }
}

/// The state all lane threads share.
class Schedule {
 public:
  Schedule(const std::vector<Task>& tasks, const ExecutorEvents& events, std::stop_token stop)
      : tasks_(tasks),
        events_(events),
        stop_(std::move(stop)),
        paths_(remaining_paths(tasks)),
        states_(tasks.size(), State::waiting),
        outcomes_(tasks.size()),
        open_(tasks.size()) {}

  /// What a lane thread does until nothing is left for its lane.
  void work(const std::string& lane, std::size_t slot) {
    std::unique_lock lock(mutex_);
    while (open_ > 0) {
      const auto next = stop_.stop_requested() ? std::nullopt : ready_task(lane);
      if (!next && (stop_.stop_requested() || !lane_has_work(lane))) return;
      if (!next) {
        changed_.wait(lock);
        continue;
      }
      run(*next, slot, lock);
    }
  }

  void wake_all() {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }

  std::vector<TaskOutcome> outcomes() { return std::move(outcomes_); }

 private:
  enum class State { waiting, running, ended };

  bool lane_has_work(const std::string& lane) const {
    for (std::size_t i = 0; i < tasks_.size(); ++i)
      if (states_[i] == State::waiting && tasks_[i].lane == lane) return true;
    return false;
  }

  bool inputs_done(const Task& task) const {
    return std::ranges::all_of(task.after, [&](std::size_t before) {
      return outcomes_[before].state == TaskOutcome::State::done;
    });
  }

  std::optional<std::size_t> ready_task(const std::string& lane) const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (states_[i] != State::waiting || tasks_[i].lane != lane || !inputs_done(tasks_[i]))
        continue;
      if (!best || paths_[i] > paths_[*best]) best = i;
    }
    return best;
  }

  void run(std::size_t index, std::size_t slot, std::unique_lock<std::mutex>& lock) {
    states_[index] = State::running;
    if (events_.started) events_.started(index);
    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    const Status status = run_guarded(tasks_[index], slot, stop_);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    lock.lock();
    TaskOutcome outcome;
    outcome.seconds = took.count();
    outcome.state = status ? TaskOutcome::State::done : TaskOutcome::State::failed;
    if (!status) outcome.error = status.error();
    end(index, std::move(outcome));
    changed_.notify_all();
  }

  void end(std::size_t index, TaskOutcome outcome) {
    states_[index] = State::ended;
    outcomes_[index] = std::move(outcome);
    --open_;
    if (events_.ended) events_.ended(index, outcomes_[index]);
    if (outcomes_[index].state == TaskOutcome::State::done) return;
    for (std::size_t i = index + 1; i < tasks_.size(); ++i)
      if (states_[i] == State::waiting && std::ranges::count(tasks_[i].after, index)) end(i, {});
  }

  const std::vector<Task>& tasks_;
  const ExecutorEvents& events_;
  std::stop_token stop_;
  std::vector<double> paths_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<State> states_;
  std::vector<TaskOutcome> outcomes_;
  std::size_t open_;
};

}  // namespace

std::vector<TaskOutcome> execute(const std::vector<Task>& tasks,
                                 const std::map<std::string, std::size_t>& lanes,
                                 const ExecutorEvents& events, std::stop_token stop) {
  Schedule schedule(tasks, events, stop);
  {
    std::vector<std::jthread> threads;
    for (const auto& [lane, slots] : lanes)
      for (std::size_t slot = 0; slot < slots; ++slot)
        threads.emplace_back([&schedule, name = lane, slot] { schedule.work(name, slot); });
    const std::stop_callback wake(stop, [&] { schedule.wake_all(); });
    threads.clear();  // joins
  }
  return schedule.outcomes();
}

double estimate_makespan(const std::vector<Task>& tasks,
                         const std::map<std::string, std::size_t>& lanes) {
  const auto paths = remaining_paths(tasks);
  std::map<std::string, std::vector<double>> free_at;
  for (const auto& [lane, slots] : lanes)
    free_at[lane].assign(slots, 0);
  std::vector<std::optional<double>> end(tasks.size());
  for (std::size_t round = 0; round < tasks.size(); ++round) {
    // The task that can start first; among those the one with the longest path.
    std::optional<std::size_t> best;
    double best_start = 0;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (end[i]) continue;
      double start = std::ranges::min(free_at.at(tasks[i].lane));
      bool known = true;
      for (std::size_t before : tasks[i].after) {
        known = known && end[before];
        if (end[before]) start = std::max(start, *end[before]);
      }
      if (!known) continue;
      if (!best || start < best_start || (start == best_start && paths[i] > paths[*best])) {
        best = i;
        best_start = start;
      }
    }
    auto& slots = free_at.at(tasks[*best].lane);
    end[*best] = best_start + tasks[*best].estimated_seconds;
    *std::ranges::min_element(slots) = *end[*best];
  }
  double last = 0;
  for (const auto& moment : end)
    last = std::max(last, moment.value_or(0));
  return last;
}

}  // namespace assay

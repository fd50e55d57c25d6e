#include "harness/run/executor.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <set>
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

/// A task and how long the path that starts with it is, negative: the most urgent is the least.
using Urgency = std::pair<double, std::size_t>;

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

/// The tasks of one lane whose inputs have ended, in the order they start in.
class LaneQueue {
 public:
  LaneQueue(const std::vector<double>& paths, std::size_t slots)
      : paths_(paths), free_at_(slots, 0) {}

  void add(std::size_t task, double ready) { later_.emplace(ready, Urgency(-paths_[task], task)); }

  /// When the next task starts, and which: of those that can start first the one with the longest
  /// path; of equals the earlier. Nothing while no task is there.
  std::optional<std::pair<double, Urgency>> next() {
    const double free = std::ranges::min(free_at_);
    while (!later_.empty() && later_.begin()->first <= free) {
      now_.insert(later_.begin()->second);
      later_.erase(later_.begin());
    }
    if (!now_.empty()) return std::pair(free, *now_.begin());
    if (!later_.empty()) return *later_.begin();
    return std::nullopt;
  }

  /// Takes out what next() said.
  void start(const std::pair<double, Urgency>& next, double end) {
    if (now_.erase(next.second) == 0) later_.erase(next);
    *std::ranges::min_element(free_at_) = end;
  }

 private:
  const std::vector<double>& paths_;
  std::vector<double> free_at_;                 ///< of the slots
  std::set<Urgency> now_;                       ///< can start when a slot is free
  std::set<std::pair<double, Urgency>> later_;  ///< can start at a time after that
};

/// Lets tasks end after their estimated time, without running them.
class Simulation {
 public:
  Simulation(const std::vector<Task>& tasks, const std::map<std::string, std::size_t>& lanes)
      : tasks_(tasks),
        paths_(remaining_paths(tasks)),
        users_(tasks.size()),
        open_inputs_(tasks.size()),
        ready_(tasks.size()) {
    for (const auto& [lane, slots] : lanes)
      lanes_.emplace(lane, LaneQueue(paths_, slots));
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      for (const std::size_t before : tasks[i].after)
        users_[before].push_back(i);
      open_inputs_[i] = tasks[i].after.size();
      if (open_inputs_[i] == 0) lanes_.at(tasks[i].lane).add(i, 0);
    }
  }

  /// When the last task ends.
  double run() {
    double last = 0;
    for (std::size_t round = 0; round < tasks_.size(); ++round)
      last = std::max(last, start_next());
    return last;
  }

 private:
  /// Starts the task that can start first; when it ends.
  double start_next() {
    LaneQueue* lane = nullptr;
    std::optional<std::pair<double, Urgency>> first;
    for (auto& [name, queue] : lanes_)
      if (const auto next = queue.next(); next && (!first || *next < *first)) {
        lane = &queue;
        first = next;
      }
    assert(lane);
    const std::size_t task = first->second.second;
    const double end = first->first + tasks_[task].estimated_seconds;
    lane->start(*first, end);
    for (const std::size_t user : users_[task]) {
      ready_[user] = std::max(ready_[user], end);
      if (--open_inputs_[user] == 0) lanes_.at(tasks_[user].lane).add(user, ready_[user]);
    }
    return end;
  }

  const std::vector<Task>& tasks_;
  std::vector<double> paths_;
  std::vector<std::vector<std::size_t>> users_;  ///< of each task's result
  std::vector<std::size_t> open_inputs_;         ///< of each task
  std::vector<double> ready_;                    ///< when the last input that has ended did
  std::map<std::string, LaneQueue> lanes_;
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
  return Simulation(tasks, lanes).run();
}

}  // namespace assay

#include "harness/run/executor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <latch>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <tuple>

namespace assay {
namespace {

using State = TaskOutcome::State;

/// Records which tasks ran, in order.
class Log {
 public:
  Task task(std::string name, std::vector<std::size_t> after = {}, double seconds = 1,
            std::string lane = "cpu") {
    return {name, std::move(lane), std::move(after), seconds,
            [this, name](std::size_t, std::stop_token) -> Status {
              const std::lock_guard lock(mutex_);
              order_.push_back(name);
              return {};
            }};
  }
  const std::vector<std::string>& order() const { return order_; }

 private:
  std::mutex mutex_;
  std::vector<std::string> order_;
};

TEST(Execute, RunsTheLongestPathFirst) {
  Log log;
  const std::vector<Task> tasks{log.task("short", {}, 1), log.task("teacher", {}, 5),
                                log.task("student", {1}, 10), log.task("medium", {}, 7)};
  const auto outcomes = execute(tasks, {{"cpu", 1}}, {}, {});
  EXPECT_EQ(log.order(), (std::vector<std::string>{"teacher", "student", "medium", "short"}));
  for (const auto& outcome : outcomes)
    EXPECT_EQ(outcome.state, State::done);
}

TEST(Execute, AFailureSkipsOnlyWhatComesAfterIt) {
  Log log;
  std::vector<Task> tasks{log.task("a"), log.task("b"), log.task("after a", {0}),
                          log.task("after both", {1, 2}), log.task("after b", {1})};
  tasks[0].run = [](std::size_t, std::stop_token) -> Status {
    return fail(ErrorKind::infrastructure, "broken");
  };
  const auto outcomes = execute(tasks, {{"cpu", 2}}, {}, {});
  EXPECT_EQ(outcomes[0].state, State::failed);
  EXPECT_EQ(outcomes[0].error->message, "broken");
  EXPECT_EQ(outcomes[2].state, State::skipped);
  EXPECT_EQ(outcomes[3].state, State::skipped);
  EXPECT_EQ(outcomes[1].state, State::done);
  EXPECT_EQ(outcomes[4].state, State::done);
}

TEST(Execute, LanesOverlap) {
  // Each task waits for the other: this ends only when both lanes run at once.
  std::latch both(2);
  const auto meet = [&both](std::size_t, std::stop_token) -> Status {
    both.arrive_and_wait();
    return {};
  };
  const std::vector<Task> tasks{{"train", "cpu", {}, 1, meet}, {"measure", "board", {}, 1, meet}};
  const auto outcomes = execute(tasks, {{"cpu", 1}, {"board", 1}}, {}, {});
  EXPECT_EQ(outcomes[0].state, State::done);
  EXPECT_EQ(outcomes[1].state, State::done);
}

TEST(Execute, ALaneRunsNoMoreThanItsSlotsAndNamesThem) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::array<std::atomic<int>, 3> slot_busy{};
  std::vector<Task> tasks;
  for (int i = 0; i < 30; ++i)
    tasks.push_back({"t", "board", {}, 1, [&](std::size_t slot, std::stop_token) -> Status {
                       EXPECT_EQ(slot_busy.at(slot).fetch_add(1), 0);
                       most = std::max(most.load(), ++running);
                       std::this_thread::yield();
                       --running;
                       --slot_busy.at(slot);
                       return {};
                     }});
  execute(tasks, {{"board", 3}}, {}, {});
  EXPECT_LE(most, 3);
}

TEST(Execute, StopsCleanlyWhenInterrupted) {
  std::stop_source source;
  std::vector<Task> tasks{{"running",
                           "cpu",
                           {},
                           2,
                           [&](std::size_t, std::stop_token stop) -> Status {
                             source.request_stop();
                             EXPECT_TRUE(stop.stop_requested());
                             return fail(ErrorKind::interrupted, "interrupted");
                           }},
                          {"waiting", "cpu", {}, 1, [](std::size_t, std::stop_token) -> Status {
                             ADD_FAILURE() << "started after the interruption";
                             return {};
                           }}};
  const auto outcomes = execute(tasks, {{"cpu", 1}}, {}, source.get_token());
  EXPECT_EQ(outcomes[0].error->kind, ErrorKind::interrupted);
  EXPECT_EQ(outcomes[1].state, State::skipped);
}

TEST(Execute, TellsEveryEndOnce) {
  Log log;
  std::vector<Task> tasks{log.task("a"), log.task("b", {0}), log.task("c", {1})};
  tasks[0].run = [](std::size_t, std::stop_token) -> Status {
    return fail(ErrorKind::bad_input, "no");
  };
  std::vector<std::size_t> ended;
  execute(tasks, {{"cpu", 2}},
          {nullptr, [&](std::size_t task, const TaskOutcome&) { ended.push_back(task); }}, {});
  EXPECT_EQ(ended, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(Execute, OfNothingReturns) {
  EXPECT_TRUE(execute({}, {{"cpu", 2}}, {}, {}).empty());
}

TEST(EstimateMakespan, IsThatOfTheSchedule) {
  Log log;
  // Two cores: the teacher (5) and its student (10) on one, two of 7 on the other.
  const std::vector<Task> tasks{log.task("teacher", {}, 5), log.task("student", {0}, 10),
                                log.task("x", {}, 7), log.task("y", {}, 7),
                                log.task("measure", {1}, 2, "board")};
  EXPECT_DOUBLE_EQ(estimate_makespan(tasks, {{"cpu", 2}, {"board", 1}}), 17);
  EXPECT_DOUBLE_EQ(estimate_makespan(tasks, {{"cpu", 1}, {"board", 1}}), 29);
  EXPECT_DOUBLE_EQ(estimate_makespan({}, {{"cpu", 1}}), 0);
}

/// The rule of the executor, word for word: of the tasks whose inputs have ended, the one that can
/// start first; of those the one with the longest path; of those the earliest.
double simulated(const std::vector<Task>& tasks, std::map<std::string, std::size_t> lanes) {
  std::vector<double> path(tasks.size());
  for (std::size_t i = tasks.size(); i-- > 0;) {
    path[i] += tasks[i].estimated_seconds;
    for (const std::size_t before : tasks[i].after)
      path[before] = std::max(path[before], path[i]);
  }
  std::map<std::string, std::vector<double>> free_at;
  for (const auto& [lane, slots] : lanes)
    free_at[lane].assign(slots, 0);
  std::vector<std::optional<double>> end(tasks.size());
  double last = 0;
  for (std::size_t round = 0; round < tasks.size(); ++round) {
    std::vector<std::tuple<double, double, std::size_t>> ready;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      double start = std::ranges::min(free_at.at(tasks[i].lane));
      bool known = !end[i];
      for (const std::size_t before : tasks[i].after) {
        known = known && end[before];
        start = std::max(start, end[before].value_or(0));
      }
      if (known) ready.emplace_back(start, -path[i], i);
    }
    const auto [start, urgency, task] = std::ranges::min(ready);
    end[task] = start + tasks[task].estimated_seconds;
    *std::ranges::min_element(free_at.at(tasks[task].lane)) = *end[task];
    last = std::max(last, *end[task]);
  }
  return last;
}

TEST(Estimate, FollowsTheRuleOnAnyGraph) {
  std::mt19937 random(7);
  for (int graph = 0; graph < 200; ++graph) {
    Log log;
    std::vector<Task> tasks;
    for (std::size_t i = 0; i < 40; ++i) {
      std::vector<std::size_t> after;
      for (std::size_t before = 0; before < i; ++before)
        if (random() % 12 == 0) after.push_back(before);
      tasks.push_back(log.task(std::to_string(i), after, double(random() % 5),
                               random() % 3 == 0 ? "board" : "cpu"));
    }
    const std::map<std::string, std::size_t> lanes{{"cpu", 1 + random() % 4}, {"board", 1}};
    EXPECT_DOUBLE_EQ(estimate_makespan(tasks, lanes), simulated(tasks, lanes)) << graph;
  }
}

/// A task a step of every round would be ten thousand million of them.
TEST(Estimate, TakesAHundredThousandTasks) {
  Log log;
  std::vector<Task> tasks{log.task("teacher", {}, 5)};
  for (int i = 0; i < 100'000; ++i)
    tasks.push_back(log.task("student", {0}, 10));
  EXPECT_DOUBLE_EQ(estimate_makespan(tasks, {{"cpu", 4}}), 5 + 25'000 * 10.0);
}

}  // namespace
}  // namespace assay

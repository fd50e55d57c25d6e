// What a run prints while it works: one line for every finished task, and on a terminal a live line
// with what is running and how long it may still take. Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "harness/run/executor.hpp"

namespace assay {

class Progress {
 public:
  /// Prints to standard error; `estimated_seconds` is the plan's estimate for the whole run.
  Progress(const std::vector<Task>& tasks, double estimated_seconds);
  void started(std::size_t task);
  void update(std::size_t task, double fraction, const std::string& message);
  void ended(std::size_t task, const TaskOutcome& outcome);

 private:
  struct Running {
    double fraction = 0;
    std::string message;
  };
  void draw_live_line();
  void clear_live_line();
  double fraction_done() const;

  const std::vector<Task>& tasks_;
  double estimated_seconds_;
  bool terminal_;
  std::chrono::steady_clock::time_point begin_;
  std::mutex mutex_;
  std::map<std::size_t, Running> running_;
  std::size_t ended_ = 0;
  double seconds_done_ = 0;
  double seconds_total_ = 0;
  std::chrono::steady_clock::time_point drawn_{};
};

/// "41 s", "3 min", "2.5 h".
std::string duration_text(double seconds);

}  // namespace assay

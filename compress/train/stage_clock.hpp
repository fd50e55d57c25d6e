// The time a stage took over all processes that worked on it. Used by one thread.
#pragma once

#include "harness/core/clock.hpp"

namespace assay {

/// What was spent on a stage.
struct StageTime {
  double seconds = 0;      ///< by the clock on the wall
  double cpu_seconds = 0;  ///< user and system, all threads
};

/// Starts with the process; a stage that goes on from a checkpoint adds what was spent up to it.
class StageClock {
 public:
  void add(const StageTime& earlier) { earlier_ = earlier; }
  StageTime spent() const;

 private:
  StageTime earlier_;
  Clock::TimePoint start_ = system_clock().now();
};

}  // namespace assay

// The one clock: steady time for deadlines and durations, wall time for records. Injected where a
// test must own time.
#pragma once

#include <chrono>
#include <string>

namespace assay {

/// Monotonic time.
class Clock {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
};

/// The machine's own monotonic clock. Thread-safe.
const Clock& system_clock();

/// A moment after which waiting ends.
class Deadline {
 public:
  Deadline(const Clock& clock, std::chrono::nanoseconds from_now)
      : clock_(&clock), end_(clock.now() + from_now) {}
  explicit Deadline(std::chrono::nanoseconds from_now) : Deadline(system_clock(), from_now) {}
  bool passed() const { return clock_->now() >= end_; }
  /// Time left, never negative.
  std::chrono::milliseconds remaining() const {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - clock_->now());
    return left.count() > 0 ? left : std::chrono::milliseconds(0);
  }

 private:
  const Clock* clock_;
  Clock::TimePoint end_;
};

/// Wall-clock time as "2026-01-31T12:34:56Z", for records.
std::string utc_timestamp();
/// The day, "2026-01-31", that it will be in UTC so many hours from now.
std::string utc_day(std::chrono::hours from_now = {});

}  // namespace assay

// A stop at a time of day, for runs that must leave the boards to others in the morning.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>
#include <thread>

#include "harness/core/result.hpp"

namespace assay {

using WallTime = std::chrono::system_clock::time_point;

/// The first moment after `now` at which the local clock shows `text`, "HH:MM". Errors: bad_input.
Result<WallTime> next_time_of_day(std::string_view text, WallTime now);

/// Passes on the stop of a parent token, and asks for one itself at a moment. Thread-safe.
class TimedStop {
 public:
  TimedStop(const std::stop_token& parent, std::optional<WallTime> moment);
  std::stop_token token() const { return source_.get_token(); }
  /// Whether the moment came (the parent may have asked for a stop as well).
  bool time_is_up() const;

 private:
  void wait_for(std::stop_token ended, WallTime moment);

  std::stop_source source_;
  std::optional<WallTime> moment_;
  std::stop_callback<std::function<void()>> from_parent_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread timer_;
};

}  // namespace assay

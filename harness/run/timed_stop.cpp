#include "harness/run/timed_stop.hpp"

#include <charconv>
#include <ctime>

#include <fmt/format.h>

namespace assay {
namespace {

/// Two digits below `limit`.
std::optional<int> two_digits(std::string_view text, int limit) {
  int value = -1;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = text.size() == 2 && problem == std::errc() && end == text.data() + 2;
  return good && value >= 0 && value < limit ? std::optional(value) : std::nullopt;
}

}  // namespace

Result<WallTime> next_time_of_day(std::string_view text, WallTime now) {
  const auto colon = text.find(':');
  const auto hour = two_digits(text.substr(0, colon), 24);
  const auto minute =
      colon == std::string_view::npos ? std::nullopt : two_digits(text.substr(colon + 1), 60);
  if (!hour || !minute)
    return fail(ErrorKind::bad_input,
                fmt::format("\"{}\" is not a time of day from 00:00 to 23:59, as in 06:00", text));
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  for (int days = 0;; ++days) {
    std::tm local{};
    localtime_r(&seconds, &local);
    local.tm_mday += days;
    local.tm_hour = *hour;
    local.tm_min = *minute;
    local.tm_sec = 0;
    local.tm_isdst = -1;  // mktime knows whether summer time holds then
    const auto moment = std::chrono::system_clock::from_time_t(std::mktime(&local));
    if (moment > now) return moment;
  }
}

TimedStop::TimedStop(const std::stop_token& parent, std::optional<WallTime> moment)
    : moment_(moment), from_parent_(parent, [this] { source_.request_stop(); }) {
  if (moment_) timer_ = std::jthread([this](std::stop_token ended) { wait_for(ended, *moment_); });
}

bool TimedStop::time_is_up() const {
  return moment_ && std::chrono::system_clock::now() >= *moment_;
}

// On the wall clock: a machine that slept through the moment stops when it wakes.
void TimedStop::wait_for(std::stop_token ended, WallTime moment) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, ended, moment, [] { return false; });
  if (!ended.stop_requested()) source_.request_stop();
}

}  // namespace assay

#include "harness/core/clock.hpp"

#include <ctime>
#include <string_view>

namespace assay {
namespace {

class SteadyClock : public Clock {
 public:
  TimePoint now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

const Clock& system_clock() {
  static const SteadyClock clock;
  return clock;
}

namespace {

std::string timestamp(std::time_t when) {
  std::tm parts{};
  gmtime_r(&when, &parts);
  char text[sizeof "2026-01-31T12:34:56Z"];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace

std::string utc_timestamp() {
  return timestamp(std::time(nullptr));
}

std::string utc_day(std::chrono::hours from_now) {
  const std::time_t seconds = std::chrono::seconds(from_now).count();
  return timestamp(std::time(nullptr) + seconds).substr(0, std::string_view("2026-01-31").size());
}

}  // namespace assay

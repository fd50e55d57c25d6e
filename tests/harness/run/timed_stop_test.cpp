#include "harness/run/timed_stop.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <ctime>

namespace assay {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;

/// A moment in Berlin, where 2026-03-29 02:00 becomes 03:00 and 2026-10-25 03:00 becomes 02:00.
class TimeOfDay : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
  }
  void TearDown() override {
    unsetenv("TZ");
    tzset();
  }
  static WallTime utc(int month, int day, int hour, int minute = 0) {
    std::tm time{};
    time.tm_year = 2026 - 1900;
    time.tm_mon = month - 1;
    time.tm_mday = day;
    time.tm_hour = hour;
    time.tm_min = minute;
    return system_clock::from_time_t(timegm(&time));
  }
};

TEST_F(TimeOfDay, IsTheNextOne) {
  EXPECT_EQ(next_time_of_day("06:00", utc(1, 10, 2)).value(), utc(1, 10, 5));
  EXPECT_EQ(next_time_of_day("06:00", utc(1, 10, 5)).value(), utc(1, 11, 5));  // not now
  EXPECT_EQ(next_time_of_day("23:59", utc(1, 31, 23)).value(), utc(2, 1, 22, 59));
}

TEST_F(TimeOfDay, FollowsSummerTime) {
  EXPECT_EQ(next_time_of_day("06:00", utc(3, 28, 20)).value(), utc(3, 29, 4));
  EXPECT_EQ(next_time_of_day("06:00", utc(10, 24, 20)).value(), utc(10, 25, 5));
}

TEST_F(TimeOfDay, IsTwoNumbers) {
  for (const char* text : {"", "6:00", "06", "06:0", "24:00", "06:60", "-1:00", "06:00:00", "noon"})
    EXPECT_FALSE(next_time_of_day(text, utc(1, 10, 2))) << text;
}

bool stops_within(const std::stop_token& token, std::chrono::milliseconds time) {
  for (const auto end = system_clock::now() + time; system_clock::now() < end;) {
    if (token.stop_requested()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return token.stop_requested();
}

TEST(TimedStop, ComesAtItsMoment) {
  const std::stop_source parent;
  const TimedStop stop(parent.get_token(), system_clock::now() + 50ms);
  EXPECT_FALSE(stop.token().stop_requested());
  EXPECT_FALSE(stop.time_is_up());
  EXPECT_TRUE(stops_within(stop.token(), 20s));
  EXPECT_TRUE(stop.time_is_up());
  EXPECT_FALSE(parent.stop_requested());
}

TEST(TimedStop, PassesOnItsParentsStop) {
  std::stop_source parent;
  const TimedStop endless(parent.get_token(), std::nullopt);
  const TimedStop tomorrow(parent.get_token(), system_clock::now() + 24h);
  EXPECT_FALSE(endless.token().stop_requested());
  parent.request_stop();
  for (const auto* stop : {&endless, &tomorrow}) {
    EXPECT_TRUE(stop->token().stop_requested());
    EXPECT_FALSE(stop->time_is_up());
  }
}

}  // namespace
}  // namespace assay

// The lock between processes: who waits, who is named, and what happens when the holder dies.
#include "boards/station/lock.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "harness/core/file.hpp"

namespace assay {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// A board behind the probe of that serial number.
Board board_named(const std::string& name, const std::string& probe_serial) {
  Board board;
  board.name = name;
  board.probe_serial = probe_serial;
  return board;
}

/// Another process that holds a board until it is killed.
class Holder {
 public:
  Holder(const std::filesystem::path& folder, const std::string& board) {
    int tell[2];
    EXPECT_EQ(::pipe(tell), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const auto lock = BoardLock::acquire(folder, board_named(board, "SN-" + board), 0ms, {});
      const char told = lock ? 'y' : 'n';
      if (::write(tell[1], &told, 1) != 1) ::_exit(1);
      for (;;)
        ::pause();
    }
    char told = 0;
    EXPECT_EQ(::read(tell[0], &told, 1), 1);
    EXPECT_EQ(told, 'y');
    ::close(tell[0]);
    ::close(tell[1]);
  }
  ~Holder() { kill(); }

  pid_t pid() const { return pid_; }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
};

class Lock : public ::testing::Test {
 protected:
  Result<BoardLock> acquire(const std::string& board, std::chrono::milliseconds patience = 0ms,
                            std::stop_token stop = {}) {
    return BoardLock::acquire(folder_, board_named(board, "SN-" + board), patience, stop);
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "lock");
  std::filesystem::path folder_ = scratch_.path() / "locks" / "boards";
};

TEST_F(Lock, NamesTheProcessThatHoldsTheBoard) {
  const Holder holder(folder_, "f405-a");
  const auto lock = acquire("f405-a", 60ms);
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(lock.error().message, AllOf(HasSubstr("f405-a"), HasSubstr("station_test"),
                                          HasSubstr(fmt::format("process {}", holder.pid()))));
  EXPECT_TRUE(acquire("f405-b")) << "another board is free";
}

TEST_F(Lock, IsOnTheProbeWhateverTheBoardIsCalled) {
  const Holder holder(folder_, "f405-a");
  const auto lock = BoardLock::acquire(folder_, board_named("mine", "SN-f405-a"), 0ms, {});
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().message, HasSubstr("board mine is in use by"));
}

TEST_F(Lock, CanBeTakenByEveryUserOfTheMachine) {
  EXPECT_TRUE(acquire("a"));
  const auto everybody = [](const std::filesystem::path& path) {
    return (std::filesystem::status(path).permissions() & std::filesystem::perms::others_write) !=
           std::filesystem::perms::none;
  };
  EXPECT_TRUE(everybody(folder_));
  EXPECT_TRUE(everybody(folder_ / "SN-a.lock"));
}

TEST_F(Lock, OutlivesNoHolder) {
  Holder holder(folder_, "a");
  ASSERT_FALSE(acquire("a"));
  holder.kill();
  const auto lock = acquire("a");
  ASSERT_TRUE(lock) << lock.error().message;
  const auto again = acquire("a");
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr(fmt::format("process {}", ::getpid())))
      << "the dead holder is forgotten";
}

TEST_F(Lock, IsHandedOnWhileSomebodyWaits) {
  Holder holder(folder_, "a");
  std::jthread end([&] {
    std::this_thread::sleep_for(80ms);
    holder.kill();
  });
  const auto lock = acquire("a", 60s);
  EXPECT_TRUE(lock) << lock.error().message;
}

TEST_F(Lock, IsReleasedWithItsObject) {
  {
    const auto first = acquire("a");
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_FALSE(acquire("a"));
  }
  EXPECT_TRUE(acquire("a"));
}

TEST_F(Lock, StopsWaitingWhenAsked) {
  const Holder holder(folder_, "a");
  std::stop_source stop;
  stop.request_stop();
  const auto lock = acquire("a", 60s, stop.get_token());
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().kind, ErrorKind::interrupted);
}

TEST_F(Lock, SaysWhichFileCannotBeWritten) {
  ASSERT_TRUE(write_atomically(scratch_.path() / "locks", "a file where the folder should be"));
  const auto lock = acquire("a");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(lock.error().message, HasSubstr((folder_ / "SN-a.lock").string()));
}

}  // namespace
}  // namespace assay

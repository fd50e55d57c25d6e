#include "harness/run/cache.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace assay {
namespace {

namespace fs = std::filesystem;

class Cache : public ::testing::Test {
 protected:
  void SetUp() override { fs::remove_all(cache_.root()); }
  Stage stage(const std::string& key) const {
    Stage stage;
    stage.kind = StageKind::train;
    stage.key = key;
    return stage;
  }
  void store(const std::string& key) const {
    auto scratch = cache_.begin(stage(key));
    ASSERT_TRUE(write_atomically(scratch->path() / "model.onnx", std::string_view("12345")));
    ASSERT_TRUE(std::move(*scratch).publish(cache_.path(stage(key))));
  }
  void make_old(const std::string& key) const {
    fs::last_write_time(cache_.path(stage(key)),
                        fs::file_time_type::clock::now() - std::chrono::hours(24 * 40));
  }
  static auto days_ago(int days) {
    return std::chrono::system_clock::now() - std::chrono::hours(24 * days);
  }
  const StageCache cache_{fs::path(::testing::TempDir()) / "assay_cache_test"};
};

TEST_F(Cache, HasWhatWasPublished) {
  EXPECT_FALSE(cache_.has(stage("aa")));
  store("aa");
  EXPECT_TRUE(cache_.has(stage("aa")));
  ASSERT_EQ(cache_.entries().size(), 1u);
  EXPECT_EQ(cache_.entries()[0].size, Bytes(5));
  EXPECT_EQ(cache_.entries()[0].kind, "train");
}

TEST_F(Cache, KeepsCheckpointsUntilTheyAreDroppedOrOld) {
  const auto folder = cache_.checkpoints(stage("aa"));
  ASSERT_TRUE(folder) << folder.error().message;
  ASSERT_TRUE(write_atomically(*folder / "checkpoint.pt", std::string_view("1234567")));
  EXPECT_EQ(cache_.checkpoints(stage("aa")).value(), *folder);
  EXPECT_NE(cache_.checkpoints(stage("bb")).value(), *folder);
  EXPECT_FALSE(cache_.has(stage("aa")));
  cache_.drop_checkpoints(stage("bb"));

  ASSERT_EQ(cache_.entries().size(), 1u);
  EXPECT_EQ(cache_.entries()[0].kind, "checkpoints");
  EXPECT_EQ(cache_.entries()[0].size, Bytes(7));
  EXPECT_EQ(cache_.set_pinned("aa", true), 0u);  // they are no result

  EXPECT_TRUE(cache_.prune(days_ago(30), false).empty());
  fs::last_write_time(*folder, fs::file_time_type::clock::now() - std::chrono::hours(24 * 40));
  EXPECT_EQ(cache_.prune(days_ago(30), true).size(), 1u);
  EXPECT_TRUE(fs::exists(*folder));
  EXPECT_EQ(cache_.prune(days_ago(30), false).size(), 1u);
  EXPECT_FALSE(fs::exists(*folder));
}

TEST_F(Cache, AnUnfinishedResultIsNotThere) {
  auto scratch = cache_.begin(stage("aa"));
  ASSERT_TRUE(write_atomically(scratch->path() / "model.onnx", std::string_view("half")));
  EXPECT_FALSE(cache_.has(stage("aa")));
  EXPECT_TRUE(cache_.entries().empty());
}

TEST_F(Cache, PrunesWhatWasNotUsedAndNotPinned) {
  for (const char* key : {"old", "older-pinned", "old-used", "new"})
    store(key);
  EXPECT_EQ(cache_.set_pinned("older", true), 1u);
  for (const char* key : {"old", "older-pinned", "old-used"})
    make_old(key);
  cache_.touch(stage("old-used"));
  EXPECT_EQ(cache_.prune(days_ago(30), true).size(), 1u);
  EXPECT_TRUE(cache_.has(stage("old")));
  const auto removed = cache_.prune(days_ago(30), false);
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_EQ(removed[0].key, "old");
  EXPECT_FALSE(cache_.has(stage("old")));
  for (const char* key : {"older-pinned", "old-used", "new"})
    EXPECT_TRUE(cache_.has(stage(key)));
}

TEST_F(Cache, AStageIsLockedByOneProcessAndFreedByItsDeath) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = StageLock::acquire(cache_, stage("aa"), {});
    [[maybe_unused]] const auto written = ::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  std::stop_source stopped;
  stopped.request_stop();
  const auto busy = StageLock::acquire(cache_, stage("aa"), stopped.get_token());
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().kind, ErrorKind::interrupted);
  EXPECT_TRUE(StageLock::acquire(cache_, stage("bb"), {}));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(StageLock::acquire(cache_, stage("aa"), {}));
}

}  // namespace
}  // namespace assay

#include "harness/run/cache.hpp"

#include <gmock/gmock.h>
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
    ASSERT_TRUE(cache_.publish(stage(key), std::move(*scratch)));
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
  const auto sums = fs::file_size(cache_.path(stage("aa")) / "sums.json");
  EXPECT_EQ(cache_.entries()[0].size, Bytes(5 + sums));
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
  ASSERT_EQ(cache_.entries().size(), 1u);  // it takes room
  EXPECT_EQ(cache_.entries()[0].kind, "scratch");
  EXPECT_EQ(cache_.entries()[0].size, Bytes(4));
  EXPECT_EQ(cache_.set_pinned("train", true), 0u);
}

TEST_F(Cache, PrunesNothingThatARunUsesUntilItsEnd) {
  store("old");
  make_old("old");
  std::optional<RunMark> run(RunMark::begin(cache_, days_ago(0)).value());
  store("new");
  auto scratch = cache_.begin(stage("aa"));
  ASSERT_TRUE(write_atomically(scratch->path() / "model.onnx", std::string_view("half")));
  ASSERT_TRUE(cache_.checkpoints(stage("aa")));
  const auto tomorrow = days_ago(-1);
  const auto removed = cache_.prune(tomorrow, false);
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_EQ(removed[0].key, "old");
  EXPECT_TRUE(fs::exists(scratch->path() / "model.onnx"));

  run.reset();
  EXPECT_EQ(cache_.prune(tomorrow, false).size(), 3u);
  EXPECT_TRUE(cache_.entries().empty());
}

TEST_F(Cache, AKilledRunKeepsNothing) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto run = RunMark::begin(cache_, days_ago(0));
    auto scratch = cache_.begin(stage("aa"));
    [[maybe_unused]] const auto written = ::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_TRUE(cache_.prune(days_ago(-1), false).empty());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(cache_.entries().size(), 1u);
  EXPECT_EQ(cache_.prune(days_ago(-1), false).size(), 1u);
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

struct Damage {
  const char* file;
  std::optional<std::string> content;  ///< absent: the file is removed
};

TEST_F(Cache, FindsWhatWasDamagedAfterwards) {
  // The SHA-256 of "12345", as `printf 12345 | sha256sum` prints it.
  const std::string sum = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5";
  store("aa");
  const auto folder = cache_.path(stage("aa"));
  EXPECT_THAT(read_text(folder / "sums.json").value(), ::testing::HasSubstr(sum));
  for (const auto& [file, content] : std::vector<Damage>{
           {"model.onnx", "12344"},
           {"model.onnx", "1234"},
           {"model.onnx", ""},
           {"model.onnx", std::nullopt},
           {"sums.json", R"({"model.onnx": "5994471abb01112a"})"},
           {"sums.json", R"({"model.onnx": 5})"},
           {"sums.json", R"(["model.onnx"])"},
           {"sums.json", R"({"model.)"},
           {"sums.json", std::nullopt},
       }) {
    fs::remove_all(folder);
    store("aa");
    cache_.set_pinned("aa", true);
    const auto whole = cache_.check(stage("aa"));
    EXPECT_TRUE(whole) << whole.error().message;
    if (content)
      ASSERT_TRUE(write_atomically(folder / file, *content));
    else
      fs::remove(folder / file);
    const auto found = cache_.check(stage("aa"));
    ASSERT_FALSE(found) << file << ": " << content.value_or("removed");
    EXPECT_THAT(found.error().message, ::testing::HasSubstr(folder.string()));
    EXPECT_THAT(found.error().message, ::testing::HasSubstr(file));

    store("aa");  // in its place, pinned as it was
    EXPECT_TRUE(cache_.check(stage("aa")));
    EXPECT_TRUE(cache_.entries().at(0).pinned);
    EXPECT_TRUE(fs::is_empty(cache_.root() / "scratch"));
  }
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

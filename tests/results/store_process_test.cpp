// Several processes on one store, and writers that are killed while they write.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <soci.h>
#include <sqlite3/soci-sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "harness/core/file.hpp"
#include "results/store.hpp"
#include "tests/support/sample_records.hpp"

namespace assay {
namespace {

constexpr int total = 120;

Record numbered_record(int number) {
  Record record = test::sample_records().front();
  record.measurement_key = fmt::format("key {}", number);
  return record;
}

/// A process that inserts records 0..total-1 and writes a byte for each that the store has taken.
class Writer {
 public:
  explicit Writer(const std::filesystem::path& path) {
    int ends[2] = {-1, -1};
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    pid_ = fork();
    if (pid_ == 0) {
      close(ends[0]);
      _exit(insert_all(path, ends[1]));
    }
    close(ends[1]);
    progress_ = ends[0];
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { close(progress_); }
  /// Waits for that many records; returns how many came.
  int await(int count) {
    int seen = 0;
    for (char byte = 0; seen < count && read(progress_, &byte, 1) == 1;)
      ++seen;
    return seen;
  }
  void kill() { ::kill(pid_, SIGKILL); }
  /// Exit code, or -1 when it was killed.
  int wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  static int insert_all(const std::filesystem::path& path, int progress) {
    auto store = Store::open(path);
    if (!store) return 1;
    for (int number = 0; number < total; ++number)
      if (!store->insert(numbered_record(number)) || write(progress, "x", 1) != 1) return 2;
    return 0;
  }

  pid_t pid_ = -1;
  int progress_ = -1;
};

class StoreProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = ScratchDirectory::create(::testing::TempDir(), "store-process-");
    ASSERT_TRUE(folder) << folder.error().message;
    folder_ = std::make_unique<ScratchDirectory>(std::move(*folder));
    path_ = folder_->path() / "assay.db";
  }
  void expect_sound() {
    std::string verdict;
    soci::session session(soci::sqlite3, path_.string());
    session << "PRAGMA integrity_check", soci::into(verdict);
    EXPECT_EQ(verdict, "ok");
    int orphans = 0;
    session << "SELECT count(*) FROM metrics WHERE record_id NOT IN (SELECT id FROM records)",
        soci::into(orphans);
    EXPECT_EQ(orphans, 0);
  }
  std::unique_ptr<ScratchDirectory> folder_;
  std::filesystem::path path_;
};

TEST_F(StoreProcessTest, WritersAtOnceLeaveOneRowPerKey) {
  {
    Writer first(path_);
    Writer second(path_);
    EXPECT_EQ(first.await(total), total);
    EXPECT_EQ(second.await(total), total);
    EXPECT_EQ(first.wait(), 0);
    EXPECT_EQ(second.wait(), 0);
  }
  expect_sound();
  EXPECT_EQ(Store::open(path_)->query()->size(), static_cast<std::size_t>(total));
}

TEST_F(StoreProcessTest, AKilledWriterLosesAndDoublesNothing) {
  std::mt19937 random(20260131);
  const Json expected = to_json(numbered_record(0).metrics);
  for (int round = 0; round < 12; ++round) {
    Writer writer(path_);
    // Early rounds die while the store is being made or the first rows come, later ones anywhere.
    const int wanted = round < 3 ? round : static_cast<int>(random() % total);
    const int seen = writer.await(wanted);
    writer.kill();
    writer.wait();
    ASSERT_EQ(seen, wanted);
    auto store = Store::open(path_);
    ASSERT_TRUE(store) << store.error().message;
    expect_sound();
    for (int number = 0; number < seen; ++number)
      ASSERT_TRUE(store->find(fmt::format("key {}", number))->has_value()) << number;
    const auto records = store->query().value();
    for (const auto& record : records)
      ASSERT_EQ(to_json(record.metrics), expected) << record.measurement_key;
  }
  Writer writer(path_);
  EXPECT_EQ(writer.await(total), total);
  EXPECT_EQ(writer.wait(), 0);
  expect_sound();
  EXPECT_EQ(Store::open(path_)->query()->size(), static_cast<std::size_t>(total));
}

}  // namespace
}  // namespace assay

#include "harness/core/file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace assay {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  const fs::path folder_ = fs::path(::testing::TempDir()) / "assay_file_test";
};

TEST_F(Files, WriteAndReadBack) {
  const auto path = folder_ / "deep" / "er" / "file.txt";
  ASSERT_TRUE(write_atomically(path, std::string_view("one")));
  ASSERT_TRUE(write_atomically(path, std::string_view("two\0x", 5)));
  EXPECT_EQ(read_text(path).value(), std::string("two\0x", 5));
  EXPECT_EQ(read_bytes(path)->size(), 5u);
}

TEST_F(Files, ReadingWhatIsNotThereNamesIt) {
  const auto absent = read_text(folder_ / "absent");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::bad_input);
  EXPECT_NE(absent.error().message.find("absent: No such file"), std::string::npos);
  EXPECT_FALSE(read_text(folder_));
}

TEST_F(Files, AFailedWriteLeavesTheOldFileAndNothingElse) {
  const auto path = folder_ / "file.bin";
  ASSERT_TRUE(write_atomically(path, std::string_view("old")));
  // A file-size limit stands for a full disk; in a child, since it cannot be undone for SIGXFSZ.
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100, 100};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto status = write_atomically(path, std::string(1000, 'x'));
    const bool right = !status && status.error().kind == ErrorKind::infrastructure &&
                       status.error().message.find("file.bin") != std::string::npos;
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(read_text(path).value(), "old");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, ScratchIsRemovedUnlessPublished) {
  {
    auto scratch = ScratchDirectory::create(folder_, "work-");
    ASSERT_TRUE(scratch);
    ASSERT_TRUE(write_atomically(scratch->path() / "a", std::string_view("1")));
  }
  EXPECT_EQ(entries(), 0u);
  auto scratch = ScratchDirectory::create(folder_, "work-");
  ASSERT_TRUE(write_atomically(scratch->path() / "sub" / "a", std::string_view("1")));
  ASSERT_TRUE(std::move(*scratch).publish(folder_ / "out" / "result"));
  EXPECT_EQ(read_text(folder_ / "out" / "result" / "sub" / "a").value(), "1");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, TheFirstPublishedResultStays) {
  for (const char* content : {"first", "second"}) {
    auto scratch = ScratchDirectory::create(folder_, "work-");
    ASSERT_TRUE(write_atomically(scratch->path() / "a", std::string_view(content)));
    ASSERT_TRUE(std::move(*scratch).publish(folder_ / "result"));
  }
  EXPECT_EQ(read_text(folder_ / "result" / "a").value(), "first");
  EXPECT_EQ(entries(), 1u);
}

}  // namespace
}  // namespace assay

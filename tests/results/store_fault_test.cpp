#include <fmt/format.h>
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <sched.h>
#include <soci.h>
#include <sqlite3/soci-sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>

#include "harness/core/file.hpp"
#include "results/schema.hpp"
#include "results/store.hpp"
#include "tests/support/sample_records.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;

class StoreFaultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = ScratchDirectory::create(::testing::TempDir(), "store-fault-");
    ASSERT_TRUE(folder) << folder.error().message;
    folder_ = std::make_unique<ScratchDirectory>(std::move(*folder));
    path_ = folder_->path() / "assay.db";
  }
  void fill(int records) {
    auto store = Store::open(path_).value();
    Record record = test::sample_records().front();
    for (int i = 0; i < records; ++i) {
      record.measurement_key = fmt::format("key {}", i);
      ASSERT_TRUE(store.insert(record));
    }
  }
  void expect_refused(ErrorKind kind, const std::string& words) {
    const auto store = Store::open(path_);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().kind, kind) << store.error().message;
    EXPECT_THAT(store.error().message, HasSubstr(words));
    EXPECT_THAT(store.error().message, HasSubstr(path_.string()));
  }
  std::unique_ptr<ScratchDirectory> folder_;
  std::filesystem::path path_;
};

/// Runs `work` in a process of its own and returns what it says; "" when it died.
std::string in_child(const std::function<std::string()>& work) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    const std::string said = work();
    const bool whole =
        write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size());
    _exit(whole ? 0 : 1);
  }
  close(ends[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? said : "";
}

TEST_F(StoreFaultTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(path_) << "cell,accuracy\nwidth50,90.1\n" << std::string(4096, 'x');
  expect_refused(ErrorKind::bad_input, "not an assay store");
  EXPECT_EQ(read_text(path_)->substr(0, 4), "cell");
}

TEST_F(StoreFaultTest, RefusesADatabaseOfAnotherProgram) {
  soci::session(soci::sqlite3, path_.string()) << "CREATE TABLE bookmarks (url TEXT)";
  expect_refused(ErrorKind::bad_input, "another program");
}

TEST_F(StoreFaultTest, RefusesANewerSchema) {
  fill(1);
  soci::session(soci::sqlite3, path_.string()) << "UPDATE schema_version SET version = version + 1";
  expect_refused(ErrorKind::bad_input, "newer assay");
}

TEST_F(StoreFaultTest, RefusesAFolderAndAMissingFile) {
  const auto folder = Store::open(folder_->path());
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().kind, ErrorKind::bad_input);
  const auto missing = Store::open(path_, Store::Mode::must_exist);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(missing.error().message, HasSubstr("there is no results store"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(StoreFaultTest, SaysThatADamagedFileIsDamaged) {
  fill(60);
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);  // all pages after the first, which has the header and the table list
  file << std::string(std::filesystem::file_size(path_) - 4096, '\xa5');
  file.close();
  expect_refused(ErrorKind::infrastructure, "damaged");
}

TEST_F(StoreFaultTest, SaysThatATruncatedFileIsDamaged) {
  fill(60);
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 8192 * 4096);
  auto store = Store::open(path_);
  const auto records = store ? store->query() : tl::unexpected(store.error());
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(records.error().message, HasSubstr("damaged"));
}

/// Takes root's right to ignore file modes away from this process.
void obey_file_modes() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  syscall(SYS_capset, &header, data);
}

TEST_F(StoreFaultTest, AReadOnlyStoreAnswersButTakesNothing) {
  fill(1);
  const std::string known = "key 0";
  ASSERT_TRUE(Store::open(path_)->note_run("demo", {&known, 1}, {{"command", "assay"}}));
  ASSERT_EQ(chmod(path_.c_str(), 0444), 0);
  const std::string said = in_child([&]() -> std::string {
    obey_file_modes();
    auto store = Store::open(path_);
    if (!store) return "not opened: " + store.error().message;
    if (!store->find("key 0").value()) return "not found";
    if (const auto noted = store->note_run("demo", {&known, 1}, {{"command", "assay"}}); !noted)
      return "known run not noted: " + noted.error().message;
    const auto outcome = store->insert(test::sample_records().back());
    if (outcome) return "inserted";
    return std::to_string(exit_code(outcome.error().kind)) + " " + outcome.error().message;
  });
  EXPECT_THAT(said, HasSubstr("3 cannot write to the results store"));
  EXPECT_THAT(said, HasSubstr("read-only"));
}

/// A folder with room for few records: a small tmpfs of this process alone where the system lets us
/// mount one, otherwise a limit on the size of files.
void make_small_disk(const std::filesystem::path& folder) {
  const bool mounted = unshare(CLONE_NEWNS) == 0 &&
                       mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                       mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=256k") == 0;
  if (mounted) return;
  signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{256 * 1024, 256 * 1024};
  setrlimit(RLIMIT_FSIZE, &limit);
}

TEST_F(StoreFaultTest, AFullDiskIsSaidAndLosesNoEarlierRecord) {
  const std::string said = in_child([&]() -> std::string {
    make_small_disk(folder_->path());
    auto store = Store::open(path_);
    if (!store) return "not opened: " + store.error().message;
    Record record = test::sample_records().front();
    std::size_t written = 0;
    for (; written < 10'000; ++written) {
      record.measurement_key = std::to_string(written);
      const auto outcome = store->insert(record);
      if (outcome) continue;
      if (outcome.error().kind != ErrorKind::infrastructure) return "wrong kind";
      const auto left = Store::open(path_).value().query();
      if (!left) return "unreadable: " + left.error().message;
      if (written == 0 || left->size() != written) return "records lost";
      return outcome.error().message;
    }
    return "never full";
  });
  EXPECT_THAT(said, HasSubstr("cannot write to the results store " + path_.string()));
  EXPECT_THAT(said, ::testing::AnyOf(HasSubstr("disk is full"), HasSubstr("check the disk")));
}

/// A store as its first version wrote it, in SQL so that it never changes with the code.
void write_version_1(const std::filesystem::path& path) {
  soci::session session(soci::sqlite3, path.string());
  ASSERT_TRUE(migrate(session, std::span(migrations()).first(1), path));
  session
      << "INSERT INTO records VALUES (1, 'key', 'cell', 'config', 'group', 'demo', 'width50_s1',"
         " 'olimex-stm32-h405', 'stm32f405', 'f405-a', 1, 'pass', '', '{\"seed\":1}',"
         " '{\"elf_sha256\":\"aa\"}', '{\"clock_hz\":168000000}', 'assay run demo.json',"
         " '2026-01-31T12:00:00Z')";
  session << "INSERT INTO metrics VALUES (1, 'latency_us', 11.5, 'us', 'modelled', '[11.5,11.5]')";
}

TEST_F(StoreFaultTest, BringsAnOlderStoreUpToDateWithItsRecords) {
  write_version_1(path_);
  {
    auto store = Store::open(path_);
    ASSERT_TRUE(store) << store.error().message;
    const auto record = store->find("key").value().value();
    EXPECT_EQ(record.label, "width50_s1");
    EXPECT_TRUE(record.virtual_board);
    EXPECT_EQ(record.config, Json({{"seed", 1}}));
    EXPECT_EQ(record.metrics.at("latency_us").value, 11.5);
    EXPECT_EQ(record.metrics.at("latency_us").samples, (std::vector{11.5, 11.5}));
    // It belongs to the matrix it names, as if that had noted it.
    EXPECT_EQ(store->query({.matrix = "demo"}).value().size(), 1u);
    EXPECT_TRUE(store->query({.matrix = "night"}).value().empty());
  }
  soci::session session(soci::sqlite3, path_.string());
  int version = 0;
  session << "SELECT version FROM schema_version", soci::into(version);
  EXPECT_EQ(version, static_cast<int>(migrations().size()));
}

TEST_F(StoreFaultTest, AMigrationThatFailsLeavesTheOldVersion) {
  write_version_1(path_);
  soci::session session(soci::sqlite3, path_.string());
  std::vector<Migration> steps(migrations().begin(), migrations().begin() + 1);
  steps.push_back({"half of a change", {"CREATE TABLE extra (x)", "THIS IS NOT SQL"}});
  EXPECT_THROW((void)migrate(session, steps, path_), soci::soci_error);
  int version = 0, extra = 0;
  session << "SELECT version FROM schema_version", soci::into(version);
  session << "SELECT count(*) FROM sqlite_master WHERE name = 'extra'", soci::into(extra);
  EXPECT_EQ(version, 1);
  EXPECT_EQ(extra, 0);
}

}  // namespace
}  // namespace assay

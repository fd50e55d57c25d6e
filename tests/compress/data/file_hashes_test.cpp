#include "compress/data/file_hashes.hpp"

#include "harness/core/hash.hpp"
#include "tests/compress/data/folders.hpp"

namespace assay::test {
namespace {

namespace fs = std::filesystem;

class FileHashesTest : public DataTest {
 protected:
  FileHashesTest() {
    write("file", "content");
    age("file");
  }
  /// Makes a file old enough to be trusted.
  void age(const std::string& name) const {
    fs::last_write_time(folder() / name,
                        fs::file_time_type::clock::now() - std::chrono::seconds(100));
  }
  std::string hash_and_save() const {
    FileHashes hashes(folder() / "index");
    const auto hash = hashes.hash(folder() / "file");
    EXPECT_TRUE(hash && hashes.save());
    return hash.value_or("");
  }
};

TEST_F(FileHashesTest, AreKeptForFilesThatStayAsTheyAre) {
  EXPECT_EQ(hash_and_save(), sha256_hex("content"));
  // What the index says is believed: a planted hash comes back.
  auto index = read_text(folder() / "index").value();
  const std::string planted(64, 'a');
  write("index", index.replace(0, 64, planted));
  EXPECT_EQ(hash_and_save(), planted);
}

TEST_F(FileHashesTest, AreTakenAnewWhenSizeOrTimeChanges) {
  hash_and_save();
  write("file", "contenT");  // of the same size, but now
  EXPECT_EQ(hash_and_save(), sha256_hex("contenT"));
}

TEST_F(FileHashesTest, OfAFileJustWrittenAreNotKept) {
  write("file", "new");
  EXPECT_EQ(hash_and_save(), sha256_hex("new"));
  EXPECT_FALSE(fs::exists(folder() / "index"));
}

TEST_F(FileHashesTest, SurviveADamagedIndex) {
  for (const char* damage : {"", "nonsense\n", "abc 12\n\n", "\0\xff"}) {
    write("index", damage);
    EXPECT_EQ(hash_and_save(), sha256_hex("content"));
  }
}

TEST_F(FileHashesTest, NameAFileThatIsNotThere) {
  FileHashes hashes(folder() / "index");
  expect_refused(hashes.hash(folder() / "none").map([](auto) {}), {"cannot read", "none"});
}

}  // namespace
}  // namespace assay::test

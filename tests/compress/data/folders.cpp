#include "tests/compress/data/folders.hpp"

#include <cstdlib>
#include <fstream>
#include <set>

namespace assay::test {

DataTest::DataTest() : folder_(ScratchDirectory::create(::testing::TempDir(), "data-").value()) {
  unsetenv("ASSAY_DATA");
  setenv("XDG_CACHE_HOME", (folder() / "user-cache").c_str(), 1);
}

DataTest::~DataTest() {
  unsetenv("ASSAY_DATA");
  unsetenv("XDG_CACHE_HOME");
}

void DataTest::write(const std::string& name, const std::string& content) const {
  // Not write_atomically, which waits for the disk: tests write hundreds of files.
  std::filesystem::create_directories((folder() / name).parent_path());
  std::ofstream file(folder() / name, std::ios::binary);
  file << content;
  EXPECT_TRUE(file.flush()) << name;
}

void expect_refused(const Status& status, const std::vector<std::string>& words, ErrorKind kind) {
  ASSERT_FALSE(status) << "expected: " << ::testing::PrintToString(words);
  EXPECT_EQ(status.error().kind, kind);
  for (const auto& word : words)
    EXPECT_THAT(status.error().message, ::testing::HasSubstr(word));
  EXPECT_EQ(status.error().message.find('\n'), std::string::npos) << status.error().message;
}

std::vector<int> expect_disjoint_splits(const std::function<Result<ImageSet>(Split)>& load) {
  std::vector<int> sizes;
  std::set<std::uint32_t> seen;
  std::set<std::uint32_t> training;
  for (const Split split : {Split::train, Split::validation, Split::calibration, Split::test}) {
    const auto set = load(split);
    EXPECT_TRUE(set) << to_string(split) << ": " << set.error().message;
    if (!set) return {};
    sizes.push_back(set->count);
    EXPECT_GT(set->count, 0) << to_string(split);
    EXPECT_EQ(set->origins.size(), std::size_t(set->count));
    EXPECT_EQ(set->pixels.size(), std::size_t(set->count) * set->image_size());
    EXPECT_NE(set->labels.empty(), set->targets.empty());
    const std::set<std::uint32_t> own(set->origins.begin(), set->origins.end());
    EXPECT_EQ(own.size(), set->origins.size()) << to_string(split) << " holds an image twice";
    for (const auto origin : own) {
      if (split == Split::calibration)
        EXPECT_TRUE(training.contains(origin)) << "calibration image " << origin;
      else
        EXPECT_TRUE(seen.insert(origin).second) << "image " << origin << " is in two splits";
    }
    if (split == Split::train) training = own;
  }
  return sizes;
}

}  // namespace assay::test

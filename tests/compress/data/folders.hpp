// Where data set tests keep their files, and what they ask of every kind of set.
#pragma once

#include <gmock/gmock.h>

#include <filesystem>
#include <functional>
#include <string>

#include "compress/data/dataset.hpp"
#include "harness/core/file.hpp"

namespace assay::test {

/// A test with a folder of its own and the user's cache inside it.
class DataTest : public ::testing::Test {
 protected:
  DataTest();
  ~DataTest() override;

  const std::filesystem::path& folder() const { return folder_.path(); }
  void write(const std::string& name, const std::string& content) const;
  std::string path(const std::string& name) const { return (folder() / name).string(); }

 private:
  ScratchDirectory folder_;
};

/// A failure of that kind whose sentence contains all words.
void expect_refused(const Status& status, const std::vector<std::string>& words,
                    ErrorKind kind = ErrorKind::bad_input);

/// The demand on every set: the splits are what they say they are, no two of them share an image,
/// and calibration takes only training images. Returns their sizes in the order train, validation,
/// calibration, test.
std::vector<int> expect_disjoint_splits(const std::function<Result<ImageSet>(Split)>& load);

}  // namespace assay::test

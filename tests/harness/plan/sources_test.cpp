// Stage keys speak of the sources that assay was built from; some are compiled while it runs.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/core/paths.hpp"
#include "harness/plan/stage.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

TEST(Sources, AreThoseOfTheBuild) {
  const auto unchanged = check_sources();
  EXPECT_TRUE(unchanged) << unchanged.error().message;
}

TEST(Sources, ThatChangedAreRefused) {
  const fs::path copy = fs::path(::testing::TempDir()) / "changed";
  fs::create_directories(copy);
  fs::copy(source_root() / "targets", copy / "targets", fs::copy_options::recursive);
  setenv("ASSAY_ROOT", copy.c_str(), 1);
  EXPECT_TRUE(check_sources()) << "the same in another place";
  std::ofstream(copy / "targets/wire/frame.cpp", std::ios::app) << "// one more line\n";
  const auto changed = check_sources();
  unsetenv("ASSAY_ROOT");
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(changed.error().message, ::testing::HasSubstr("build again"));
}

}  // namespace
}  // namespace assay

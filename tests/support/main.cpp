// The main function of every test program: testing::TempDir() is a folder of this process alone and
// is removed at the end, so tests that ctest runs side by side cannot meet in it.
#include <gmock/gmock.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

int main(int count, char** arguments) {
  testing::InitGoogleMock(&count, arguments);
  std::string folder = testing::TempDir() + "assay-test-XXXXXX";
  if (!mkdtemp(folder.data())) {
    std::perror(folder.c_str());
    return EXIT_FAILURE;
  }
  setenv("TEST_TMPDIR", folder.c_str(), 1);
  const int failed = RUN_ALL_TESTS();
  std::error_code left_over;
  std::filesystem::remove_all(folder, left_over);
  if (left_over) std::fprintf(stderr, "%s: %s\n", folder.c_str(), left_over.message().c_str());
  return failed || left_over ? EXIT_FAILURE : EXIT_SUCCESS;
}

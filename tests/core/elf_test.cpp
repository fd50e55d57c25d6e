#include "harness/core/elf.hpp"

#include <gmock/gmock.h>

#include "harness/core/file.hpp"
#include "harness/core/process.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A program whose build id is `id`, made by the compiler and not by our reader.
fs::path program_with_id(const std::string& id) {
  const fs::path folder = ::testing::TempDir();
  EXPECT_TRUE(write_atomically(folder / "a.cpp", std::string_view("int main() {}")));
  const auto program = folder / ("a-" + id);
  ProcessSpec compiler;
  compiler.arguments = {"g++", (folder / "a.cpp").string(), "-o", program.string(),
                        id.empty() ? "-Wl,--build-id=none" : "-Wl,--build-id=0x" + id};
  EXPECT_EQ(run_process(compiler)->exit_code, 0);
  return program;
}

TEST(Elf, TellsItsBuildId) {
  const auto program = program_with_id("00ff12ab");
  const auto image = read_elf(program);
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->build_id, "00ff12ab");
  EXPECT_TRUE(image->sections.contains(".text"));
  EXPECT_EQ(build_identity(program), "a-00ff12ab 00ff12ab");
  const auto link = program.parent_path() / "link";
  fs::create_symlink(program, link);
  EXPECT_EQ(build_identity(link), "a-00ff12ab 00ff12ab") << "the file behind the link counts";
}

TEST(Elf, WithoutABuildIdIsKnownByItsSize) {
  const auto program = program_with_id("");
  EXPECT_EQ(read_elf(program)->build_id, "");
  EXPECT_EQ(build_identity(program), "a- " + std::to_string(fs::file_size(program)));
}

TEST(Elf, IsNotEveryFile) {
  const auto text = fs::path(::testing::TempDir()) / "text";
  ASSERT_TRUE(write_atomically(text, std::string_view("words")));
  const auto image = read_elf(text);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(image.error().message, HasSubstr("is not a readable ELF file"));
  EXPECT_EQ(build_identity(text), "text 5");
  EXPECT_EQ(build_identity(text / "none"), "absent");
  EXPECT_EQ(program_identity("no-such-program"), "absent");
  EXPECT_THAT(program_identity("g++"), HasSubstr("g++"));
}

}  // namespace
}  // namespace assay

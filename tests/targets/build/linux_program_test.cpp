// Programs for boards that run Linux: what is in the ELF, and what is said when it cannot be built.
// tests/boards/station/linux_board_test.cpp runs them.
#include "targets/build/linux_program.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "harness/core/hash.hpp"
#include "harness/core/process.hpp"
#include "tests/targets/build/test_network.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

FirmwareRequest request_for(const std::string& part, const std::string& folder) {
  FirmwareRequest request;
  request.board = *find_board_type(part);
  request.model = test::generate_for(test::small_network(), request.board.part.core);
  request.output_directory = std::filesystem::path(::testing::TempDir()) / folder;
  return request;
}

std::string readelf(const std::filesystem::path& elf, const char* what) {
  ProcessSpec spec;
  spec.arguments = {"readelf", what, elf.string()};
  return run_process(spec)->output;
}

class LinuxProgram : public ::testing::TestWithParam<const char*> {};

TEST_P(LinuxProgram, IsStaticForItsCoreAndAccountedFor) {
  const auto request = request_for(GetParam(), std::string("linux-") + GetParam());
  const auto image = build_firmware(request);
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_THAT(readelf(image->elf, "-l"), Not(HasSubstr("INTERP")));
  const bool aarch64 = request.board.part.core.neon;
  EXPECT_THAT(readelf(image->elf, "-h"), HasSubstr(aarch64 ? "AArch64" : "ARM"));
  if (!aarch64) {
    EXPECT_THAT(readelf(image->elf, "-A"), HasSubstr("Tag_CPU_arch: v6"));
  }
  EXPECT_THAT(readelf(image->elf, "-n"), HasSubstr("Build ID: " + image->build_id));
  EXPECT_EQ(image->rom, image->rom_weights + image->rom_code + image->rom_runtime);
  // The object holds the packed constants, the model's hash and sizes, and little else.
  EXPECT_GE(image->rom_weights, request.model.weight_bytes);
  EXPECT_LE(image->rom_weights.count(), request.model.weight_bytes.count() + 512);
  EXPECT_GT(image->rom_code.count(), 500u);
  EXPECT_GE(image->ram_arena, request.model.arena_bytes);
  EXPECT_LE(image->ram_arena.count(), request.model.arena_bytes.count() + 16);
  EXPECT_EQ(image->sha256, *sha256_file(image->elf));
  EXPECT_EQ(image->clock, request.board.clock);
}

TEST_P(LinuxProgram, IsTheSameWhereverItIsBuilt) {
  const auto first = build_firmware(request_for(GetParam(), "linux-here"));
  const auto second = build_firmware(request_for(GetParam(), "linux-there"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->sha256, second->sha256);
  EXPECT_EQ(first->build_id, second->build_id);
}

INSTANTIATE_TEST_SUITE_P(All, LinuxProgram, ::testing::Values("raspberry-pi-zero", "jetson-nano"));

TEST(LinuxProgram, QuotesTheCompilersComplaint) {
  auto request = request_for("raspberry-pi-4", "linux-broken");
  request.model.source = "int broken = ;\n";
  const auto image = build_firmware(request);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(image.error().message, HasSubstr("raspberry-pi-4: model.cpp:1"));
}

TEST(LinuxProgram, SaysWhichPackageBringsTheCompiler) {
  const auto request = request_for("raspberry-pi-zero", "linux-missing");
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  const auto image = build_firmware(request);
  setenv("PATH", path.c_str(), 1);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().kind, ErrorKind::infrastructure);
  EXPECT_EQ(image.error().message,
            "arm-linux-gnueabi-g++ is not installed: install the package g++-arm-linux-gnueabi");
}

}  // namespace
}  // namespace assay

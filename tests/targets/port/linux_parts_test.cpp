// The parts, cores and board types that run Linux: what they have, what they must not have, and
// that compiler and emulator know the core under the names the files give.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/board_type.hpp"
#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;

class LinuxParts : public ::testing::TestWithParam<const char*> {
 protected:
  static Json part_json() {
    return *read_json_file(source_root() / "targets/parts" / (std::string(GetParam()) + ".json"));
  }
};

TEST_P(LinuxParts, HaveRamToolsAndADefaultBoard) {
  const auto type = find_board_type(GetParam());
  ASSERT_TRUE(type) << type.error().message;
  EXPECT_EQ(type->name, GetParam());
  const Part& part = type->part;
  ASSERT_TRUE(part.runs_linux());
  ASSERT_EQ(part.memory.size(), 1u);
  EXPECT_GE(part.ram().size.count(), 512u << 20);
  EXPECT_TRUE(part.uarts.empty());
  EXPECT_TRUE(part.core.cycle_model.empty());
  EXPECT_LE(type->clock, part.max_clock.value);
}

TEST_P(LinuxParts, CompilerAndEmulatorKnowTheCore) {
  const auto part = load_part(GetParam());
  ASSERT_TRUE(part) << part.error().message;
  const LinuxTools& tools = *part->core.linux_tools;
  ProcessSpec emulator;
  emulator.arguments = {tools.emulator, "-cpu", "help"};
  const auto cores = run_process(emulator);
  ASSERT_TRUE(cores) << cores.error().message;
  EXPECT_THAT(cores->output, HasSubstr(" " + tools.emulated_core + "\n"));
  ProcessSpec compiler;
  compiler.arguments = {tools.compiler, "-E", "-x", "c++", "/dev/null"};
  compiler.arguments.insert(compiler.arguments.end(), part->core.compile_flags.begin(),
                            part->core.compile_flags.end());
  const auto compiled = run_process(compiler);
  ASSERT_TRUE(compiled) << compiled.error().message;
  EXPECT_EQ(compiled->exit_code, 0) << compiled->errors;
}

TEST_P(LinuxParts, AMicrocontrollersKeysAreErrors) {
  const std::pair<const char*, Json> foreign[] = {
      {"uarts", Json::array()}, {"flash_controller", "stm32f4"}, {"cpuid", "0x410FC241"}};
  for (const auto& [key, value] : foreign) {
    Json json = part_json();
    json[key] = value;
    const auto part = parse_part(json, "test.json");
    ASSERT_FALSE(part) << key;
    EXPECT_EQ(part.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(part.error().message, HasSubstr(key));
  }
  Json json = part_json();
  json["memory"][0]["flash"] = true;
  const auto part = parse_part(json, "test.json");
  ASSERT_FALSE(part);
  EXPECT_THAT(part.error().message, HasSubstr("a Linux system has RAM alone"));
}

TEST_P(LinuxParts, TheOperatingSystemSetsTheClock) {
  const auto type = find_board_type(GetParam());
  ASSERT_TRUE(type) << type.error().message;
  const auto clock = core_clock(*type, 100);
  ASSERT_FALSE(clock);
  EXPECT_EQ(clock.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(clock.error().message, HasSubstr("operating system"));
}

INSTANTIATE_TEST_SUITE_P(All, LinuxParts,
                         ::testing::Values("raspberry-pi-zero", "raspberry-pi-4", "jetson-nano"));

TEST(LinuxParts, TheJetsonSaysThatItsGpuIsNotUsed) {
  const auto type = find_board_type("jetson-nano");
  ASSERT_TRUE(type) << type.error().message;
  EXPECT_THAT(type->title, HasSubstr("CPU only"));
  EXPECT_THAT(type->part.title, HasSubstr("CPU only"));
}

/// The core decides which of the two a part is.
TEST(LinuxParts, AMicrocontrollerStillNeedsItsKeys) {
  Json json = *read_json_file(source_root() / "targets/parts/raspberry-pi-4.json");
  json["core"] = "cortex-m4f";
  json["memory"].push_back(
      {{"name", "FLASH"}, {"flash", true}, {"base", "0x0"}, {"size", 1024}, {"source", "test"}});
  const auto part = parse_part(json, "test.json");
  ASSERT_FALSE(part);
  EXPECT_EQ(part.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(part.error().message, HasSubstr("clock_driver"));
}

}  // namespace
}  // namespace assay

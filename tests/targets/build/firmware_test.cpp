// Firmware builds against binutils' own figures, and every way a build can be refused.
#include "targets/build/firmware.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "harness/core/file.hpp"
#include "harness/core/process.hpp"
#include "tests/targets/build/test_network.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string run_tool(std::vector<std::string> arguments) {
  ProcessSpec spec;
  spec.arguments = std::move(arguments);
  const auto outcome = run_process(spec);
  EXPECT_TRUE(outcome && outcome->exit_code == 0) << spec.arguments[0];
  return outcome ? outcome->output : "";
}

struct Section {
  std::uint64_t size = 0;
  std::uint64_t address = 0;
};

/// Sections as arm-none-eabi-size prints them.
std::map<std::string, Section> sections_of(const std::filesystem::path& elf) {
  std::map<std::string, Section> sections;
  std::istringstream lines(run_tool({"arm-none-eabi-size", "-A", elf.string()}));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    Section section;
    if (words >> name >> section.size >> section.address && name.front() == '.')
      sections[name] = section;
  }
  return sections;
}

/// Section sizes as the link map states them: ".name 0xaddress 0xsize".
std::map<std::string, std::uint64_t> map_sizes(const std::filesystem::path& map) {
  std::map<std::string, std::uint64_t> sizes;
  const auto text = read_text(map);
  EXPECT_TRUE(text);
  const std::regex line("\n(\\.[A-Za-z_.-]+)\\s+0x[0-9a-f]+\\s+0x([0-9a-f]+)");
  for (std::sregex_iterator found(text->begin(), text->end(), line), end; found != end; ++found)
    sizes.emplace((*found)[1], std::stoull((*found)[2], nullptr, 16));
  return sizes;
}

class Firmware : public ::testing::TestWithParam<const char*> {
 protected:
  FirmwareRequest request(const std::string& folder, const char* part = GetParam()) {
    FirmwareRequest request;
    request.board = *find_board_type(part);
    request.model = test::generate_for(test::small_network(), request.board.part.core);
    request.output_directory = scratch_.path() / folder;
    return request;
  }
  FirmwareImage build(const FirmwareRequest& request) {
    auto image = build_firmware(request);
    EXPECT_TRUE(image) << image.error().message;
    return image ? *image : FirmwareImage{};
  }
  Error refusal(const FirmwareRequest& request) {
    const auto image = build_firmware(request);
    EXPECT_FALSE(image);
    return image ? Error{} : image.error();
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "firmware");
};

class FirmwareOfEveryPart : public Firmware {};

TEST_P(FirmwareOfEveryPart, AccountsForEveryByte) {
  const FirmwareRequest request = this->request("a");
  const FirmwareImage image = build(request);
  auto section = sections_of(image.elf);
  // Flash is written from the vectors to the end of the note (padding between sections included),
  // and then the initial values of variables.
  const Section& note = section[".note.gnu.build-id"];
  EXPECT_EQ(image.rom.count(),
            note.address + note.size - request.board.part.flash().base + section[".data"].size);
  EXPECT_EQ(image.rom, image.rom_weights + image.rom_code + image.rom_runtime);
  EXPECT_EQ(image.rom_weights.count(), section[".weights"].size);
  EXPECT_EQ(image.rom_code.count(), section[".model_code"].size);
  EXPECT_EQ(image.ram_arena.count(), section[".arena"].size);
  EXPECT_EQ(image.ram_static.count(),
            section[".static"].size + section[".data"].size + section[".ring"].size);
  EXPECT_EQ(image.stack_reserve.count(), section[".stack"].size);

  const auto in_map = map_sizes(image.map);
  for (const char* name : {".weights", ".model_code", ".runtime", ".arena", ".static"})
    EXPECT_EQ(in_map.at(name), section[name].size) << name;

  // What the generator planned is what the linker placed: weights, sizes and hash beside them.
  EXPECT_EQ(image.ram_arena, request.model.arena_bytes);
  EXPECT_GE(image.rom_weights, request.model.weight_bytes);
  EXPECT_LE(image.rom_weights, request.model.weight_bytes + Bytes(64));
}

TEST_P(FirmwareOfEveryPart, CarriesItsIdentity) {
  const FirmwareImage image = build(request("a"));
  EXPECT_THAT(run_tool({"arm-none-eabi-readelf", "-n", image.elf.string()}),
              HasSubstr("Build ID: " + image.build_id));
  EXPECT_EQ(image.build_id.size(), 40u);
  EXPECT_THAT(run_tool({"sha256sum", image.elf.string()}), HasSubstr(image.sha256));
  EXPECT_THAT(run_tool({"arm-none-eabi-g++", "--version"}), HasSubstr(image.compiler));
  EXPECT_THAT(image.flags, ::testing::Contains("-O2"));
}

TEST_P(FirmwareOfEveryPart, SameInputSameBytes) {
  const FirmwareImage first = build(request("first"));
  const FirmwareImage second = build(request("somewhere else/second"));
  EXPECT_EQ(first.sha256, second.sha256);
  FirmwareRequest faster = request("third");
  faster.compiler_level = "-O3";
  EXPECT_NE(build(faster).build_id, first.build_id);
}

TEST_P(FirmwareOfEveryPart, ContainsOnlyWhatTheCoreExecutes) {
  const FirmwareRequest request = this->request("a");
  const FirmwareImage image = build(request);
  const std::string attributes = run_tool({"arm-none-eabi-readelf", "-A", image.elf.string()});
  const std::string code = run_tool({"arm-none-eabi-objdump", "-d", image.elf.string()});
  const Core& core = request.board.part.core;
  const std::map<std::string, std::string> attribute{
      {"armv6-m", "v6S-M"}, {"armv7e-m", "v7E-M"}, {"armv8-m.main", "v8-M.mainline"}};
  EXPECT_THAT(attributes, HasSubstr("Tag_CPU_arch: " + attribute.at(core.architecture)));
  const std::regex float_instruction("\tv(ldr|str|mov|add|mul|mla|fma|cvt|push|pop|msr|mrs)");
  const std::regex dsp_instruction("\tsmla[db]");
  if (!core.fpu) {
    EXPECT_THAT(attributes, Not(HasSubstr("Tag_FP_arch")));
    EXPECT_FALSE(std::regex_search(code, float_instruction));
  }
  EXPECT_EQ(std::regex_search(code, dsp_instruction), core.dsp);
}

TEST_P(FirmwareOfEveryPart, SaysByHowManyBytesARegionIsTooSmall) {
  FirmwareRequest request = this->request("fits");
  const FirmwareImage image = build(request);
  const std::string part = request.board.part.name;
  const Bytes ram = image.stack_reserve + image.ram_arena + image.ram_static;
  auto& memory = request.board.part.memory;

  request.output_directory = scratch_.path() / "exact";
  memory[0].size = image.rom;
  memory[1].size = ram;
  EXPECT_EQ(build(request).rom, image.rom) << "exactly full is not an overflow";

  request.output_directory = scratch_.path() / "overflows";
  memory[1].size = ram - Bytes(1234);
  Error error = refusal(request);
  EXPECT_EQ(error.kind, ErrorKind::failed_verdict);
  EXPECT_EQ(error.message, "does not fit: region RAM of " + part + " overflows by 1 234 bytes");

  memory[0].size = image.rom - Bytes(100);
  error = refusal(request);
  EXPECT_THAT(error.message, HasSubstr("region FLASH of " + part + " overflows by 100 bytes"));
  EXPECT_THAT(error.message, HasSubstr("region RAM of " + part + " overflows by 1 234 bytes"));
}

TEST_P(FirmwareOfEveryPart, LetsASampleWaitWhereThereIsRoom) {
  FirmwareRequest request = this->request("roomy");
  request.model.input_bytes = Bytes(5000);  // what the ring is made for; the model stays small
  const FirmwareImage roomy = build(request);
  const Bytes needed = roomy.stack_reserve + roomy.ram_arena + roomy.ram_static;
  request.board.part.memory[1].size = needed;
  request.output_directory = scratch_.path() / "exact";
  EXPECT_EQ(build(request).ram_static, roomy.ram_static);
  request.board.part.memory[1].size = needed - Bytes(1);
  request.output_directory = scratch_.path() / "tight";
  // A frame of 5 004 bytes instead of one of 256, with COBS' codes (targets/wire/FORMAT.md).
  EXPECT_EQ(build(request).ram_static, roomy.ram_static - Bytes((5011 + 20) - (263 + 2)));
}

// One part of every core.
INSTANTIATE_TEST_SUITE_P(Parts, FirmwareOfEveryPart,
                         ::testing::Values("stm32f405", "stm32f030cc", "stm32g0b1", "stm32u575",
                                           "stm32f746", "stm32f779"),
                         [](const auto& parameter) { return std::string(parameter.param); });

class FirmwareRefused : public Firmware {
 protected:
  FirmwareRequest request() { return Firmware::request("a", "stm32f405"); }
};

TEST_F(FirmwareRefused, ForAClockTheBoardCannotMake) {
  FirmwareRequest too_fast = request();
  too_fast.clock = Hertz(180'000'000);
  EXPECT_EQ(refusal(too_fast).kind, ErrorKind::bad_input);
  EXPECT_THAT(refusal(too_fast).message, HasSubstr("at most 168000000 Hz"));
  FirmwareRequest odd = request();
  odd.clock = Hertz(167'999'999);
  EXPECT_EQ(refusal(odd).kind, ErrorKind::bad_input);
  EXPECT_THAT(refusal(odd).message, HasSubstr("no PLL setting"));
}

TEST_F(FirmwareRefused, ForABaudTheUartCannotMake) {
  FirmwareRequest request = this->request();
  request.board.baud = Baud(9'000'000);
  const Error error = refusal(request);
  EXPECT_EQ(error.kind, ErrorKind::bad_input);
  EXPECT_THAT(error.message, HasSubstr("9000000 baud"));
}

TEST_F(FirmwareRefused, ForASupplyThatWouldLockTheChipOut) {
  FirmwareRequest request = Firmware::request("a", "stm32h747");
  request.board.supply_mode = SupplyMode::ldo;
  Error error = refusal(request);
  EXPECT_EQ(error.kind, ErrorKind::bad_input);
  EXPECT_THAT(error.message, HasSubstr("wired for smps"));
  request.board.supply_mode.reset();
  error = refusal(request);
  EXPECT_THAT(error.message, HasSubstr("say which of ldo, smps"));
}

TEST_F(FirmwareRefused, ForADriverThereIsNot) {
  FirmwareRequest request = this->request();
  request.board.part.clock_driver = "stm32z9";
  EXPECT_THAT(refusal(request).message, HasSubstr("stm32z9"));
  request = this->request();
  request.board.part.uarts[0].driver = "morse";
  EXPECT_THAT(refusal(request).message, HasSubstr("morse"));
}

TEST_F(FirmwareRefused, ForAnUnknownOptimizationLevel) {
  FirmwareRequest request = this->request();
  request.compiler_level = "-O9";
  EXPECT_EQ(refusal(request).kind, ErrorKind::bad_input);
  EXPECT_THAT(refusal(request).message, HasSubstr("-O2, -O3, -Os"));
}

TEST_F(FirmwareRefused, ForCodeThatDoesNotCompile) {
  FirmwareRequest request = this->request();
  request.model.source += "\nint broken = \"text\";\n";
  const Error error = refusal(request);
  EXPECT_EQ(error.kind, ErrorKind::infrastructure);
  EXPECT_THAT(error.message, HasSubstr("model.cpp"));
  EXPECT_THAT(error.message, HasSubstr("error:"));
}

TEST_F(FirmwareRefused, ForAConstructorThatWouldNeverRun) {
  FirmwareRequest request = this->request();
  request.model.source +=
      "\nstruct Late { Late(); int value; };\nLate::Late() : value(*assay::model::input()) {}\n"
      "Late late;\n";
  const Error error = refusal(request);
  EXPECT_EQ(error.kind, ErrorKind::infrastructure);
  EXPECT_THAT(error.message, HasSubstr("constructor"));
}

TEST_F(FirmwareRefused, ForAHeap) {
  FirmwareRequest request = this->request();
  request.model.source +=
      "\n#include <cstdlib>\n"
      "[[gnu::section(\".vectors\"), gnu::used]] void* (*const kept)(std::size_t) = malloc;\n";
  const Error error = refusal(request);
  EXPECT_EQ(error.kind, ErrorKind::infrastructure);
  EXPECT_THAT(error.message, HasSubstr("_sbrk"));
}

TEST_F(FirmwareRefused, WithoutTheCrossCompiler) {
  const FirmwareRequest request = this->request();
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", scratch_.path().c_str(), 1);
  const Error error = refusal(request);
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(error.kind, ErrorKind::infrastructure);
  EXPECT_THAT(error.message, HasSubstr("gcc-arm-none-eabi"));
}

TEST_F(FirmwareRefused, WhenStopped) {
  std::stop_source stop;
  stop.request_stop();
  const auto image = build_firmware(request(), stop.get_token());
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().kind, ErrorKind::interrupted);
}

TEST(DescribeOverflow, KeepsQuietAboutOtherErrors) {
  EXPECT_FALSE(describe_overflow("undefined reference to `main'", "stm32f405"));
  EXPECT_EQ(describe_overflow("ld: region `FLASH' overflowed by 7 bytes\n", "x"),
            "region FLASH of x overflows by 7 bytes");
  EXPECT_EQ(describe_overflow("ld: region `RAM' overflowed by 1234567 bytes\n", "x"),
            "region RAM of x overflows by 1 234 567 bytes");
}

}  // namespace
}  // namespace assay

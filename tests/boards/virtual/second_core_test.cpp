// A second core that starts by itself at reset: what the image of a dual-core part puts where it
// boots, executed by Unicorn's Cortex-M4, and what flash holds after the real OpenOCD programmed it
// over another firmware.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "boards/virtual/engine.hpp"
#include "harness/core/elf.hpp"
#include "harness/core/file.hpp"
#include "harness/core/process.hpp"
#include "targets/build/firmware.hpp"
#include "targets/build/linker_script.hpp"
#include "tests/boards/virtual/rig.hpp"
#include "tests/targets/build/test_network.hpp"

namespace assay::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint32_t flash_base = 0x08000000;
constexpr std::uint32_t boot_address = 0x08100000;  // RM0399, BOOT_CM4_ADD0 as delivered
constexpr std::uint32_t sram123 = 0x30000000, sram123_size = 288 << 10;  // DS12930, memory map
constexpr const char* section = ".second_core";

void run_objcopy(std::vector<std::string> arguments) {
  ProcessSpec spec;
  spec.arguments = std::move(arguments);
  spec.arguments.insert(spec.arguments.begin(), "arm-none-eabi-objcopy");
  const auto outcome = run_process(spec);
  EXPECT_TRUE(outcome && outcome->exit_code == 0) << (outcome ? outcome->errors : "");
}

/// What a firmware puts into flash from its base on, as binutils see it; 0xFF where it has nothing.
/// By way of a format of addresses and bytes: an empty section would stretch the plain one.
std::vector<std::byte> flash_of(const std::filesystem::path& elf) {
  const std::string hex = elf.string() + ".hex", plain = elf.string() + ".bin";
  run_objcopy({"-O", "ihex", elf.string(), hex});
  run_objcopy({"-I", "ihex", "-O", "binary", "--gap-fill", "0xFF", hex, plain});
  return read_bytes(plain).value();
}

std::uint32_t word_at(const std::vector<std::byte>& flash, std::uint32_t address) {
  std::uint32_t word = 0;
  std::memcpy(&word, flash.data() + (address - flash_base), sizeof word);
  return word;
}

class SecondCoreTest : public ::testing::Test {
 protected:
  FirmwareRequest request(const std::string& part) const {
    FirmwareRequest request;
    request.board = *find_board_type(part);
    request.model = generate_for(small_network(), request.board.part.core);
    request.output_directory = scratch_.path() / part;
    return request;
  }
  FirmwareImage build(const std::string& part) const {
    const auto image = build_firmware(request(part));
    EXPECT_TRUE(image) << image.error().message;
    return image.value_or(FirmwareImage{});
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "second-core");
};

TEST_F(SecondCoreTest, BootsIntoVectorsOfItsOwn) {
  const auto flash = flash_of(build("stm32h747").elf);
  ASSERT_GE(flash.size(), boot_address - flash_base + 16);
  const std::uint32_t end = flash_base + static_cast<std::uint32_t>(flash.size());
  const std::uint32_t stack = word_at(flash, boot_address);
  EXPECT_GT(stack, sram123);
  EXPECT_LE(stack, sram123 + sram123_size);
  EXPECT_EQ(stack % 8, 0u) << "AAPCS, stack alignment";
  for (const std::uint32_t vector : {4u, 8u, 12u}) {  // reset, NMI, HardFault (Armv7-M B1.5.2)
    const std::uint32_t handler = word_at(flash, boot_address + vector);
    EXPECT_EQ(handler % 2, 1u) << "Thumb";
    EXPECT_GE(handler, boot_address + 16) << vector;
    EXPECT_LT(handler, end) << vector;
  }
}

/// A Cortex-M4 that sees the second bank of flash and SRAM1 to 3, nothing else.
class CortexM4 {
 public:
  explicit CortexM4(const std::vector<std::byte>& flash) {
    std::memcpy(bank_.data(), flash.data() + (boot_address - flash_base),
                flash.size() - (boot_address - flash_base));
    engine_.map(boot_address, static_cast<std::uint32_t>(bank_.size()), UC_PROT_READ | UC_PROT_EXEC,
                bank_.data());
    engine_.map(sram123, sram123_size, UC_PROT_ALL, ram_.data());
    engine_.hook(UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, reinterpret_cast<void*>(&note_access), this);
    engine_.hook(UC_HOOK_CODE, reinterpret_cast<void*>(&note_instruction), this);
  }

  /// Starts at a vector, unmasked, then is woken `times` from its sleep; the places it slept at.
  std::vector<std::uint32_t> sleep(std::uint32_t vector, int times) {
    std::uint32_t pc = vector_at(vector);
    engine_.set_reg(UC_ARM_REG_SP, vector_at(0));
    engine_.set_reg(UC_ARM_REG_PRIMASK, 0);
    std::vector<std::uint32_t> places;
    for (int i = 0; i < times; ++i) {
      EXPECT_EQ(engine_.start(pc), UC_ERR_OK);
      places.push_back(engine_.reg(UC_ARM_REG_PC));
      pc = places.back() | 1;
    }
    return places;
  }
  bool masked() const { return engine_.reg(UC_ARM_REG_PRIMASK) & 1; }
  int accesses() const { return accesses_; }
  std::uint16_t instruction_at(std::uint32_t address) const {
    std::uint16_t code = 0;
    std::memcpy(&code, bank_.data() + (address - boot_address), sizeof code);
    return code;
  }

 private:
  static void note_access(uc_engine*, uc_mem_type, std::uint64_t, int, std::int64_t, void* self) {
    ++static_cast<CortexM4*>(self)->accesses_;
  }
  // A core that never sleeps is stopped, wherever that is.
  static void note_instruction(uc_engine*, std::uint64_t, std::uint32_t, void* self) {
    auto& core = *static_cast<CortexM4*>(self);
    if (++core.instructions_ > 10'000) core.engine_.stop();
  }
  std::uint32_t vector_at(std::uint32_t offset) const {
    std::uint32_t word = 0;
    std::memcpy(&word, bank_.data() + offset, sizeof word);
    return word;
  }

  std::vector<std::uint8_t> bank_ = std::vector<std::uint8_t>(4096, 0xFF);
  std::vector<std::uint8_t> ram_ = std::vector<std::uint8_t>(sram123_size);
  virtual_board::Engine engine_{"cortex-m4"};
  int accesses_ = 0;
  int instructions_ = 0;
};

TEST_F(SecondCoreTest, SleepsForEverWithInterruptsMasked) {
  const auto flash = flash_of(build("stm32h747").elf);
  constexpr std::uint16_t wait_for_interrupt = 0xBF30;  // Armv7-M A7.7.261, encoding T1
  for (const std::uint32_t vector : {4u, 8u, 12u}) {
    CortexM4 core(flash);
    const auto places = core.sleep(vector, 100);
    EXPECT_THAT(places, ::testing::Each(places.front()));
    EXPECT_EQ(core.instruction_at(places.front() - 2), wait_for_interrupt);
    EXPECT_TRUE(core.masked());
    EXPECT_EQ(core.accesses(), 0);
  }
}

// The STM32H743 is the same firmware without a second core.
TEST_F(SecondCoreTest, IsCountedOnceAndOnlyWhereThereIsOne) {
  const FirmwareImage image = build("stm32h747"), single = build("stm32h743");
  const ElfImage elf = read_elf(image.elf).value(), other = read_elf(single.elf).value();
  EXPECT_THAT(other.sections, Not(::testing::Contains(::testing::Key(section))));
  EXPECT_LT(flash_of(single.elf).size(), boot_address - flash_base);
  const Bytes held = elf.sections.at(section);
  EXPECT_LE(held, Bytes(32));
  EXPECT_EQ(flash_of(image.elf).size(), boot_address - flash_base + held.count());
  EXPECT_EQ(image.rom, single.rom + held);
  EXPECT_EQ(image.rom_runtime, single.rom_runtime + held);
  for (const std::string& name : known_parts()) {
    const Part part = load_part(name).value();
    if (part.runs_linux() || part.second_core) continue;
    EXPECT_THAT(linker_script(part, {Bytes(2048), Bytes(0), "", {}}), Not(HasSubstr(section)));
  }
}

TEST_F(SecondCoreTest, KeepsItsBankToItself) {
  FirmwareRequest large = request("stm32h747");
  large.model.source += fmt::format(
      "\n[[gnu::section(\".vectors\"), gnu::used]] const unsigned char ballast[{}] = {{1}};\n",
      1 << 20);
  const auto image = build_firmware(large);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().kind, ErrorKind::failed_verdict);
  EXPECT_THAT(image.error().message,
              HasSubstr("does not fit: region FLASH of stm32h747 overflows by"));
}

TEST_F(SecondCoreTest, ReplacesWhatTheBankHeld) {
  const FirmwareImage image = build("stm32h747");
  const auto flash = flash_of(image.elf);
  std::mt19937 random(747);
  std::string old_firmware(200 << 10, '\0');
  for (char& c : old_firmware)
    c = static_cast<char>(random());
  const auto old_file = scratch_.path() / "old.bin", back = scratch_.path() / "back.bin";
  ASSERT_TRUE(write_atomically(old_file, old_firmware));

  const VirtualBoards rig = start_rig({rig_h747});
  const auto held_at_boot_address = [&] {
    const auto outcome =
        openocd(rig, rig_h747.serial, rig_h747.openocd_target,
                fmt::format("init; reset halt; dump_image {{{}}} {:#x} {}; shutdown", back.string(),
                            boot_address, flash.size() - (boot_address - flash_base)));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    return read_bytes(back).value();
  };
  const std::vector<std::byte> expected(flash.begin() + (boot_address - flash_base), flash.end());
  const auto old = openocd(
      rig, rig_h747.serial, rig_h747.openocd_target,
      fmt::format("program {{{}}} {:#x} verify; shutdown", old_file.string(), boot_address));
  ASSERT_EQ(old.exit_code, 0) << old.errors;
  EXPECT_NE(held_at_boot_address(), expected);
  const auto programmed = program(rig, rig_h747, image.elf.string());
  ASSERT_EQ(programmed.exit_code, 0) << programmed.errors;
  EXPECT_EQ(held_at_boot_address(), expected);
}

}  // namespace
}  // namespace assay::test

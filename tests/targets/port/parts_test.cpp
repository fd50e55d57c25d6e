// Every part, core and board type file against what it must be consistent with: its own parts, the
// documented keys, OpenOCD's target files, the CPUID values of the architecture manuals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "harness/core/board_type.hpp"
#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;

/// Those of the microcontrollers; linux_parts_test.cpp has the others.
std::vector<Part> every_part() {
  std::vector<Part> parts;
  for (const auto& name : known_parts()) {
    auto part = load_part(name);
    EXPECT_TRUE(part) << part.error().message;
    if (part && !part->runs_linux()) parts.push_back(*part);
  }
  return parts;
}

TEST(Parts, AreTheOnesWeShip) {
  EXPECT_THAT(known_parts(), ::testing::IsSupersetOf({"stm32f030cc", "stm32f405", "stm32g0b1",
                                                      "stm32l476", "stm32l4r5", "stm32u575"}));
}

TEST(Parts, AreFoundByNameAndAlias) {
  std::map<std::string, std::string> owner;
  for (const Part& part : every_part()) {
    EXPECT_TRUE(owner.emplace(part.name, part.name).second) << part.name;
    for (const auto& alias : part.aliases) {
      EXPECT_TRUE(owner.emplace(alias, part.name).second) << alias << " names two parts";
      const auto found = load_part(alias);
      ASSERT_TRUE(found) << found.error().message;
      EXPECT_EQ(found->name, part.name) << alias;
    }
  }
  EXPECT_EQ(owner["stm32f405rgtx"], "stm32f405");
}

TEST(Parts, RegionsAreNamedSourcedAndApart) {
  for (const Part& part : every_part()) {
    std::set<std::string> names;
    std::map<std::uint64_t, std::uint64_t> spans;  // base, end
    for (const MemoryRegion& region : part.memory) {
      EXPECT_TRUE(names.insert(region.name).second) << part.name << " " << region.name;
      EXPECT_FALSE(region.source.empty()) << part.name << " " << region.name;
      EXPECT_GT(region.size.count(), 0u);
      EXPECT_EQ(region.size.count() % 1024, 0u);
      spans[region.base] = region.base + region.size.count();
    }
    EXPECT_EQ(spans.size(), part.memory.size()) << part.name;
    std::uint64_t end = 0;
    for (const auto& [base, next] : spans) {
      EXPECT_GE(base, end) << part.name;
      end = next;
    }
    EXPECT_EQ(part.flash().name, "FLASH");
    EXPECT_EQ(part.ram().name, "RAM");
  }
}

TEST(Parts, IdentityFitsTheCore) {
  // PARTNO field of CPUID: Cortex-M0 0xC20 (DDI0432C), Cortex-M0+ 0xC60 (DDI0484C), Cortex-M4 0xC24
  // (Arm 100166), Cortex-M7 0xC27 (Arm 100165), Cortex-M33 0xD21 (Arm 100230).
  const std::map<std::string, unsigned> part_number{{"cortex-m0", 0xC20},
                                                    {"cortex-m0plus", 0xC60},
                                                    {"cortex-m4f", 0xC24},
                                                    {"cortex-m7", 0xC27},
                                                    {"cortex-m33", 0xD21}};
  for (const Part& part : every_part()) {
    ASSERT_TRUE(part_number.contains(part.core.name)) << part.core.name;
    EXPECT_EQ((part.cpuid >> 4) & 0xFFF, part_number.at(part.core.name)) << part.name;
    EXPECT_EQ(part.cpuid >> 24, 0x41u) << part.name << ": the implementer is Arm";
  }
}

TEST(Parts, OpenOcdHasTheirTargetFiles) {
  for (const Part& part : every_part())
    EXPECT_TRUE(std::filesystem::exists("/usr/share/openocd/scripts/" + part.openocd_target))
        << part.openocd_target;
}

TEST(Parts, WhatIsUnknownIsAbsent) {
  const auto small = load_part("stm32f030cc");
  ASSERT_TRUE(small);
  EXPECT_FALSE(small->unique_id) << "RM0360 documents no unique device id";
  const auto large = load_part("stm32f405");
  ASSERT_TRUE(large);
  EXPECT_EQ(large->unique_id, 0x1FFF7A10u);
  EXPECT_FALSE(large->price_usd);
}

// The engine has no Cortex-M0+; the Cortex-M0 executes the same instructions (Armv6-M both).
TEST(Cores, CompilerFlagsAndEngineNameOneProcessor) {
  const std::map<std::string, std::string> stands_for{{"cortex-m0plus", "cortex-m0"}};
  for (const Part& part : every_part()) {
    const Core& core = part.core;
    const auto substitute = stands_for.find(core.name);
    if (substitute == stands_for.end()) {
      EXPECT_THAT(core.compile_flags, ::testing::Contains("-mcpu=" + core.engine_model));
    } else {
      EXPECT_EQ(core.engine_model, substitute->second);
    }
    EXPECT_THAT(core.compile_flags, ::testing::Contains("-mthumb"));
    EXPECT_THAT(core.compile_flags,
                ::testing::Contains(core.fpu ? "-mfloat-abi=hard" : "-mfloat-abi=soft"));
  }
}

TEST(Cores, CycleCostsUseDocumentedKeys) {
  const auto readme = read_text(source_root() / "targets/parts/README.md");
  ASSERT_TRUE(readme);
  std::set<std::string> documented;
  const std::regex key("`([a-z_]+)`");
  const std::regex row("\n\\| (`[^|]*) \\|");
  for (std::sregex_iterator line(readme->begin(), readme->end(), row), end; line != end; ++line) {
    const std::string cell = (*line)[1];
    for (std::sregex_iterator word(cell.begin(), cell.end(), key); word != end; ++word)
      documented.insert((*word)[1]);
  }
  ASSERT_GT(documented.size(), 20u);
  for (const Part& part : every_part()) {
    EXPECT_FALSE(part.core.cycles.empty()) << part.core.name;
    for (const auto& [name, cost] : part.core.cycles) {
      EXPECT_TRUE(documented.contains(name)) << part.core.name << " " << name;
      EXPECT_GE(cost, 0) << part.core.name << " " << name;
    }
  }
}

// Tensors may lie in every bank. The core's own memories come first where banks are contiguous.
TEST(Parts, ADataCacheStandsBeforeAllButTheCoresOwnMemory) {
  for (const Part& part : every_part()) {
    if (!part.caches) continue;
    std::set<std::uint64_t> ends;
    for (const auto& memory : part.flash_timing->data_lines->shared)
      ends.insert(memory.base + memory.size.count());
    for (const MemoryRegion& region : part.memory) {
      if (region.flash || region.name == "ITCM" || region.name == "DTCM") continue;
      EXPECT_TRUE(ends.contains(region.base + region.size.count())) << part.name << region.name;
    }
    EXPECT_EQ(part.flash_timing->data_lines->lines * part.flash_timing->data_lines->line_bytes,
              part.caches->data.count())
        << part.name;
  }
}

TEST(Parts, FiguresThatMakeNoSenseAreRefused) {
  const auto read = read_json_file(source_root() / "targets/parts/stm32f405.json");
  ASSERT_TRUE(read);
  struct Case {
    const char* pointer;
    Json value;
    const char* message;
  };
  for (const Case& it :
       {Case{"/memory/0/size", 100, "whole kilobytes"},
        Case{"/memory/0/base", "0x08000004", "multiple of 1024"},
        Case{"/uarts/0/interrupt", 999, "from 0 to 239"},
        Case{"/run_current/value", -238, "from 1 to 10000"},
        Case{"/supply/value", 0, "from 1000 to 24000"},
        Case{"/flash_timing/band_pct", -5, "from 0 to 100"},
        Case{"/flash_timing/code_slowdown/value", -0.5, "from 0 to 1"},
        Case{"/flash_timing/wait_states", Json::array(), "rising clocks"},
        Case{"/flash_timing/data_lines/line_bytes", 20, "power of two"},
        Case{"/flash_timing/data_lines/ways", 3, "lines / ways"},
        Case{"/flash_timing/data_lines/fill_bytes", 32, "from 4 to line_bytes"},
        Case{"/flash_timing/data_lines/fill_bytes", 12, "power of two"},
        Case{"/flash_timing/data_lines/shared", Json::array({Json::object()}), "shared[0].base"},
        Case{"/flash_timing/code_lines/kept", 2, "code_lines.line_bytes"},
        Case{"/flash_timing/evidence", nullptr, "flash_timing.evidence"},
        Case{"/flash_timing/sources", "RM", "flash_timing.sources"}}) {
    Json json = *read;
    json[Json::json_pointer(it.pointer)] = it.value;
    const auto part = parse_part(json, "part");
    ASSERT_FALSE(part) << it.pointer;
    EXPECT_THAT(part.error().message, ::testing::HasSubstr(it.message));
  }
}

TEST(Parts, ASecondCoreHasItsOwnFlashAndAStack) {
  const auto read = read_json_file(source_root() / "targets/parts/stm32h747.json");
  ASSERT_TRUE(read);
  const auto part = parse_part(*read, "part");
  ASSERT_TRUE(part) << part.error().message;
  // RM0399: 2 MB of flash, of which the Cortex-M4 boots from the second half.
  EXPECT_EQ(part->flash_size(), Bytes(2 << 20));
  EXPECT_EQ(part->flash().size, Bytes(1 << 20));
  ASSERT_TRUE(part->second_core);
  EXPECT_EQ(part->region(part->second_core->flash)->base, 0x08100000u);
  struct Case {
    const char* pointer;
    Json value;
    const char* message;
  };
  for (const Case& it :
       {Case{"/second_core/flash", "FLASH", "second_core.flash"},
        Case{"/second_core/flash", "SRAM4", "a flash region behind the program's"},
        Case{"/second_core/stack", "FLASH_M4", "expected a RAM region"},
        Case{"/second_core/stack", "SRAM5", "found \"SRAM5\""},
        Case{"/second_core/source", nullptr, "second_core.source"},
        Case{"/second_core/boot", 1, "second_core.boot"},
        Case{"/memory/1/base", "0x08200000", "FLASH_M4 to begin where FLASH ends"}}) {
    Json json = *read;
    json[Json::json_pointer(it.pointer)] = it.value;
    const auto refused = parse_part(json, "part");
    ASSERT_FALSE(refused) << it.pointer;
    EXPECT_THAT(refused.error().message, HasSubstr(it.message));
  }
}

TEST(BoardTypes, AllLoadAndEveryPartHasOneDefault) {
  std::map<std::string, int> defaults;
  for (const auto& name : known_board_types()) {
    const auto type = load_board_type(name);
    ASSERT_TRUE(type) << type.error().message;
    EXPECT_EQ(type->name, name);
    EXPECT_FALSE(type->source.empty());
    EXPECT_LE(type->clock.count(), type->part.max_clock.value.count());
    defaults[type->part.name] += type->default_for_part;
  }
  for (const auto& name : known_parts())
    EXPECT_EQ(defaults[name], 1) << name;
}

TEST(BoardTypes, APartStandsForItsDefaultBoard) {
  const auto board = find_board_type("stm32f405rgtx");
  ASSERT_TRUE(board) << board.error().message;
  EXPECT_EQ(board->name, "olimex-stm32-h405");
  EXPECT_EQ(board->uart_block().base, 0x40011000u);
}

TEST(BoardTypes, UnknownNamesListTheKnownOnes) {
  const auto board = find_board_type("stm32f999");
  ASSERT_FALSE(board);
  EXPECT_EQ(board.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(board.error().message, HasSubstr("stm32f999"));
  EXPECT_THAT(board.error().message, HasSubstr("olimex-stm32-h405"));
}

}  // namespace
}  // namespace assay

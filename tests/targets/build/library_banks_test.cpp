// Exported libraries whose arena lies in several banks of RAM: compiled and linked as their README
// says, every array is in its bank; on the host they compute what the reference does, whatever
// their memory held before.
#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "harness/core/hash.hpp"
#include "targets/build/ram_layout.hpp"
#include "targets/graph/reference_run.hpp"
#include "targets/pack/bench_shapes.hpp"
#include "tests/targets/build/library_rig.hpp"

namespace assay::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Bytes stack{2048};

GeneratedModel generate_in(const RamLayout& ram, const IntegerGraph& graph, const Core* core) {
  auto model = generate(graph, core, sha256_hex("several banks"), {}, ram);
  EXPECT_TRUE(model) << model.error().message;
  return model ? std::move(*model) : GeneratedModel();
}

/// A convolution of one channel over a square image; either of its tensors takes size x size bytes.
IntegerGraph square(int size) {
  const Window three{.kernel_height = 3,
                     .kernel_width = 3,
                     .pad_top = 1,
                     .pad_left = 1,
                     .pad_bottom = 1,
                     .pad_right = 1};
  return single_layer_graph({IntegerOp::convolution, size, size, 1, 1, three}, 3,
                            WeightFill::random);
}

class LibraryInBanks : public Library {
 protected:
  /// Links model.o by a script that a user could have written, with what README.txt says.
  void link_for(const Part& part, const GeneratedModel& model) {
    std::string script = "MEMORY\n{\n";
    for (const MemoryRegion& region : part.memory)
      script += fmt::format("  {} (rwx) : ORIGIN = {:#x}, LENGTH = {}\n", region.name, region.base,
                            region.size.count());
    script += "}\nSECTIONS\n{\n  .text : { *(.text*) *(.rodata*) } >FLASH\n" + rules() +
              fmt::format(
                  "  .data : {{ *(.data*) }} >{0} AT >FLASH\n  .bss : {{ *(.bss*) }} >{0}\n"
                  "  /DISCARD/ : {{ *(.ARM.*) }}\n}}\n",
                  model.home);
    ASSERT_TRUE(write_atomically(folder_ / "user.ld", script));
    shell(
        fmt::format("arm-none-eabi-g++ {} model.o -nostdlib -lc_nano -lgcc -T user.ld "
                    "-Wl,-e,0 -Wl,--fatal-warnings -o user.elf",
                    fmt::join(part.core.compile_flags, " ")));
  }
  /// The lines of README.txt for a linker script.
  std::string rules() const {
    const std::string text = readme();
    std::string found;
    const std::regex rule("  \\.arena\\.\\w+ \\(NOLOAD\\) : .*\n");
    for (std::sregex_iterator it(text.begin(), text.end(), rule), end; it != end; ++it)
      found += it->str();
    return found;
  }
  /// Address of an array of the linked program.
  std::uint64_t address_of(const std::string& array) const {
    const std::string symbols = shell("arm-none-eabi-nm -C user.elf");
    std::smatch found;
    const bool there =
        std::regex_search(symbols, found, std::regex("([0-9a-f]+) b .*::" + array + "\n"));
    EXPECT_TRUE(there) << array << " in\n" << symbols;
    return there ? std::stoull(found[1], nullptr, 16) : 0;
  }
};

TEST_F(LibraryInBanks, LinkedAsItsReadmeSaysEveryArrayIsInItsBank) {
  const Part part = load_part("stm32h743").value();
  const IntegerGraph graph = square(540);  // twice 291 600 bytes; AXI SRAM has 524 288
  const GeneratedModel model = generate_in(ram_layout(part, stack), graph, &part.core);
  ASSERT_TRUE(model.has_room);
  ASSERT_GT(model.arenas.size(), 1u);
  write_for(&part, graph, model);
  shell(compile_command(warnings));
  link_for(part, model);
  for (const GeneratedArena& arena : model.arenas) {
    const auto bank = std::ranges::find(part.memory, arena.region, &MemoryRegion::name);
    const std::uint64_t first = address_of("arena_" + arena.region);
    EXPECT_GE(first, bank->base) << arena.region;
    EXPECT_LE(first + arena.bytes.count(), bank->base + bank->size.count()) << arena.region;
    EXPECT_THAT(readme(), HasSubstr(fmt::format("arena_{}, {} bytes, for {} (", arena.region,
                                                arena.bytes.count(), arena.region)));
  }
  const std::string sections = shell("arm-none-eabi-objdump -h user.elf");
  EXPECT_THAT(sections, Not(HasSubstr("LOAD, DATA"))) << "arrays of zeros take no flash";
}

TEST_F(LibraryInBanks, WithoutTheRulesTheLinkerRefuses) {
  const Part part = load_part("stm32h743").value();
  const IntegerGraph graph = square(540);
  write_for(&part, graph, generate_in(ram_layout(part, stack), graph, &part.core));
  shell(compile_command(warnings));
  ASSERT_TRUE(
      write_atomically(folder_ / "one.ld",
                       std::string_view("MEMORY { FLASH : ORIGIN = 0x08000000, LENGTH = 2M\n"
                                        "RAM : ORIGIN = 0x24000000, LENGTH = 512K }\n"
                                        "SECTIONS { .text : { *(.text*) *(.rodata*) } >FLASH\n"
                                        ".bss : { *(.bss*) } >RAM /DISCARD/ : { *(.ARM.*) } }\n")));
  EXPECT_THAT(shell("arm-none-eabi-ld -T one.ld -e 0 --unresolved-symbols=ignore-all model.o "
                    "-o one.elf 2>&1 || true"),
              HasSubstr("region `RAM' overflowed"));
}

TEST_F(LibraryInBanks, ComputesWhatTheReferenceDoesInMemoryThatWasNeverCleared) {
  // Too small for all, each: the input has 144 bytes, the convolution's output more.
  const GeneratedModel one = generate_in({}, graph_, nullptr);
  const Bytes most = one.arena_bytes - Bytes(8);
  const RamLayout ram{{{"FAST", most}, {"SLOW", Bytes(1024)}}, Bytes(0)};
  const GeneratedModel model = generate_in(ram, graph_, nullptr);
  ASSERT_TRUE(model.has_room);
  ASSERT_EQ(model.arenas.size(), 2u);
  write_for(nullptr, graph_, model);
  ASSERT_TRUE(write_atomically(folder_ / "check.cpp", std::string_view(R"(#include <cstdio>
#include <cstring>
#include "model.hpp"
extern "C" char __start_fast[], __stop_fast[], __start_slow[], __stop_slow[];
int main() {
  using namespace assay::model;
  std::memset(__start_fast, 0x5a, static_cast<std::size_t>(__stop_fast - __start_fast));
  std::memset(__start_slow, 0xa5, static_cast<std::size_t>(__stop_slow - __start_slow));
  for (std::size_t i = 0; i < input_bytes; ++i) input()[i] = static_cast<std::int8_t>(i * 7 % 256);
  run();
  for (std::size_t i = 0; i < logits; ++i) std::printf("%d ", output()[i]);
  std::printf("%d %d", int(__stop_fast - __start_fast), int(__stop_slow - __start_slow));
})")));
  // Sections of the user's own names.
  shell(compile_command(std::string(warnings) +
                        " -DASSAY_ARENA_FAST='\"fast\"' -DASSAY_ARENA_SLOW='\"slow\"'"));
  shell("g++ -I. model.o check.cpp -o check");
  std::string expected;
  for (const int logit : run_reference(graph_, example_input(graph_.tensors[0].size())))
    expected += fmt::format("{} ", logit);
  EXPECT_EQ(shell("./check"), expected + fmt::format("{} {}", model.arenas[0].bytes.count(),
                                                     model.arenas[1].bytes.count()));
  EXPECT_THAT(read_text(folder_ / "model.hpp").value(),
              AllOf(HasSubstr("static arenas"), HasSubstr("ASSAY_ARENA_SLOW")));
}

TEST_F(LibraryInBanks, OneArrayIsNamedWithTheBankItWasPlannedFor) {
  const Part part = load_part("stm32h743").value();
  const GeneratedModel model = generate_in(ram_layout(part, stack), graph_, &part.core);
  ASSERT_EQ(model.arenas.size(), 1u);
  write_for(&part, graph_, model);
  shell(compile_command(warnings));
  link_for(part, model);
  EXPECT_EQ(address_of("arena_DTCM") & ~std::uint64_t{0x1ffff}, 0x20000000u);
  EXPECT_THAT(readme(), Not(HasSubstr("No bank of RAM")));
}

TEST(GeneratedArenas, SayWhetherTheBanksHaveRoom) {
  const IntegerGraph graph = square(100);
  const RamLayout small{{{"A", Bytes(12'000)}, {"B", Bytes(12'000)}}, Bytes(0)};
  EXPECT_TRUE(generate_in(small, graph, nullptr).has_room);
  const RamLayout smaller{{{"A", Bytes(12'000)}, {"B", Bytes(9'000)}}, Bytes(0)};
  EXPECT_FALSE(generate_in(smaller, graph, nullptr).has_room);
  EXPECT_TRUE(generate_in({}, graph, nullptr).has_room);
}

}  // namespace
}  // namespace assay::test

// Hand-counted sequences against the published tables: Arm DDI 0432C (Cortex-M0), Arm 100166
// (Cortex-M4), and the third-party rules of the Cortex-M7 and M33, as cycle_model_*.cpp state them.
#include "boards/virtual/cycle_model.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "boards/virtual/data_lines.hpp"

namespace assay::virtual_board {
namespace {

std::unique_ptr<CycleModel> model_of(const char* core) {
  const auto loaded = load_core(core);
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
  auto model = make_cycle_model(*loaded);
  EXPECT_TRUE(model) << (model ? "" : model.error().message);
  return std::move(*model);
}

using Opcodes = std::vector<std::uint32_t>;

/// Cycles of a stretch that begins at a word; a branch at its end is taken when `taken`.
std::uint32_t cycles(const char* core, const Opcodes& opcodes, FetchPath path = {},
                     bool taken = false) {
  std::vector<Instruction> code;
  for (std::uint32_t opcode : opcodes)
    code.push_back(opcode > 0xFFFF ? decode(static_cast<std::uint16_t>(opcode >> 16),
                                            static_cast<std::uint16_t>(opcode))
                                   : decode(static_cast<std::uint16_t>(opcode), 0));
  std::vector<Step> steps;
  std::uint32_t address = 0x08000000;
  for (const Instruction& it : code) {
    steps.push_back({&it, address, steps.empty(), false});
    address += it.size;
  }
  steps.back().taken = taken;
  std::vector<std::uint32_t> done(steps.size());
  model_of(core)->run(path, steps, done);
  EXPECT_TRUE(std::ranges::is_sorted(done));
  return done.back();
}

constexpr std::uint32_t adds = 0x1888, add_r4 = 0x192C;  // r0 of r1 and r2; r4 of r5
constexpr std::uint32_t ldr_r0 = 0x6808, ldr_r2 = 0x684A, ldr_r3 = 0x688B;  // [r1, #0, 4, 8]
constexpr std::uint32_t ldrb_r0 = 0x7808, str_r0 = 0x6008, str_r4 = 0x604C, str_indexed = 0x5088;
constexpr std::uint32_t ldr_r1_r1 = 0x6809, bne = 0xD1FE, bl = 0xF7FFFFFE;
constexpr std::uint32_t push_4 = 0xB570, pop_pc = 0xBD10, muls = 0x4348;
constexpr std::uint32_t smlad_r0 = 0xFB210002, smlad_r4 = 0xFB224403;  // r0 += .., r4 += ..
constexpr std::uint32_t smlad_r4_r0 = 0xFB220403;                      // r4 = r0 + ..
constexpr std::uint32_t sdiv = 0xFB91F0F2, it_eq = 0xBF08, ldr_literal = 0x4801;
constexpr std::uint32_t add_r3_after = 0x1803;  // adds r3, r0, r0: of what came before

struct Sequence {
  const char* text;
  const char* core;
  Opcodes opcodes;
  std::uint32_t cycles;
  bool taken = false;
};

class Sequences : public ::testing::TestWithParam<Sequence> {};

TEST_P(Sequences, CostWhatTheTableSays) {
  const Sequence& it = GetParam();
  EXPECT_EQ(cycles(it.core, it.opcodes, {}, it.taken), it.cycles) << it.text;
}

INSTANTIATE_TEST_SUITE_P(
    CortexM0, Sequences,
    ::testing::Values(Sequence{"two loads", "cortex-m0", {ldr_r0, ldr_r2}, 4},
                      Sequence{"push of four", "cortex-m0", {push_4}, 1 + 4},
                      Sequence{"pop with pc", "cortex-m0", {pop_pc}, 1 + 2 + 3},
                      Sequence{"bl", "cortex-m0", {bl}, 4},
                      Sequence{"branch taken", "cortex-m0", {adds, bne}, 1 + 3, true},
                      Sequence{"branch not taken", "cortex-m0", {adds, bne}, 1 + 1, false},
                      Sequence{"M0+ branch taken", "cortex-m0plus", {adds, bne}, 1 + 2, true},
                      Sequence{"M0+ bl", "cortex-m0plus", {bl}, 3},
                      Sequence{"M0+ pop with pc", "cortex-m0plus", {pop_pc}, 1 + 2 + 2}));

INSTANTIATE_TEST_SUITE_P(
    CortexM4, Sequences,
    ::testing::Values(Sequence{"load", "cortex-m4f", {ldr_r0}, 2},
                      Sequence{"loads in a row: N + 1", "cortex-m4f", {ldr_r0, ldr_r2, ldr_r3}, 4},
                      Sequence{"address just loaded", "cortex-m4f", {ldr_r1_r1, ldr_r0}, 2 + 1 + 2},
                      Sequence{"store behind a load is free", "cortex-m4f", {ldr_r2, str_r0}, 2},
                      Sequence{"load behind a store", "cortex-m4f", {str_r0, ldr_r2}, 1 + 2},
                      Sequence{"register-offset store", "cortex-m4f", {adds, str_indexed}, 1 + 2},
                      Sequence{"push of four", "cortex-m4f", {push_4}, 1 + 4},
                      Sequence{"pop with pc", "cortex-m4f", {pop_pc}, 1 + 2 + 2},
                      Sequence{"smlad", "cortex-m4f", {adds, smlad_r0}, 2},
                      Sequence{"bl", "cortex-m4f", {bl}, 1 + 2},
                      Sequence{"folded IT", "cortex-m4f", {adds, it_eq}, 1},
                      Sequence{"IT behind 32 bits", "cortex-m4f", {smlad_r0, it_eq}, 2},
                      Sequence{"sdiv", "cortex-m4f", {sdiv}, 6},
                      Sequence{"branch taken", "cortex-m4f", {adds, bne}, 1 + 3, true}));

INSTANTIATE_TEST_SUITE_P(
    CortexM7, Sequences,
    ::testing::Values(
        Sequence{"two adds", "cortex-m7", {adds, add_r4}, 1},
        Sequence{"a sum goes on a cycle later", "cortex-m7", {adds, add_r3_after}, 2},
        Sequence{"a sum is stored in the same cycle", "cortex-m7", {adds, str_r0}, 1},
        Sequence{"a sum is accumulated in the same cycle", "cortex-m7", {adds, smlad_r4_r0}, 1},
        Sequence{"loads from two banks", "cortex-m7", {ldr_r0, ldr_r2}, 1},
        Sequence{"loads from one bank", "cortex-m7", {ldr_r0, ldr_r3}, 2},
        Sequence{"two stores", "cortex-m7", {str_r0, str_r4}, 2},
        Sequence{"two products", "cortex-m7", {smlad_r0, smlad_r4}, 2},
        Sequence{"an accumulator: one a cycle", "cortex-m7", {smlad_r0, smlad_r0, smlad_r0}, 3},
        Sequence{"a product to an adder", "cortex-m7", {muls, add_r3_after}, 1 + 2},
        Sequence{"load to adder", "cortex-m7", {ldr_r0, add_r3_after}, 1 + 1},
        Sequence{"byte to adder", "cortex-m7", {ldrb_r0, add_r3_after}, 1 + 2},
        Sequence{"load to address", "cortex-m7", {ldr_r1_r1, ldr_r0}, 1 + 2},
        Sequence{"load to product", "cortex-m7", {ldr_r0, muls}, 1 + 2},
        Sequence{"four words", "cortex-m7", {push_4}, 2}));

INSTANTIATE_TEST_SUITE_P(
    CortexM33, Sequences,
    ::testing::Values(Sequence{"two narrow adds", "cortex-m33", {adds, add_r4}, 2},
                      Sequence{"one needs the other", "cortex-m33", {adds, add_r3_after}, 2},
                      Sequence{"load-use", "cortex-m33", {ldr_r0, add_r3_after}, 2 + 1},
                      Sequence{"product-use", "cortex-m33", {smlad_r4, adds, 0x1923}, 2 + 1},
                      Sequence{"four words", "cortex-m33", {push_4}, 4}));

// The words of the code come every second cycle at one wait state, and the first after one.
TEST(CycleModelM0, WaitsForItsCode) {
  const Opcodes four_adds{adds, add_r4, adds, add_r4};
  EXPECT_EQ(cycles("cortex-m0", four_adds), 4u);
  EXPECT_EQ(cycles("cortex-m0", four_adds, {1, false}), 1u + 4);
  // 32-bit words at two wait states each, without and with a memory that reads ahead.
  EXPECT_EQ(cycles("cortex-m0", four_adds, {2, false}), 2u + 2 + 1 + 2);
  EXPECT_EQ(cycles("cortex-m0", four_adds, {2, true}), 2u + 4);
}

// Lines of 8 bytes hold four narrow instructions; at two wait states the next one comes three
// cycles after the one before, in time for adds.
TEST(CycleModelM0, ReadsLinesAhead) {
  const Opcodes eight_adds(8, adds);
  EXPECT_EQ(cycles("cortex-m0plus", eight_adds, {2, true, 8, 2}), 2u + 8);
  EXPECT_EQ(cycles("cortex-m0plus", eight_adds, {2, false, 8, 2}), 2u + 4 + 2 + 4);
  EXPECT_EQ(cycles("cortex-m0plus", eight_adds, {4, true, 8, 2}), 4u + 5 + 4) << "not in time";
  EXPECT_EQ(cycles("cortex-m0plus", eight_adds, {0, true, 8, 2}), 8u);
}

/// Cycles of `turns` of a loop of `count` narrow adds, the last one a branch back to the first.
std::uint32_t loop_cycles(std::uint32_t count, std::uint32_t turns, const FetchPath& path) {
  const Instruction add = decode(adds, 0), back = decode(bne, 0);
  std::vector<Step> steps;
  for (std::uint32_t turn = 0; turn < turns; ++turn)
    for (std::uint32_t i = 0; i < count; ++i) {
      const bool last = i + 1 == count;
      steps.push_back({last ? &back : &add, 0x08000000 + 2 * i, i == 0, last});
    }
  std::vector<std::uint32_t> done(steps.size());
  model_of("cortex-m0plus")->run(path, steps, done);
  return done.back();
}

// A taken branch takes two cycles, and two more for a line that has to be read again.
TEST(CycleModelM0, KeepsTheLinesItWaitedFor) {
  const FetchPath kept{2, true, 8, 2}, none{2, true, 8, 0};
  EXPECT_EQ(loop_cycles(4, 10, none), 2u + 10 * (4 + 1)) << "a loop within its line stays there";
  EXPECT_EQ(loop_cycles(8, 10, kept), 2u + 10 * (8 + 1));
  EXPECT_EQ(loop_cycles(8, 10, none), 10u * (2 + 8 + 1));
}

// Turns through three lines of four wait states: the core waits for each, so the two that are kept
// are never the one that comes next.
TEST(CycleModelM0, KeepsTheLinesUsedLast) {
  const FetchPath path{4, false, 8, 2};
  EXPECT_EQ(loop_cycles(12, 5, path), 5u * (3 * 4 + 12 + 1));
  EXPECT_EQ(loop_cycles(12, 5, {4, false, 8, 3}), 3u * 4 + 5 * (12 + 1));
}

TEST(CycleModelM0, ALiteralDelaysTheLineThatIsReadAhead) {
  const FetchPath path{4, true, 8, 2};
  Opcodes code(8, adds);
  code[0] = ldr_r0;
  EXPECT_EQ(cycles("cortex-m0plus", code, path), 4u + 5 + 4) << "a load from elsewhere";
  // The next line, due at 9, gives way to the literal's five cycles.
  code[0] = ldr_literal;
  EXPECT_EQ(cycles("cortex-m0plus", code, path), 4u + 5 + 5 + 4);
}

TEST(CycleModelM0, ALiteralWaitsAsTheCodeDoes) {
  EXPECT_EQ(cycles("cortex-m0", {ldr_literal}), 2u);
  EXPECT_EQ(cycles("cortex-m0", {ldr_literal}, {1, true}), 1u + 2 + 1);
}

TEST(CycleModel, EveryCoreHasAModelAndItsCosts) {
  for (const char* core : {"cortex-m0", "cortex-m0plus", "cortex-m4f", "cortex-m7", "cortex-m33"})
    EXPECT_GT(model_of(core)->exception(), 0u) << core;
  EXPECT_EQ(model_of("cortex-m7")->mispredicted_branch(), 7u);
  EXPECT_EQ(model_of("cortex-m7")->unaligned_load(), 3u);
  EXPECT_EQ(model_of("cortex-m4f")->mispredicted_branch(), 0u);
}

TEST(CycleModel, RefusesWhatItCannotRead) {
  struct Case {
    const char* message;
    void (*spoil)(Core& core);
  };
  for (const Case& it :
       {Case{"cycles.warp", [](Core& core) { core.cycles["warp"] = 1; }},
        Case{"cycles.load is missing", [](Core& core) { core.cycles.erase("load"); }},
        Case{"whole number", [](Core& core) { core.cycles["load"] = 1.5; }},
        Case{"cycle_model \"m0-1\"", [](Core& core) { core.cycle_model = "m0-1"; }}}) {
    Core core = load_core("cortex-m0").value();
    it.spoil(core);
    const auto model = make_cycle_model(core);
    ASSERT_FALSE(model) << it.message;
    EXPECT_NE(model.error().message.find(it.message), std::string::npos) << model.error().message;
  }
}

TEST(DataLines, WithoutLinesEveryReadWaits) {
  DataLines none(std::nullopt);
  EXPECT_TRUE(none.misses(0x08000000));
  EXPECT_TRUE(none.misses(0x08000000));
}

TEST(DataLines, KeepsTheLinesUsedLast) {
  DataLines lines(FlashTiming::DataLines{2, 16, 0, 0, 0, {}, ""});
  EXPECT_TRUE(lines.misses(0x00));
  EXPECT_FALSE(lines.misses(0x0C));
  EXPECT_TRUE(lines.misses(0x10));
  EXPECT_FALSE(lines.misses(0x00));
  EXPECT_TRUE(lines.misses(0x20)) << "0x10 has to go";
  EXPECT_FALSE(lines.misses(0x00));
  EXPECT_TRUE(lines.misses(0x10));
  lines.forget();
  EXPECT_TRUE(lines.misses(0x10));
}

// Two lines of 32 bytes of which a miss brings 8: a stream misses once for each 8 bytes.
TEST(DataLines, AMissBringsAPieceOfALine) {
  DataLines lines(FlashTiming::DataLines{2, 32, 8, 0, 0, {}, ""});
  unsigned misses = 0;
  for (std::uint32_t address = 0; address < 64; address += 4)
    misses += lines.misses(address);
  EXPECT_EQ(misses, 64u / 8);
  for (std::uint32_t address = 0; address < 64; address += 4)
    EXPECT_FALSE(lines.misses(address)) << address;
  EXPECT_TRUE(lines.misses(0x40)) << "a third line";
  EXPECT_FALSE(lines.misses(0x20)) << "the second one stays";
  EXPECT_TRUE(lines.misses(0x08)) << "the first one had to go, with all its pieces";
  EXPECT_TRUE(lines.misses(0x00));
}

/// Misses of a second walk through `bytes`, a word at a time.
unsigned misses_again(const FlashTiming::DataLines& layout, std::uint32_t bytes) {
  DataLines lines(layout);
  unsigned misses = 0;
  for (int walk = 0; walk < 2; ++walk) {
    misses = 0;
    for (std::uint32_t address = 0; address < bytes; address += 4)
      misses += lines.misses(0x08000000 + address);
  }
  return misses;
}

// The 4 KB data cache of an STM32F746: 32 sets of four lines. What fits stays; a walk over one way
// more than there are evicts its own beginning, in every set that it reaches five times.
TEST(DataLines, ACacheHoldsWhatFits) {
  const FlashTiming::DataLines cache{128, 32, 0, 4, 0, {}, ""};
  EXPECT_EQ(misses_again(cache, 4096), 0u);
  EXPECT_EQ(misses_again(cache, 4096 + 1024), 5u * 1024 / 32);
  EXPECT_EQ(misses_again(cache, 4096 + 512), 5u * 512 / 32);
}

TEST(DataLines, ALineHasItsSet) {
  DataLines lines(FlashTiming::DataLines{4, 32, 0, 1, 0, {}, ""});  // four sets of one line
  EXPECT_TRUE(lines.misses(0x000));
  EXPECT_TRUE(lines.misses(0x020));
  EXPECT_FALSE(lines.misses(0x000));
  EXPECT_TRUE(lines.misses(0x080)) << "the set of 0x000";
  EXPECT_TRUE(lines.misses(0x000));
  EXPECT_FALSE(lines.misses(0x020));
}

}  // namespace
}  // namespace assay::virtual_board

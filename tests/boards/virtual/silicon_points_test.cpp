// Calibration points that can be rebuilt without foreign code: short sequences whose cycles
// somebody measured on silicon and published, against what the model says of them. Errors are
// printed (predicted over published - 1); where the model is off, the table says by how much and
// why.
//
// Measured: jnk0le, "pipeline cycle test" (github.com/jnk0le/random), Cortex-M0 on an STM32F0,
// Cortex-M4 on an STM32F407, Cortex-M7 on an STM32H743, Cortex-M33 on an RP2350.
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <ostream>
#include <string>
#include <vector>

#include "boards/virtual/cycle_model.hpp"

namespace assay::virtual_board {
namespace {

using Opcodes = std::vector<std::uint32_t>;

// Each writes what no other of its sequence reads, unless its name says so.
constexpr std::uint32_t nop = 0xBF00, add_r0 = 0x4408, adds_r3_r4 = 0x191B;
constexpr std::uint32_t subs_r7 = 0x3F01, bne = 0xD1FE, ldmia_r6 = 0xCE0F;
constexpr std::uint32_t ldr_even = 0x6808, ldr_odd = 0x684A, ldr_even_too = 0x688B;  // [r1, 0 4 8]
constexpr std::uint32_t str_r4 = 0x600C, str_r5 = 0x604D, str_indexed = 0x508C;      // [r1 ..]
constexpr std::uint32_t add_of_r0 = 0x1803;                                          // r3 = r0 + r0
constexpr std::uint32_t smlad_r4 = 0xFB224403, smlad_r5 = 0xFB225503;                // r4 += ..
constexpr std::uint32_t add_w_r8 = 0xEB020803, add_w_r9 = 0xEB020903;                // of r2 and r3
constexpr std::uint32_t add_lsl_r8 = 0xEB021803, add_lsl_r9 = 0xEB021903;            // r3 shifted
constexpr std::uint32_t uxtb_r8 = 0xFA5FF882, uxtb_r9 = 0xFA5FF982;
constexpr std::uint32_t ldm_4 = 0xE891003C, ldm_3 = 0xE891001C;  // of r1

struct Point {
  const char* text;
  const char* core;
  Opcodes opcodes;
  double published;          ///< cycles of a round
  bool taken = false;        ///< the branch at the end
  double known_off_pct = 0;  ///< where the model is known to be off
};

std::ostream& operator<<(std::ostream& out, const Point& point) {
  return out << point.core << ": " << point.text;
}

/// Cycles of a round in the middle of many: the difference of fourteen and four, over ten.
double predicted(const Point& point) {
  const auto loaded = load_core(point.core);
  const auto model = make_cycle_model(*loaded);
  const auto cycles = [&](std::size_t rounds) {
    std::vector<Instruction> code;
    for (std::size_t i = 0; i < rounds; ++i)
      for (const std::uint32_t opcode : point.opcodes)
        code.push_back(opcode > 0xFFFF ? decode(static_cast<std::uint16_t>(opcode >> 16),
                                                static_cast<std::uint16_t>(opcode))
                                       : decode(static_cast<std::uint16_t>(opcode), 0));
    std::vector<Step> steps;
    std::uint32_t address = 0x08000000;
    for (std::size_t i = 0; i < code.size(); ++i) {
      const bool first = i % point.opcodes.size() == 0;
      const bool last = (i + 1) % point.opcodes.size() == 0;
      if (point.taken && first) address = 0x08000000;
      steps.push_back({&code[i], address, i == 0 || (point.taken && first), false});
      steps.back().taken = point.taken && last;
      address += code[i].size;
    }
    std::vector<std::uint32_t> done(steps.size());
    (*model)->run({}, steps, done);
    return static_cast<double>(done.back());
  };
  return (cycles(14) - cycles(4)) / 10;
}

class SiliconPoints : public ::testing::TestWithParam<Point> {};

TEST_P(SiliconPoints, AreWhatTheModelSays) {
  const Point& point = GetParam();
  const double found = predicted(point);
  const double error = 100 * (found / point.published - 1);
  std::cout << point << ": predicted " << found << ", published " << point.published << " ("
            << std::showpos << error << std::noshowpos << " %)\n";
  EXPECT_NEAR(error, point.known_off_pct, 0.5);
}

INSTANTIATE_TEST_SUITE_P(
    CortexM0, SiliconPoints,
    ::testing::Values(Point{
        "a load and its use: no latency", "cortex-m0", {ldr_even, add_of_r0}, 3}));

// A NOP behind a load or an indexed store is swallowed by the silicon; compiled kernels have none.
INSTANTIATE_TEST_SUITE_P(
    CortexM4, SiliconPoints,
    ::testing::Values(
        Point{"loads in a row", "cortex-m4f", {ldr_even, ldr_odd}, 2},
        Point{"stores in a row", "cortex-m4f", {str_r4, str_r5}, 2},
        Point{"a store behind a load", "cortex-m4f", {ldr_even, str_r4, add_w_r8}, 3},
        Point{"an indexed store", "cortex-m4f", {str_indexed, add_w_r8}, 3},
        Point{"a load and a nop", "cortex-m4f", {ldr_even, nop}, 2, false, 50},
        Point{"an indexed store and a nop", "cortex-m4f", {str_indexed, nop}, 2, false, 50}));

INSTANTIATE_TEST_SUITE_P(
    CortexM7, SiliconPoints,
    ::testing::Values(Point{"two sums", "cortex-m7", {add_w_r8, add_w_r9}, 1},
                      Point{"two shifted operands", "cortex-m7", {add_lsl_r8, add_lsl_r9}, 2},
                      Point{"a shifted operand and a sum", "cortex-m7", {add_lsl_r8, add_w_r9}, 1},
                      Point{"two extends", "cortex-m7", {uxtb_r8, uxtb_r9}, 2},
                      Point{"loads from both banks", "cortex-m7", {ldr_even, ldr_odd}, 1},
                      Point{"loads from one bank", "cortex-m7", {ldr_even, ldr_even_too}, 2},
                      Point{"two stores", "cortex-m7", {str_r4, str_r5}, 2},
                      Point{"a load and a store", "cortex-m7", {ldr_even, str_r4}, 1},
                      Point{"two products", "cortex-m7", {smlad_r4, smlad_r5}, 2},
                      Point{"a product on its accumulator", "cortex-m7", {smlad_r4}, 1},
                      Point{"a product and a store", "cortex-m7", {smlad_r4, str_r5}, 2},
                      Point{"a product and a load", "cortex-m7", {smlad_r4, ldr_even}, 1},
                      Point{"four words", "cortex-m7", {ldm_4}, 2},
                      Point{"three words", "cortex-m7", {ldm_3}, 2}));

INSTANTIATE_TEST_SUITE_P(
    CortexM33, SiliconPoints,
    ::testing::Values(
        Point{"a loop of nothing", "cortex-m33", {subs_r7, bne}, 3, true},
        Point{"a loop with a sum before the branch", "cortex-m33", {subs_r7, add_r0, bne}, 3, true},
        Point{"a loop with four words", "cortex-m33", {subs_r7, ldmia_r6, bne}, 6, true},
        Point{"a branch not taken", "cortex-m33", {subs_r7, bne}, 1},
        Point{"two sums", "cortex-m33", {adds_r3_r4, add_r0}, 2},
        Point{"a sum and a nop", "cortex-m33", {adds_r3_r4, nop}, 1},
        Point{"four words", "cortex-m33", {ldm_4}, 4}));

}  // namespace
}  // namespace assay::virtual_board

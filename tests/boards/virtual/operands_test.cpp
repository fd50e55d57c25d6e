// Encodings assembled by arm-none-eabi-as 2.40; registers as the assembler's operands name them.
#include "boards/virtual/operands.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace assay::virtual_board {
namespace {

constexpr RegisterSet r(unsigned number) {
  return RegisterSet{1} << number;
}
constexpr RegisterSet s(unsigned number) {
  return RegisterSet{1} << (16 + number);
}
constexpr unsigned sp = 13, lr = 14, pc = 15;

struct Case {
  const char* text;
  std::uint16_t first, second;
  RegisterSet results = 0, sources = 0, address = 0, accumulator = 0, base_update = 0;
  unsigned traits = 0;
};

std::ostream& operator<<(std::ostream& out, const Case& it) {
  return out << it.text;
}

class OperandsOf : public ::testing::TestWithParam<Case> {};

TEST_P(OperandsOf, AreThoseTheAssemblerNames) {
  const Case& it = GetParam();
  const Operands found = operands_of(it.first, it.second);
  EXPECT_EQ(found.results, it.results);
  EXPECT_EQ(found.sources, it.sources);
  EXPECT_EQ(found.address, it.address);
  EXPECT_EQ(found.accumulator, it.accumulator);
  EXPECT_EQ(found.base_update, it.base_update);
  EXPECT_EQ(found.traits, it.traits);
}

INSTANTIATE_TEST_SUITE_P(
    Narrow, OperandsOf,
    ::testing::Values(
        Case{"adds r0, r1, r2", 0x1888, 0, r(0), r(1) | r(2), 0, 0, 0, simple | sets_flags},
        Case{"lsls r0, r1, #2", 0x0088, 0, r(0), r(1), 0, 0, 0, shift | sets_flags},
        Case{"adcs r0, r1", 0x4148, 0, r(0), r(0) | r(1), 0, 0, 0, sets_flags | reads_flags},
        Case{"mov r8, r1", 0x4688, 0, r(8), r(1), 0, 0, 0, simple},
        Case{"cmp r0, #1", 0x2801, 0, 0, r(0), 0, 0, 0, sets_flags},
        Case{"ldrb r0, [r1, #1]", 0x7848, 0, r(0), 0, r(1), 0, 0, narrow},
        Case{"str r0, [r1, r2]", 0x5088, 0, 0, r(0), r(1) | r(2), 0, 0, register_offset},
        Case{"ldr r0, [pc, #4]", 0x4801, 0, r(0), 0, 0, 0, 0, literal},
        Case{"push {r4-r6, lr}", 0xB570, 0, 0, r(4) | r(5) | r(6) | r(lr), r(sp), 0, r(sp)},
        Case{"pop {r4, pc}", 0xBD10, 0, r(4) | r(pc), 0, r(sp), 0, r(sp)},
        Case{"ldmia r0!, {r1-r3}", 0xC80E, 0, r(1) | r(2) | r(3), 0, r(0), 0, r(0)},
        Case{"sxth r0, r1", 0xB208, 0, r(0), r(1), 0, 0, 0, bit_field},
        Case{"it eq", 0xBF08, 0, 0, 0, 0, 0, 0, reads_flags}, Case{"nop", 0xBF00, 0},
        Case{"blx r3", 0x4798, 0, r(lr), r(3)}));

INSTANTIATE_TEST_SUITE_P(
    Wide, OperandsOf,
    ::testing::Values(
        Case{"smlad r0, r1, r2, r3", 0xFB21, 0x3002, r(0), r(1) | r(2), 0, r(3)},
        Case{"mul.w r0, r1, r2", 0xFB01, 0xF002, r(0), r(1) | r(2)},
        Case{"smull r0, r1, r2, r3", 0xFB82, 0x0103, r(0) | r(1), r(2) | r(3)},
        Case{"smlal r0, r1, r2, r3", 0xFBC2, 0x0103, r(0) | r(1), r(2) | r(3), 0, r(0) | r(1)},
        Case{"add.w r0, r1, r2, lsl #3", 0xEB01, 0x00C2, r(0), r(1) | r(2), 0, 0, 0,
             simple | shifted},
        Case{"mov.w r0, r5, lsl #11", 0xEA4F, 0x20C5, r(0), r(5), 0, 0, 0, shifted},
        Case{"mov.w r0, #1024", 0xF44F, 0x6080, r(0), 0, 0, 0, 0, simple},
        Case{"mov.w r5, #268435456", 0xF04F, 0x5580, r(5), 0, 0, 0, 0, simple | shifted},
        Case{"ldr.w r0, [r1], #4", 0xF851, 0x0B04, r(0), 0, r(1), 0, r(1)},
        Case{"ldrd r0, r1, [r2]", 0xE9D2, 0x0100, r(0) | r(1), 0, r(2)},
        Case{"ldrsb.w r0, [r1, #100]", 0xF991, 0x0064, r(0), 0, r(1), 0, 0, narrow},
        Case{"ldr.w r0, [r1, r2, lsl #2]", 0xF851, 0x0022, r(0), 0, r(1) | r(2), 0, 0,
             register_offset},
        Case{"ubfx r3, r0, #1, #15", 0xF3C0, 0x034E, r(3), r(0), 0, 0, 0, bit_field},
        Case{"pkhbt r0, r1, r2", 0xEAC1, 0x0002, r(0), r(1) | r(2), 0, 0, 0, bit_field},
        Case{"tbb [pc, r0]", 0xE8DF, 0xF000, 0, 0, r(pc) | r(0), 0, 0, table},
        Case{"bl .", 0xF7FF, 0xFFFE, r(lr)}, Case{"vldr s0, [r0]", 0xED90, 0x0A00, s(0), 0, r(0)},
        Case{"vadd.f32 s0, s1, s2", 0xEE30, 0x0A81, s(0), s(1) | s(2)},
        Case{"vmla.f32 s0, s1, s2", 0xEE00, 0x0A81, s(0), s(0) | s(1) | s(2)},
        Case{"vpush {s16-s19}", 0xED2D, 0x8A04, 0, s(16) | s(17) | s(18) | s(19), r(sp), 0,
             r(sp)}));

}  // namespace
}  // namespace assay::virtual_board

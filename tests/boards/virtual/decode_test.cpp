// Encodings assembled by arm-none-eabi-as 2.40; classes as the Armv7-M manual groups them.
#include "boards/virtual/decode.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace assay::virtual_board {
namespace {

using enum InstructionClass;

struct Case {
  const char* text;
  std::uint16_t first, second;
  int size;
  InstructionClass kind;
  Operation operation;
  int words = 1;
};

std::ostream& operator<<(std::ostream& out, const Case& it) {
  return out << it.text;
}

class Decode : public ::testing::TestWithParam<Case> {};

TEST_P(Decode, ClassLengthAndOperation) {
  const Case& expected = GetParam();
  const Instruction it = decode(expected.first, expected.second);
  EXPECT_EQ(it.size, expected.size);
  EXPECT_EQ(it.kind, expected.kind);
  EXPECT_EQ(it.operation, expected.operation);
  EXPECT_EQ(it.words, expected.words);
}

INSTANTIATE_TEST_SUITE_P(
    Encodings, Decode,
    ::testing::Values(
        Case{"lsls r0, r1, #2", 0x0088, 0, 2, alu, Operation::alu},
        Case{"adds r0, r1, r2", 0x1888, 0, 2, alu, Operation::alu},
        Case{"cmp r0, #1", 0x2801, 0, 2, alu, Operation::alu},
        Case{"muls r0, r1", 0x4348, 0, 2, multiply, Operation::multiply},
        Case{"add pc, r0", 0x4487, 0, 2, alu, Operation::branch_register},
        Case{"bx lr", 0x4770, 0, 2, branch, Operation::branch_register},
        Case{"blx r3", 0x4798, 0, 2, branch, Operation::branch_register},
        Case{"ldr r0, [pc, #4]", 0x4801, 0, 2, load, Operation::load},
        Case{"str r0, [r1, r2]", 0x5088, 0, 2, store, Operation::store},
        Case{"ldrsh r0, [r1, r2]", 0x5E88, 0, 2, load, Operation::load},
        Case{"strb r0, [r1, #1]", 0x7048, 0, 2, store, Operation::store},
        Case{"ldrh r0, [r1, #2]", 0x8848, 0, 2, load, Operation::load},
        Case{"ldr r0, [sp, #4]", 0x9801, 0, 2, load, Operation::load},
        Case{"sub sp, #8", 0xB082, 0, 2, alu, Operation::alu},
        Case{"cbz r0, .", 0xB100, 0, 2, branch, Operation::branch},
        Case{"push {r4-r6, lr}", 0xB570, 0, 2, store, Operation::store, 4},
        Case{"pop {r4, pc}", 0xBD10, 0, 2, load, Operation::load, 2},
        Case{"it eq", 0xBF08, 0, 2, other, Operation::if_then},
        Case{"nop", 0xBF00, 0, 2, other, Operation::alu},
        Case{"ldmia r0!, {r1-r3}", 0xC80E, 0, 2, load, Operation::load, 3},
        Case{"beq .", 0xD0FE, 0, 2, branch, Operation::branch},
        Case{"svc #0", 0xDF00, 0, 2, other, Operation::system},
        Case{"b .", 0xE7FE, 0, 2, branch, Operation::branch},
        Case{"stmdb sp!, {r4-r11, lr}", 0xE92D, 0x4FF0, 4, store, Operation::store, 9},
        Case{"ldrd r0, r1, [r2]", 0xE9D2, 0x0100, 4, load, Operation::load, 2},
        Case{"tbb [pc, r0]", 0xE8DF, 0xF000, 4, branch, Operation::branch},
        Case{"add.w r0, r1, r2, lsl #3", 0xEB01, 0x00C2, 4, alu, Operation::alu},
        Case{"movw r0, #1234", 0xF240, 0x40D2, 4, alu, Operation::alu},
        Case{"ssat r0, #8, r1", 0xF301, 0x0007, 4, alu, Operation::alu},
        Case{"bne.w .", 0xF47F, 0xAFFE, 4, branch, Operation::branch},
        Case{"bl .", 0xF7FF, 0xFFFE, 4, branch, Operation::branch_link},
        Case{"dmb sy", 0xF3BF, 0x8F5F, 4, other, Operation::barrier},
        Case{"mrs r0, primask", 0xF3EF, 0x8010, 4, other, Operation::system},
        Case{"ldrsb.w r0, [r1, #100]", 0xF991, 0x0064, 4, load, Operation::load},
        Case{"str.w r0, [r1], #4", 0xF841, 0x0B04, 4, store, Operation::store},
        Case{"sxtb16 r0, r1", 0xFA2F, 0xF081, 4, alu, Operation::alu},
        Case{"smlad r0, r1, r2, r3", 0xFB21, 0x3002, 4, multiply, Operation::mac},
        Case{"mla r0, r1, r2, r3", 0xFB01, 0x3002, 4, multiply, Operation::mac},
        Case{"mul.w r0, r1, r2", 0xFB01, 0xF002, 4, multiply, Operation::multiply},
        Case{"smull r0, r1, r2, r3", 0xFB82, 0x0103, 4, multiply, Operation::multiply_long},
        Case{"sdiv r0, r1, r2", 0xFB91, 0xF0F2, 4, multiply, Operation::divide},
        Case{"vldr s0, [r0]", 0xED90, 0x0A00, 4, load, Operation::load},
        Case{"vpush {s16-s19}", 0xED2D, 0x8A04, 4, store, Operation::store, 4},
        Case{"vadd.f32 s0, s1, s2", 0xEE30, 0x0A81, 4, other, Operation::float_alu},
        Case{"vmla.f32 s0, s1, s2", 0xEE00, 0x0A81, 4, other, Operation::float_mac},
        Case{"vfma.f32 s0, s1, s2", 0xEEA0, 0x0A81, 4, other, Operation::float_mac},
        Case{"vdiv.f32 s0, s1, s2", 0xEE80, 0x0A81, 4, other, Operation::float_divide},
        Case{"vsqrt.f32 s0, s1", 0xEEB1, 0x0AE0, 4, other, Operation::float_divide}));

TEST(DecodePolicing, KnowsWhatASmallCoreLacks) {
  EXPECT_TRUE(decode(0xB100, 0).needs_mainline);        // cbz
  EXPECT_TRUE(decode(0xBF08, 0).needs_mainline);        // it eq
  EXPECT_FALSE(decode(0xBF30, 0).needs_mainline);       // wfi
  EXPECT_TRUE(decode(0xF240, 0x40D2).needs_mainline);   // movw
  EXPECT_FALSE(decode(0xF7FF, 0xFFFE).needs_mainline);  // bl
  EXPECT_FALSE(decode(0xF3BF, 0x8F5F).needs_mainline);  // dmb
  EXPECT_FALSE(decode(0xF3EF, 0x8010).needs_mainline);  // mrs
  EXPECT_TRUE(decode(0xFB21, 0x3002).needs_dsp);        // smlad
  EXPECT_FALSE(decode(0xFB01, 0x3002).needs_dsp);       // mla
  EXPECT_TRUE(decode(0xFA2F, 0xF081).needs_dsp);        // sxtb16
  EXPECT_FALSE(decode(0xFA4F, 0xF081).needs_dsp);       // sxtb.w
  EXPECT_FALSE(decode(0xFAB1, 0xF081).needs_dsp);       // clz
  EXPECT_TRUE(decode(0xEAC1, 0x0002).needs_dsp);        // pkhbt
  EXPECT_TRUE(decode(0xEE30, 0x0A81).uses_fpu);         // vadd.f32
  EXPECT_TRUE(decode(0xDE01, 0).undefined);             // udf
}

TEST(DecodePolicing, FindsTheMarkers) {
  EXPECT_EQ(decode(0x46DB, 0).marker, Marker::begin);
  EXPECT_EQ(decode(0x46E4, 0).marker, Marker::end);
  EXPECT_EQ(decode(0x46C0, 0).marker, Marker::none);  // mov r8, r8
}

TEST(EffectiveAddress, FollowsEveryForm) {
  struct Form {
    std::uint16_t first, second;
    std::uint32_t base, index, expected;
  };
  for (const Form& form : {Form{0x6848, 0, 0x1000, 0, 0x1004},             // ldr r0, [r1, #4]
                           Form{0x5888, 0, 0x1000, 0x20, 0x1020},          // ldr r0, [r1, r2]
                           Form{0x4801, 0, 0x1002, 0, 0x1008},             // ldr r0, [pc, #4]
                           Form{0xF851, 0x0C04, 0x1000, 0, 0x0FFC},        // ldr r0, [r1, #-4]
                           Form{0xF851, 0x0B04, 0x1000, 0, 0x1000},        // ldr r0, [r1], #4
                           Form{0xF851, 0x0F04, 0x1000, 0, 0x1004},        // ldr r0, [r1, #4]!
                           Form{0xF851, 0x0022, 0x1000, 0x10, 0x1040}}) {  // [r1, r2, lsl #2]
    const Instruction it = decode(form.first, form.second);
    ASSERT_GE(it.address.base, 0);
    EXPECT_EQ(effective_address(it.address, form.base, form.index), form.expected);
  }
}

}  // namespace
}  // namespace assay::virtual_board

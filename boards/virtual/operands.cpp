#include "boards/virtual/operands.hpp"

#include <span>

#include "boards/virtual/decode.hpp"

namespace assay::virtual_board {
namespace {

// Where an encoding names a register. A 32-bit encoding is read as first << 16 | second.
enum Field : std::uint32_t {
  r0 = 1u << 0,     // bits 2:0
  r3 = 1u << 1,     // bits 5:3
  r6 = 1u << 2,     // bits 8:6
  r8 = 1u << 3,     // bits 10:8
  high = 1u << 4,   // bit 7 and bits 2:0
  four = 1u << 5,   // bits 6:3
  list8 = 1u << 6,  // bits 7:0, one for each register
  sp = 1u << 7,
  lr = 1u << 8,
  pushed_lr = 1u << 9,   // LR when bit 8 is set
  popped_pc = 1u << 10,  // PC when bit 8 is set
  n = 1u << 11,          // bits 19:16
  d = 1u << 12,          // bits 11:8
  t = 1u << 13,          // bits 15:12
  m = 1u << 14,          // bits 3:0
  list16 = 1u << 15,     // bits 15:0, one for each register
  n_if_any = 1u << 16,   // bits 19:16, 15 meaning none
  t_if_any = 1u << 17,   // bits 15:12, 15 meaning none
  n_if_w = 1u << 18,     // bits 19:16 when bit 21 asks for write-back
  fd = 1u << 19,         // D:Vd, N:Vn, M:Vm of a floating-point encoding
  fn = 1u << 20,
  fm = 1u << 21,
  flist = 1u << 22,  // from D:Vd, as many as bits 7:0 say
};

/// One encoding: the fields that name each kind of operand. The first row that fits is taken.
struct Row {
  std::uint32_t mask, value;
  std::uint32_t results, sources, address = 0, accumulator = 0, early = 0, base_update = 0;
  std::uint16_t traits = 0;
};

// A5.2, in the order of the encodings.
constexpr Row rows_16[] = {
    {0xFC00, 0x1800, r0, r3 | r6, 0, 0, 0, 0, simple | sets_flags},       // ADD, SUB (register)
    {0xFC00, 0x1C00, r0, r3, 0, 0, 0, 0, simple | sets_flags},            // (3-bit immediate)
    {0xE000, 0x0000, r0, r3, 0, 0, 0, 0, shift | sets_flags},             // LSL, LSR, ASR
    {0xF800, 0x2000, r8, 0, 0, 0, 0, 0, simple | sets_flags},             // MOV
    {0xF800, 0x2800, 0, r8, 0, 0, 0, 0, sets_flags},                      // CMP
    {0xF000, 0x3000, r8, r8, 0, 0, 0, 0, simple | sets_flags},            // ADD, SUB
    {0xFF80, 0x4080, r0, r0 | r3, 0, 0, 0, 0, shift | sets_flags},        // LSL, LSR
    {0xFFC0, 0x4100, r0, r0 | r3, 0, 0, 0, 0, shift | sets_flags},        // ASR
    {0xFFC0, 0x41C0, r0, r0 | r3, 0, 0, 0, 0, shift | sets_flags},        // ROR
    {0xFFC0, 0x4140, r0, r0 | r3, 0, 0, 0, 0, sets_flags | reads_flags},  // ADC
    {0xFFC0, 0x4180, r0, r0 | r3, 0, 0, 0, 0, sets_flags | reads_flags},  // SBC
    {0xFFC0, 0x4200, 0, r0 | r3, 0, 0, 0, 0, sets_flags},                 // TST
    {0xFF80, 0x4280, 0, r0 | r3, 0, 0, 0, 0, sets_flags},                 // CMP, CMN
    {0xFFC0, 0x4240, r0, r3, 0, 0, 0, 0, sets_flags},                     // RSB
    {0xFFC0, 0x43C0, r0, r3, 0, 0, 0, 0, sets_flags},                     // MVN
    {0xFC00, 0x4000, r0, r0 | r3, 0, 0, 0, 0, sets_flags},                // AND, EOR, ORR, MUL, BIC
    {0xFF00, 0x4400, high, high | four, 0, 0, 0, 0, simple},              // ADD
    {0xFF00, 0x4500, 0, high | four, 0, 0, 0, 0, sets_flags},             // CMP
    {0xFF00, 0x4600, high, four, 0, 0, 0, 0, simple},                     // MOV
    {0xFF80, 0x4700, 0, four},                                            // BX
    {0xFF80, 0x4780, lr, four},                                           // BLX
    {0xF800, 0x4800, r8, 0, 0, 0, 0, 0, literal},                         // LDR (literal)
    {0xFE00, 0x5000, 0, r0, r3 | r6, 0, 0, 0, register_offset},           // STR
    {0xFE00, 0x5200, 0, r0, r3 | r6, 0, 0, 0, register_offset | narrow},  // STRH
    {0xFE00, 0x5400, 0, r0, r3 | r6, 0, 0, 0, register_offset | narrow},  // STRB
    {0xFE00, 0x5800, r0, 0, r3 | r6, 0, 0, 0, register_offset},           // LDR
    {0xF000, 0x5000, r0, 0, r3 | r6, 0, 0, 0, register_offset | narrow},  // LDRSB and the like
    {0xF800, 0x6000, 0, r0, r3},                                          // STR
    {0xF800, 0x6800, r0, 0, r3},                                          // LDR
    {0xE800, 0x6000, 0, r0, r3, 0, 0, 0, narrow},                         // STRB
    {0xE800, 0x6800, r0, 0, r3, 0, 0, 0, narrow},                         // LDRB
    {0xF800, 0x8000, 0, r0, r3, 0, 0, 0, narrow},                         // STRH
    {0xF800, 0x8800, r0, 0, r3, 0, 0, 0, narrow},                         // LDRH
    {0xF800, 0x9000, 0, r8, sp},                                          // STR (SP)
    {0xF800, 0x9800, r8, 0, sp},                                          // LDR (SP)
    {0xF800, 0xA000, r8, 0, 0, 0, 0, 0, simple},                          // ADR
    {0xF800, 0xA800, r8, sp, 0, 0, 0, 0, simple},                         // ADD (SP)
    {0xFF00, 0xB000, sp, sp, 0, 0, 0, 0, simple},                         // ADD, SUB SP
    {0xF500, 0xB100, 0, r0},                                              // CBZ, CBNZ
    {0xFF00, 0xB200, r0, r3, 0, 0, 0, 0, bit_field},                      // SXTH and the like
    {0xFE00, 0xB400, 0, list8 | pushed_lr, sp, 0, 0, sp},                 // PUSH
    {0xFF00, 0xBA00, r0, r3, 0, 0, r3, 0, bit_field},                     // REV and the like
    {0xFE00, 0xBC00, list8 | popped_pc, 0, sp, 0, 0, sp},                 // POP
    {0xFF0F, 0xBF00, 0, 0},                                               // hints
    {0xFF00, 0xBF00, 0, 0, 0, 0, 0, 0, reads_flags},                      // IT
    {0xF800, 0xC000, 0, list8, r8, 0, 0, r8},                             // STM
    {0xF800, 0xC800, list8, 0, r8, 0, 0, r8},                             // LDM
    {0xFE00, 0xDE00, 0, 0},                                               // UDF, SVC
    {0xF000, 0xD000, 0, 0, 0, 0, 0, 0, reads_flags},                      // B<c>
};

// A5.3. Flags, write-back and shifted operands that a bit decides are added by refine_32.
constexpr Row rows_32[] = {
    {0xFFF0FFE0, 0xE8D0F000, 0, 0, n | m, 0, 0, 0, table},        // TBB, TBH
    {0xFE500000, 0xE8100000, list16, 0, n, 0, 0, n_if_w},         // LDM
    {0xFE500000, 0xE8000000, 0, list16, n, 0, 0, n_if_w},         // STM
    {0xFFF00000, 0xE8500000, t, 0, n},                            // LDREX
    {0xFFF00000, 0xE8400000, d, t, n},                            // STREX
    {0xFFF00000, 0xE8D00000, t, 0, n},                            // LDREXB, LDREXH
    {0xFFF00000, 0xE8C00000, m, t, n},                            // STREXB, STREXH
    {0xFE500000, 0xE8500000, t | d, 0, n, 0, 0, n_if_w},          // LDRD
    {0xFE500000, 0xE8400000, 0, t | d, n, 0, 0, n_if_w},          // STRD
    {0xFFF00F00, 0xEA100F00, 0, n | m, 0, 0, 0, 0, sets_flags},   // TST
    {0xFFF00F00, 0xEA900F00, 0, n | m, 0, 0, 0, 0, sets_flags},   // TEQ
    {0xFFF00F00, 0xEB100F00, 0, n | m, 0, 0, 0, 0, sets_flags},   // CMN
    {0xFFF00F00, 0xEBB00F00, 0, n | m, 0, 0, 0, 0, sets_flags},   // CMP
    {0xFFEFF0F0, 0xEA4F0000, d, m, 0, 0, 0, 0, simple},           // MOV
    {0xFFEF0000, 0xEA4F0000, d, m, 0, 0, m, 0, shifted},          // LSL #n and the like
    {0xFFEF0000, 0xEA6F0000, d, m},                               // MVN
    {0xFFE00000, 0xEAC00000, d, n | m, 0, 0, m, 0, bit_field},    // PKHBT, PKHTB
    {0xFFC00000, 0xEB400000, d, n | m, 0, 0, 0, 0, reads_flags},  // ADC, SBC
    {0xFFE00000, 0xEB000000, d, n | m, 0, 0, 0, 0, simple},       // ADD
    {0xFFE00000, 0xEBA00000, d, n | m, 0, 0, 0, 0, simple},       // SUB
    {0xFE000000, 0xEA000000, d, n | m},                           // AND, BIC, ORR and the like
    {0xFBF08F00, 0xF0100F00, 0, n, 0, 0, 0, 0, sets_flags},       // TST, constants from here on
    {0xFBF08F00, 0xF0900F00, 0, n, 0, 0, 0, 0, sets_flags},       // TEQ
    {0xFBF08F00, 0xF1100F00, 0, n, 0, 0, 0, 0, sets_flags},       // CMN
    {0xFBF08F00, 0xF1B00F00, 0, n, 0, 0, 0, 0, sets_flags},       // CMP
    {0xFBEF8000, 0xF04F0000, d, 0, 0, 0, 0, 0, simple},           // MOV
    {0xFBEF8000, 0xF06F0000, d, 0},                               // MVN
    {0xFBC08000, 0xF1400000, d, n, 0, 0, 0, 0, reads_flags},      // ADC, SBC
    {0xFBE08000, 0xF1000000, d, n, 0, 0, 0, 0, simple},           // ADD
    {0xFBE08000, 0xF1A00000, d, n, 0, 0, 0, 0, simple},           // SUB
    {0xFA008000, 0xF0000000, d, n},                               // AND, BIC, ORR and the like
    {0xFBF08000, 0xF2000000, d, n, 0, 0, 0, 0, simple},           // ADDW
    {0xFBF08000, 0xF2A00000, d, n, 0, 0, 0, 0, simple},           // SUBW
    {0xFBF08000, 0xF2400000, d, 0, 0, 0, 0, 0, simple},           // MOVW
    {0xFBF08000, 0xF2C00000, d, d, 0, 0, 0, 0, simple},           // MOVT
    {0xFBF08000, 0xF3600000, d, d | n_if_any, 0, 0, n_if_any, 0, bit_field},  // BFI, BFC
    {0xFB008000, 0xF3000000, d, n, 0, 0, n, 0, bit_field},            // SSAT, SBFX and the like
    {0xF800D000, 0xF000D000, lr, 0},                                  // BL
    {0xFFE0D000, 0xF3E08000, d, 0},                                   // MRS
    {0xFFE0D000, 0xF3808000, 0, n},                                   // MSR
    {0xFB80D000, 0xF3808000, 0, 0},                                   // hints, barriers
    {0xF800D000, 0xF0008000, 0, 0, 0, 0, 0, 0, reads_flags},          // B<c>
    {0xFE1F0000, 0xF81F0000, t, 0, 0, 0, 0, 0, literal},              // LDR (literal)
    {0xFE900FC0, 0xF8000000, 0, t, n | m, 0, 0, 0, register_offset},  // STR (register)
    {0xFE900FC0, 0xF8100000, t, 0, n | m, 0, 0, 0, register_offset},  // LDR (register)
    {0xFE900900, 0xF8000900, 0, t, n, 0, 0, n},                       // STR with write-back
    {0xFE900900, 0xF8100900, t, 0, n, 0, 0, n},                       // LDR with write-back
    {0xFE100000, 0xF8000000, 0, t, n},                                // STR
    {0xFE100000, 0xF8100000, t, 0, n},                                // LDR
    {0xFF80F0F0, 0xFA00F000, d, n | m, 0, 0, 0, 0, shift},            // LSL and the like
    {0xFF8FF080, 0xFA0FF080, d, m, 0, 0, 0, 0, bit_field},            // SXTH and the like
    {0xFF80F080, 0xFA00F080, d, n | m, 0, 0, m, 0, bit_field},        // SXTAH and the like
    {0xFFF0F0C0, 0xFA90F080, d, m, 0, 0, m, 0, bit_field},            // REV, RBIT and the like
    {0xFFF0F0F0, 0xFAB0F080, d, m, 0, 0, 0, 0, bit_field},            // CLZ
    {0xFF80F000, 0xFA80F000, d, n | m, 0, 0, 0, 0, bit_field},        // QADD, UADD8 and the like
    {0xFF800000, 0xFB000000, d, n | m, 0, t_if_any},                  // MUL, MLA, SMLAD, ...
    {0xFFD00000, 0xFB900000, d, n | m},                               // SDIV, UDIV
    {0xFFC00000, 0xFBC00000, d | t, n | m, 0, d | t},                 // SMLAL, UMLAL, ...
    {0xFF800000, 0xFB800000, d | t, n | m},                           // SMULL, UMULL
    {0xFF300F00, 0xED100A00, fd, 0, n},                               // VLDR, of one or two words
    {0xFF300F00, 0xED100B00, fd, 0, n},
    {0xFF300F00, 0xED000A00, 0, fd, n},  // VSTR
    {0xFF300F00, 0xED000B00, 0, fd, n},
    {0xFFF00E00, 0xEC500A00, t | n, fm},                           // VMOV to two core registers
    {0xFFF00E00, 0xEC400A00, fm, t | n},                           // and from two
    {0xFE100E00, 0xEC100A00, flist, 0, n, 0, 0, n_if_w},           // VLDM, VPOP
    {0xFE100E00, 0xEC000A00, 0, flist, n, 0, 0, n_if_w},           // VSTM, VPUSH
    {0xFF100E10, 0xEE100A10, t_if_any, fn},                        // VMOV to a core register, VMRS
    {0xFF100E10, 0xEE000A10, fn, t},                               // VMOV from a core register
    {0xFFBF0E40, 0xEEB40A40, 0, fd | fm, 0, 0, 0, 0, sets_flags},  // VCMP
    {0xFFB00E40, 0xEEB00A00, fd, 0},                               // VMOV of a constant
    {0xFFB00E40, 0xEEB00A40, fd, fm},                              // VMOV, VCVT, VSQRT and the like
    {0xFFA00E00, 0xEE200A00, fd, fn | fm},                         // VMUL, VADD and the like
    {0xFFB00E00, 0xEE800A00, fd, fn | fm},                         // VDIV
    {0xFE000E00, 0xEE000A00, fd, fd | fn | fm},                    // VMLA, VFMA and the like
};

constexpr std::uint32_t bits(std::uint32_t value, unsigned low, unsigned count) {
  return value >> low & ((1u << count) - 1);
}

RegisterSet core_register(std::uint32_t number) {
  return RegisterSet{1} << number;
}

// A register is `high_bits` and one bit more, at the end for S registers, at the front for D
// (A6.3).
RegisterSet float_registers(std::uint32_t code, unsigned low, unsigned extra, std::uint32_t words) {
  const bool is_double = code & 0x100;
  const std::uint32_t number = bits(code, low, 4);
  const std::uint32_t more = bits(code, extra, 1);
  const std::uint32_t first = is_double ? 2 * (more << 4 | number) : number << 1 | more;
  RegisterSet set = 0;
  for (std::uint32_t i = first; i < first + words && i < 32; ++i)
    set |= RegisterSet{1} << (16 + i);
  return set;
}

RegisterSet registers(std::uint32_t code, std::uint32_t fields) {
  if (fields == 0) return 0;
  RegisterSet set = 0;
  const auto add = [&](Field field, RegisterSet registers) {
    if (fields & field) set |= registers;
  };
  add(r0, core_register(bits(code, 0, 3)));
  add(r3, core_register(bits(code, 3, 3)));
  add(r6, core_register(bits(code, 6, 3)));
  add(r8, core_register(bits(code, 8, 3)));
  add(high, core_register(bits(code, 7, 1) << 3 | bits(code, 0, 3)));
  add(four, core_register(bits(code, 3, 4)));
  add(list8, bits(code, 0, 8));
  add(sp, core_register(13));
  add(lr, core_register(14));
  add(pushed_lr, RegisterSet{bits(code, 8, 1)} << 14);
  add(popped_pc, RegisterSet{bits(code, 8, 1)} << 15);
  add(n, core_register(bits(code, 16, 4)));
  add(d, core_register(bits(code, 8, 4)));
  add(t, core_register(bits(code, 12, 4)));
  add(m, core_register(bits(code, 0, 4)));
  add(list16, bits(code, 0, 16));
  if (bits(code, 16, 4) != 15) add(n_if_any, core_register(bits(code, 16, 4)));
  if (bits(code, 12, 4) != 15) add(t_if_any, core_register(bits(code, 12, 4)));
  if (code & 1u << 21) add(n_if_w, core_register(bits(code, 16, 4)));
  const std::uint32_t words = code & 0x100 ? 2 : 1;
  add(fd, float_registers(code, 12, 22, words));
  add(fn, float_registers(code, 16, 7, words));
  add(fm, float_registers(code, 0, 5, words));
  add(flist, float_registers(code, 12, 22, bits(code, 0, 8)));
  return set;
}

// What single bits of a 32-bit encoding add: S, a shift amount, a rotated constant, a width.
void refine_32(std::uint32_t code, Operands& operands) {
  const bool shifted_register = (code & 0xFE000000) == 0xEA000000;
  const bool constant = (code & 0xFA008000) == 0xF0000000;
  if ((shifted_register || constant) && code & 1u << 20) operands.traits |= sets_flags;
  if (shifted_register && code & 0x70F0) {
    operands.traits |= shifted;
    operands.early |= registers(code, m);
  }
  // i:imm3:imm8 (A5.3.2): what is beyond a byte comes out of the shifter; a move or an addition
  // takes up to twelve bits without.
  const std::uint32_t imm12 = bits(code, 26, 1) << 11 | bits(code, 12, 3) << 8 | bits(code, 0, 8);
  constexpr std::uint32_t within_12_bits = 28;  // least rotation to the right that stays there
  if (constant && imm12 > 0xFF && (!operands.is(simple) || imm12 >> 7 < within_12_bits))
    operands.traits |= shifted;
  const bool single_access = (code & 0xFE000000) == 0xF8000000;
  if (single_access && bits(code, 21, 2) != 2) operands.traits |= narrow;
}

}  // namespace

Operands operands_of(std::uint16_t first, std::uint16_t second) {
  const bool wide = is_wide(first);
  const std::uint32_t code = wide ? std::uint32_t{first} << 16 | second : first;
  for (const Row& row : wide ? std::span<const Row>(rows_32) : std::span<const Row>(rows_16)) {
    if ((code & row.mask) != row.value) continue;
    Operands operands;
    operands.results = registers(code, row.results);
    operands.base_update = registers(code, row.base_update);
    operands.sources = registers(code, row.sources);
    operands.early = registers(code, row.early);
    operands.address = registers(code, row.address);
    operands.accumulator = registers(code, row.accumulator);
    operands.traits = row.traits;
    if (wide) refine_32(code, operands);
    return operands;
  }
  return {};
}

}  // namespace assay::virtual_board

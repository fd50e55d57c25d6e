// Requantization of ARITHMETIC.md inside asm statements that hold their sums in registers.
#pragma once

/// Two sums that hold b' already become outputs: y = clamp((((sum) >> P) * m) >> R), each with the
/// register of its m and the name of the operand that says its P (and how many bits its sum has
/// below the point). Four instructions an output: ASR, MUL, SSAT with shift, and none for a P of 0;
/// three more for each limit of a fused activation.
#define ASSAY_REQUANTIZE_TWO(a, shift_a, m_a, b, shift_b, m_b) \
  ".if %c[" shift_a "]\n\tasr " a ", " a ", #%c[" shift_a      \
  "]\n\t.endif\n\t"                                            \
  ".if %c[" shift_b "]\n\tasr " b ", " b ", #%c[" shift_b      \
  "]\n\t.endif\n\t"                                            \
  "mul " a ", " a ", " m_a "\n\tmul " b ", " b ", " m_b        \
  "\n\t"                                                       \
  "ssat " a ", #8, " a                                         \
  ", asr #%c[output_shift]\n\t"                                \
  "ssat " b ", #8, " b                                         \
  ", asr #%c[output_shift]\n\t"                                \
  ".if %c[clamp_min] > -128\n\t"                               \
  "cmp " a ", #%c[clamp_min]\n\tit lt\n\tmovlt " a             \
  ", #%c[clamp_min]\n\t"                                       \
  "cmp " b ", #%c[clamp_min]\n\tit lt\n\tmovlt " b             \
  ", #%c[clamp_min]\n\t.endif\n\t"                             \
  ".if %c[clamp_max] < 127\n\t"                                \
  "cmp " a ", #%c[clamp_max]\n\tit gt\n\tmovgt " a             \
  ", #%c[clamp_max]\n\t"                                       \
  "cmp " b ", #%c[clamp_max]\n\tit gt\n\tmovgt " b ", #%c[clamp_max]\n\t.endif\n\t"

/// One sum, in the same way.
#define ASSAY_REQUANTIZE_ONE(a, shift_a, m_a)             \
  ".if %c[" shift_a "]\n\tasr " a ", " a ", #%c[" shift_a \
  "]\n\t.endif\n\t"                                       \
  "mul " a ", " a ", " m_a "\n\tssat " a ", #8, " a       \
  ", asr #%c[output_shift]\n\t"                           \
  ".if %c[clamp_min] > -128\n\t"                          \
  "cmp " a ", #%c[clamp_min]\n\tit lt\n\tmovlt " a        \
  ", #%c[clamp_min]\n\t.endif\n\t"                        \
  ".if %c[clamp_max] < 127\n\t"                           \
  "cmp " a ", #%c[clamp_max]\n\tit gt\n\tmovgt " a ", #%c[clamp_max]\n\t.endif\n\t"

/// The operands they need beside its shifts.
#define ASSAY_REQUANTIZE_OPERANDS(L) \
  [output_shift] "i"(L::output_shift), [clamp_min] "i"(L::clamp_min), [clamp_max] "i"(L::clamp_max)

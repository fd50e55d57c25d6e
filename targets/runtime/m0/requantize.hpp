// Requantization of ARITHMETIC.md for an accumulator that holds b' already, in C++ and in pieces of
// assembler for loops that leave no register to the compiler.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels::m0 {

template <class L>
ASSAY_INLINE std::int8_t clamp(std::int32_t y) {
  // Sign-extend and compare: six instructions where two comparisons with constants take more.
  if (y != static_cast<std::int8_t>(y)) y = (y >> 31) ^ 127;
  if constexpr (L::clamp_min > -128) y = y < L::clamp_min ? L::clamp_min : y;
  if constexpr (L::clamp_max < 127) y = y > L::clamp_max ? L::clamp_max : y;
  return static_cast<std::int8_t>(y);
}

template <class L>
ASSAY_INLINE std::int8_t requantize(std::int32_t accumulator, std::int32_t multiplier) {
  return clamp<L>(((accumulator >> L::accumulator_shift) * multiplier) >> L::output_shift);
}

// The low register `sum` becomes ((sum >> P) * m) >> R. A shift by no bits is no instruction.
#define ASSAY_M0_SCALE(sum, multiplier) \
  ".if %c[accumulator_shift]\n\t"       \
  "asrs " sum ", " sum                  \
  ", #%c[accumulator_shift]\n\t"        \
  ".endif\n\t"                          \
  "muls " sum ", " multiplier ", " sum  \
  "\n\t"                                \
  ".if %c[output_shift]\n\t"            \
  "asrs " sum ", " sum                  \
  ", #%c[output_shift]\n\t"             \
  ".endif\n\t"

// The low register `to` becomes clamp8(from); `from` is lost. Limits other than int8's compare the
// distance from the lower one with the range.
#define ASSAY_M0_CLAMP(to, from)                          \
  ".if %c[clamp_min] == -128 && %c[clamp_max] == 127\n\t" \
  "sxtb " to ", " from                                    \
  "\n\t"                                                  \
  "cmp " to ", " from                                     \
  "\n\t"                                                  \
  "beq 9f\n\t"                                            \
  "asrs " to ", " from                                    \
  ", #31\n\t"                                             \
  "movs " from                                            \
  ", #127\n\t"                                            \
  "eors " to ", " from                                    \
  "\n"                                                    \
  "9:\n\t"                                                \
  ".else\n\t"                                             \
  "movs " to ", " from                                    \
  "\n\t"                                                  \
  ".if %c[clamp_min] > 0\n\t"                             \
  "subs " to                                              \
  ", #%c[clamp_min]\n\t"                                  \
  ".else\n\t"                                             \
  "adds " to                                              \
  ", #-(%c[clamp_min])\n\t"                               \
  ".endif\n\t"                                            \
  "cmp " to                                               \
  ", #%c[clamp_max] - (%c[clamp_min])\n\t"                \
  "bls 9f\n\t"                                            \
  "asrs " from ", " to                                    \
  ", #31\n\t"                                             \
  "movs " to                                              \
  ", #%c[clamp_max] - (%c[clamp_min])\n\t"                \
  "bics " to ", " from                                    \
  "\n"                                                    \
  "9:\n\t"                                                \
  ".if %c[clamp_min] > 0\n\t"                             \
  "adds " to                                              \
  ", #%c[clamp_min]\n\t"                                  \
  ".else\n\t"                                             \
  "subs " to                                              \
  ", #-(%c[clamp_min])\n\t"                               \
  ".endif\n\t"                                            \
  ".endif\n\t"

// The operands that the two above refer to.
#define ASSAY_M0_REQUANTIZE_OPERANDS(L)                                               \
  [accumulator_shift] "i"(L::accumulator_shift), [output_shift] "i"(L::output_shift), \
      [clamp_min] "i"(static_cast<int>(L::clamp_min)),                                \
      [clamp_max] "i"(static_cast<int>(L::clamp_max))

}  // namespace assay::kernels::m0

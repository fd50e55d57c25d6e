// What optimized kernels need of the compiler.
#pragma once

/// Small pieces that must be part of their caller, at -Os too.
#define ASSAY_INLINE inline __attribute__((always_inline))
/// The same for a lambda, between its parameters and its body.
#define ASSAY_INLINE_LAMBDA __attribute__((always_inline))

/// GCC takes an asm statement to be as long as its lines, to keep literal pools and branch targets
/// within reach; these blank ones stand for the lines that .rept repeats (at most 192).
#define ASSAY_LINES_6 "\n\n\n\n\n\n"
#define ASSAY_LINES_48                                                                \
  ASSAY_LINES_6 ASSAY_LINES_6 ASSAY_LINES_6 ASSAY_LINES_6 ASSAY_LINES_6 ASSAY_LINES_6 \
      ASSAY_LINES_6 ASSAY_LINES_6
#define ASSAY_LINES_192 ASSAY_LINES_48 ASSAY_LINES_48 ASSAY_LINES_48 ASSAY_LINES_48

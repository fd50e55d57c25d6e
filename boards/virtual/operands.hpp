// Which registers an instruction waits for and which it makes, and the units it occupies: what a
// pipeline model needs beyond decode.hpp. Encodings: Armv7-M Architecture Reference Manual
// (DDI 0403E), chapters A5 and A7. Pure functions, thread-safe.
#pragma once

#include <cstdint>

namespace assay::virtual_board {

/// Bit n: Rn; bit 16 + n: Sn (a D register is two of them).
using RegisterSet = std::uint64_t;

/// What makes an instruction special to a pipeline.
enum Trait : std::uint16_t {
  sets_flags = 1 << 0,       ///< by its encoding; within an IT block a 16-bit one does not
  reads_flags = 1 << 1,      ///< ADC, SBC, IT, a branch on a condition
  simple = 1 << 2,           ///< ADD, SUB, MOV: an adder or a move, nothing else
  shift = 1 << 3,            ///< LSL, LSR, ASR, ROR as instructions of their own
  shifted = 1 << 4,          ///< an operand passes the shifter first
  bit_field = 1 << 5,        ///< extends, bit fields, saturation, parallel (DSP) arithmetic
  narrow = 1 << 6,           ///< moves a byte or a half-word
  register_offset = 1 << 7,  ///< address = base + index
  literal = 1 << 8,          ///< loads from an address relative to PC
  table = 1 << 9,            ///< TBB, TBH
};

struct Operands {
  RegisterSet results = 0;      ///< computed or loaded
  RegisterSet base_update = 0;  ///< address register written back
  RegisterSet sources = 0;      ///< data, with `early`
  RegisterSet early = 0;        ///< those of `sources` that are needed a stage before the others
  RegisterSet address = 0;      ///< form the address of a load or store
  RegisterSet accumulator = 0;  ///< added to a product
  std::uint16_t traits = 0;

  bool is(Trait trait) const { return traits & trait; }
};

/// Operands of the instruction whose halfwords are `first` and `second`; an encoding nobody knows
/// has none. `second` is ignored for 16-bit encodings.
Operands operands_of(std::uint16_t first, std::uint16_t second);

}  // namespace assay::virtual_board

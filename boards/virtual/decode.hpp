// Thumb instructions as far as counting, cycle costs and policing need them: length, class, what is
// transferred, which registers are written and how an address is formed. Encodings: Armv7-M
// Architecture Reference Manual (DDI 0403E), chapter A5. Pure functions, thread-safe.
#pragma once

#include <cstdint>

#include "boards/virtual/operands.hpp"

namespace assay::virtual_board {

/// Classes of the instruction counts; they add up to the total. Floating-point arithmetic, hints,
/// system instructions and the window markers are `other`.
enum class InstructionClass : std::uint8_t { alu, load, store, multiply, branch, other };
constexpr int instruction_class_count = 6;

/// What the cycle model tells apart.
enum class Operation : std::uint8_t {
  alu,
  if_then,  ///< IT
  multiply,
  multiply_long,
  mac,
  divide,
  load,
  store,
  branch,           ///< B, CBZ, TBB: to an address in the instruction or a table
  branch_link,      ///< BL
  branch_register,  ///< BX, BLX, a move or add to PC
  system,
  barrier,
  float_alu,
  float_mac,
  float_divide,
};

enum class Marker : std::uint8_t { none, begin, end };

/// How a load or store forms its address: base + offset, or base + (index << shift).
struct Addressing {
  std::int8_t base = -1;   ///< register number; -1: not a single-address access we follow
  std::int8_t index = -1;  ///< -1: none
  std::uint8_t shift = 0;
  std::int32_t offset = 0;
};

struct Instruction {
  std::uint8_t size = 2;  ///< bytes
  InstructionClass kind = InstructionClass::alu;
  Operation operation = Operation::alu;
  Marker marker = Marker::none;
  std::uint8_t words = 1;       ///< words a load or store moves
  bool multiple = false;        ///< LDM, STM, PUSH, POP, LDRD, STRD and their like
  bool conditional = false;     ///< a branch that may fall through
  bool loads_pc = false;        ///< POP or LDM or LDR into PC
  bool uses_fpu = false;        ///< needs CP10 and CP11 enabled
  bool needs_dsp = false;       ///< Armv7E-M extension
  bool needs_mainline = false;  ///< not in Armv6-M
  bool undefined = false;       ///< permanently undefined
  std::uint16_t writes = 0;     ///< core registers written, bit n for Rn
  Addressing address;
  Operands operands;

  /// Words it brings into registers; a byte or half-word counts as one.
  std::uint32_t words_loaded() const { return operation == Operation::load ? words : 0u; }
};

/// Decodes the instruction whose halfwords are `first` and `second`; `second` is ignored for 16-bit
/// encodings.
Instruction decode(std::uint16_t first, std::uint16_t second);

/// True when `first` is the beginning of a 32-bit instruction (A5.1).
constexpr bool is_wide(std::uint16_t first) {
  return first >= 0xE800;
}

/// Address of a load or store from the live values of its base and index registers (the base of a
/// PC-relative access is the address of the instruction). Only when `address.base` is not negative.
std::uint32_t effective_address(const Addressing& address, std::uint32_t base, std::uint32_t index);

}  // namespace assay::virtual_board

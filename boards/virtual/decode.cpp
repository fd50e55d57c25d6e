#include "boards/virtual/decode.hpp"

#include <bit>

namespace assay::virtual_board {
namespace {

constexpr std::uint16_t begin_marker = 0x46DB;  // mov r11, r11
constexpr std::uint16_t end_marker = 0x46E4;    // mov r12, r12

constexpr unsigned bits(unsigned value, unsigned low, unsigned count) {
  return value >> low & ((1u << count) - 1);
}
constexpr std::uint16_t register_bit(unsigned number) {
  return static_cast<std::uint16_t>(1u << number);
}
constexpr std::uint16_t pc_bit = 0x8000;

Instruction make(Operation operation, InstructionClass kind, std::uint16_t writes = 0) {
  Instruction result;
  result.operation = operation;
  result.kind = kind;
  result.writes = writes;
  return result;
}

Instruction alu(std::uint16_t writes) {
  return make(Operation::alu, InstructionClass::alu, writes);
}
Instruction other(Operation operation, std::uint16_t writes = 0) {
  return make(operation, InstructionClass::other, writes);
}
Instruction branch(Operation operation, bool conditional) {
  Instruction result = make(operation, InstructionClass::branch);
  result.conditional = conditional;
  if (operation == Operation::branch_link) result.writes = register_bit(14);
  return result;
}
Instruction access(bool load, unsigned words, std::uint16_t loaded) {
  Instruction result = make(load ? Operation::load : Operation::store,
                            load ? InstructionClass::load : InstructionClass::store);
  result.words = static_cast<std::uint8_t>(words);
  result.multiple = true;
  if (load) {
    result.writes = loaded;
    result.loads_pc = loaded & pc_bit;
  }
  return result;
}
Instruction access_one(bool load, unsigned target) {
  Instruction result = access(load, 1, register_bit(target));
  result.multiple = false;
  return result;
}
Instruction access_offset(bool load, unsigned target, unsigned base, std::int32_t offset) {
  Instruction result = access_one(load, target);
  result.address = {static_cast<std::int8_t>(base), -1, 0, offset};
  return result;
}
Instruction access_indexed(bool load, unsigned target, unsigned base, unsigned index,
                           unsigned shift) {
  Instruction result = access_one(load, target);
  result.address = {static_cast<std::int8_t>(base), static_cast<std::int8_t>(index),
                    static_cast<std::uint8_t>(shift), 0};
  return result;
}

// A5.2.3 and A5.2.2: special data instructions, branch and exchange, data processing.
Instruction decode_register_16(std::uint16_t op) {
  if ((op & 0xFC00) == 0x4000) {
    const unsigned code = bits(op, 6, 4);
    const bool compares = code == 8 || code == 10 || code == 11;
    Instruction result = alu(compares ? 0 : register_bit(op & 7));
    if (code == 13) {
      result.operation = Operation::multiply;
      result.kind = InstructionClass::multiply;
    }
    return result;
  }
  if ((op & 0xFF00) == 0x4700) {
    Instruction result = branch(Operation::branch_register, false);
    if (op & 0x80) result.writes = register_bit(14);
    return result;
  }
  if (op == begin_marker || op == end_marker) {
    Instruction result = other(Operation::alu);
    result.marker = op == begin_marker ? Marker::begin : Marker::end;
    return result;
  }
  const unsigned target = (op & 7) | bits(op, 7, 1) << 3;
  Instruction result = alu(bits(op, 8, 2) == 1 ? 0 : register_bit(target));
  if (result.writes & pc_bit) result.operation = Operation::branch_register;
  return result;
}

// A5.2.4: load and store single data item.
Instruction decode_access_16(std::uint16_t op) {
  const unsigned target = op & 7;
  const unsigned base = bits(op, 3, 3);
  if ((op & 0xF000) == 0x5000)
    return access_indexed(bits(op, 9, 3) >= 3, target, base, bits(op, 6, 3), 0);
  const bool load = op & 0x0800;
  const auto offset = static_cast<std::int32_t>(bits(op, 6, 5));
  if (op < 0x7000) return access_offset(load, target, base, offset * 4);
  if (op < 0x8000) return access_offset(load, target, base, offset);
  if (op < 0x9000) return access_offset(load, target, base, offset * 2);
  return access_offset(load, bits(op, 8, 3), 13, static_cast<std::int32_t>(op & 0xFF) * 4);
}

// A5.2.5: miscellaneous 16-bit instructions.
Instruction decode_miscellaneous_16(std::uint16_t op) {
  const unsigned list = op & 0xFF;
  if ((op & 0xFF00) == 0xB000) return alu(register_bit(13));
  if ((op & 0xF500) == 0xB100) {
    Instruction result = branch(Operation::branch, true);
    result.needs_mainline = true;
    return result;
  }
  if ((op & 0xFE00) == 0xB400) return access(false, std::popcount(list) + bits(op, 8, 1), 0);
  if ((op & 0xFE00) == 0xBC00) {
    const bool pc = op & 0x100;
    return access(true, std::popcount(list) + pc,
                  static_cast<std::uint16_t>(list | (pc ? pc_bit : 0)));
  }
  if ((op & 0xFFE0) == 0xB660) return other(Operation::system);
  if ((op & 0xFF00) == 0xBE00) return other(Operation::system);
  if ((op & 0xFF00) == 0xBF00) {
    const bool if_then = op & 0xF;
    Instruction result = other(if_then ? Operation::if_then : Operation::alu);
    result.needs_mainline = if_then;
    return result;
  }
  return alu(register_bit(op & 7));  // extends, reversals
}

Instruction decode_16(std::uint16_t op) {
  switch (op >> 12) {
    case 0x0:
    case 0x1:
      return alu(register_bit(op & 7));
    case 0x2:
    case 0x3:
      return alu((op & 0xF800) == 0x2800 ? 0 : register_bit(bits(op, 8, 3)));
    case 0x4:
      if (op & 0x0800)
        return access_offset(true, bits(op, 8, 3), 15, static_cast<std::int32_t>(op & 0xFF) * 4);
      return decode_register_16(op);
    case 0x5:
    case 0x6:
    case 0x7:
    case 0x8:
    case 0x9:
      return decode_access_16(op);
    case 0xA:
      return alu(register_bit(bits(op, 8, 3)));
    case 0xB:
      return decode_miscellaneous_16(op);
    case 0xC: {
      const bool load = op & 0x0800;
      const auto list = static_cast<std::uint16_t>(op & 0xFF);
      Instruction result = access(load, std::popcount(list), list);
      result.writes |= register_bit(bits(op, 8, 3));
      return result;
    }
    case 0xD:
      if (bits(op, 8, 4) >= 14) {
        Instruction result = other(Operation::system);  // SVC, or UDF
        result.undefined = bits(op, 8, 4) == 14;
        return result;
      }
      return branch(Operation::branch, true);
    default:
      return branch(Operation::branch, false);
  }
}

// A5.3.5 to A5.3.7: multiple, dual, exclusive, table branch.
Instruction decode_multiple_32(std::uint16_t first, std::uint16_t second) {
  const bool load = first & 0x10;
  const std::uint16_t base = register_bit(first & 15);
  if (!(first & 0x40)) {
    Instruction result = access(load, std::popcount(second), second);
    if (first & 0x20) result.writes |= base;
    return result;
  }
  if ((first & 0xFFF0) == 0xE8D0 && (second & 0xFFE0) == 0xF000)
    return branch(Operation::branch, false);
  const std::uint16_t target = register_bit(second >> 12);
  const bool exclusive = (first & 0xFFE0) == 0xE840 || (first & 0xFFE0) == 0xE8C0;
  if (exclusive) {
    Instruction result = access(load, 1, target);
    result.multiple = false;
    if (!load) result.writes = register_bit(first & 0x80 ? second & 15 : bits(second, 8, 4));
    return result;
  }
  Instruction result =
      access(load, 2, static_cast<std::uint16_t>(target | register_bit(bits(second, 8, 4))));
  if (first & 0x20) result.writes |= base;
  return result;
}

// A5.3.8 to A5.3.10: single loads and stores.
Instruction decode_single_32(std::uint16_t first, std::uint16_t second) {
  const bool load = first & 0x10;
  const unsigned base = first & 15;
  const unsigned target = second >> 12;
  if (base == 15) {
    const auto offset = static_cast<std::int32_t>(second & 0xFFF);
    return access_offset(load, target, base, first & 0x80 ? offset : -offset);
  }
  if (first & 0x80)
    return access_offset(load, target, base, static_cast<std::int32_t>(second & 0xFFF));
  if (!(second & 0x800)) return access_indexed(load, target, base, second & 15, bits(second, 4, 2));
  std::int32_t offset = second & 0xFF;
  if (!(second & 0x200)) offset = -offset;
  Instruction result = access_offset(load, target, base, second & 0x400 ? offset : 0);
  if (second & 0x100) result.writes |= register_bit(base);
  return result;
}

// A5.3.16 and A5.3.17: multiply, multiply accumulate, long multiply, divide.
Instruction decode_multiply_32(std::uint16_t first, std::uint16_t second) {
  Instruction result = make(Operation::mac, InstructionClass::multiply);
  result.writes = register_bit(bits(second, 8, 4));
  const unsigned code = bits(first, 4, 3);
  if (!(first & 0x80)) {
    result.needs_dsp = code != 0;
    if (code == 0 && (second & 0xF0F0) == 0xF000) result.operation = Operation::multiply;
    return result;
  }
  if (code == 1 || code == 3) {
    result.operation = Operation::divide;
    return result;
  }
  result.operation = Operation::multiply_long;
  result.writes |= register_bit(second >> 12);
  result.needs_dsp = code == 5 || ((code == 4 || code == 6) && bits(second, 4, 4) != 0);
  return result;
}

// A5.3.15: register shifts, extends, parallel arithmetic.
Instruction decode_register_32(std::uint16_t first, std::uint16_t second) {
  Instruction result = alu(register_bit(bits(second, 8, 4)));
  const unsigned code = bits(first, 4, 4);
  const bool extend = !(first & 0x80) && (second & 0x80);
  const bool parallel = (first & 0x80) && !(second & 0x80);
  const bool saturating = (code & 12) == 8 && (second & 0x80);  // QADD and SEL; not REV, CLZ
  if (extend) result.needs_dsp = (first & 15) != 15 || code == 2 || code == 3;
  if (parallel) result.needs_dsp = true;
  if (saturating) result.needs_dsp = code == 8 || code == 10;
  return result;
}

// A5.3.4: branches and miscellaneous control.
Instruction decode_control_32(std::uint16_t first, std::uint16_t second) {
  if ((second & 0x5000) == 0x5000) return branch(Operation::branch_link, false);
  if (second & 0x1000) return branch(Operation::branch, false);
  if ((first & 0x0380) != 0x0380) return branch(Operation::branch, true);
  const unsigned code = bits(first, 4, 7);
  if (code == 0x3B) return other(Operation::barrier);
  if (code == 0x3E || code == 0x3F)
    return other(Operation::system, register_bit(bits(second, 8, 4)));
  Instruction result = other(code == 0x3A ? Operation::alu : Operation::system);
  result.undefined = code == 0x7F;
  result.needs_mainline = code == 0x3A;
  return result;
}

// A6.4 to A6.8: floating point.
Instruction decode_float(std::uint16_t first, std::uint16_t second) {
  Instruction result;
  if ((first & 0xFE00) == 0xEC00) {
    const bool transfer = (first & 0xFFE0) == 0xEC40;  // VMOV of two registers
    const bool multiple = !((first & 0x0120) == 0x0100);
    const bool doubles = second & 0x100;
    const unsigned words = multiple ? second & 0xFF : doubles ? 2 : 1;
    result = transfer ? other(Operation::float_alu) : access(first & 0x10, words, 0);
    result.multiple = words != 1;
    if (transfer) result.kind = first & 0x10 ? InstructionClass::load : InstructionClass::store;
    if (!transfer && multiple && (first & 0x20)) result.writes = register_bit(first & 15);
  } else if (second & 0x10) {
    result = other(Operation::float_alu);  // VMOV, VMRS to or from a core register
    if (first & 0x10) result.writes = register_bit(second >> 12);
  } else {
    const unsigned code = bits(first, 4, 4) & 11;
    const bool square_root = (first & 0x00BF) == 0x00B1 && (second & 0x00C0) == 0x00C0;
    result = other(code == 8 || square_root               ? Operation::float_divide
                   : code <= 1 || code == 9 || code == 10 ? Operation::float_mac
                                                          : Operation::float_alu);
  }
  result.uses_fpu = true;
  return result;
}

Instruction decode_32(std::uint16_t first, std::uint16_t second) {
  Instruction result;
  bool in_baseline = false;
  if ((first & 0xFE00) == 0xE800) {
    result = decode_multiple_32(first, second);
  } else if ((first & 0xFE00) == 0xEA00) {
    const bool tests = bits(second, 8, 4) == 15 && (first & 0x10);
    result = alu(tests ? 0 : register_bit(bits(second, 8, 4)));
    result.needs_dsp = bits(first, 5, 4) == 6;  // PKHBT, PKHTB
  } else if ((first & 0xEC00) == 0xEC00) {
    const unsigned coprocessor = bits(second, 8, 4);
    if (coprocessor == 10 || coprocessor == 11) {
      result = decode_float(first, second);
    } else {
      result = other(Operation::system);
      result.undefined = true;
    }
  } else if ((first & 0xF800) == 0xF000) {
    if (second & 0x8000) {
      result = decode_control_32(first, second);
      in_baseline = result.operation == Operation::branch_link ||
                    result.operation == Operation::barrier || result.operation == Operation::system;
    } else {
      const bool tests = bits(second, 8, 4) == 15 && (first & 0x10) && !(first & 0x200);
      result = alu(tests ? 0 : register_bit(bits(second, 8, 4)));
      const bool saturate_16 = (first & 0xFF70) == 0xF320 && (second & 0x70C0) == 0;
      result.needs_dsp = saturate_16;
    }
  } else if ((first & 0xFE00) == 0xF800) {
    result = decode_single_32(first, second);
  } else if ((first & 0xFF00) == 0xFA00) {
    result = decode_register_32(first, second);
  } else {
    result = decode_multiply_32(first, second);
  }
  result.size = 4;
  result.needs_mainline = !in_baseline;
  return result;
}

}  // namespace

Instruction decode(std::uint16_t first, std::uint16_t second) {
  Instruction result = is_wide(first) ? decode_32(first, second) : decode_16(first);
  result.operands = operands_of(first, second);
  return result;
}

std::uint32_t effective_address(const Addressing& address, std::uint32_t base,
                                std::uint32_t index) {
  if (address.base == 15) base = (base + 4) & ~3u;
  if (address.index < 0) return base + static_cast<std::uint32_t>(address.offset);
  return base + (index << address.shift);
}

}  // namespace assay::virtual_board

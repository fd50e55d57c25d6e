// Memory-mapped registers and bounded waiting, shared by the drivers. Freestanding C++17.
#pragma once

#include <cstdint>

// Where address 0 of the chip lies: at 0, on the chip. The tests of the drivers on the host put it
// where a process may map memory.
#ifndef ASSAY_REGISTER_BASE
#define ASSAY_REGISTER_BASE 0
#endif

namespace assay::port {

/// The 32-bit register at an address.
inline volatile std::uint32_t& reg(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(std::uintptr_t{ASSAY_REGISTER_BASE} + address);
}

/// Replaces the bits of `mask` by `value`.
inline void modify(std::uint32_t address, std::uint32_t mask, std::uint32_t value) {
  reg(address) = (reg(address) & ~mask) | value;
}

/// Polls until (register & mask) == value; false when it did not come. 20 000 polls last at least
/// 10 ms on a 16 MHz core, longer than any oscillator or PLL of the supported chips needs (2 ms and
/// 0.3 ms by their datasheets), and no time at all where a register is not modelled.
inline bool wait_for(std::uint32_t address, std::uint32_t mask, std::uint32_t value) {
  for (int polls = 0; polls < 20000; ++polls)
    if ((reg(address) & mask) == value) return true;
  return false;
}

}  // namespace assay::port

// From reset to main(): vector table, memory initialization, faults. Freestanding C++17.
#pragma once

#include <cstdint>

#include "targets/port/cycle_counter.hpp"

namespace assay::port {

using Handler = void (*)();

// From the linker script; only their addresses mean something.
extern "C" std::uint32_t assay_stack_bottom[];
extern "C" std::uint32_t assay_stack_top[];

/// Entry after reset.
extern "C" [[noreturn]] void reset_handler();
/// The board's UART interrupt.
extern "C" void uart_interrupt();
/// Every other exception and fault: writes fault_record and stays there.
extern "C" [[noreturn]] void unexpected_exception();

/// Why the firmware stopped, for a debugger.
struct FaultRecord {
  std::uint32_t exception;  ///< IPSR: 3 is HardFault, 16 + n is interrupt n; 0: no fault; set last
  std::uint32_t pc;         ///< where, 0 when the stack was unusable
  std::uint32_t lr;
  std::uint32_t cfsr;  ///< configurable fault status on v7-M, else 0
};
extern "C" FaultRecord fault_record;

/// Reads a word that the bus may refuse, as emulators of a part refuse its system memory; false
/// when it did. The fault handler knows this one load.
extern "C" bool probe_read(std::uint32_t address, std::uint32_t* word);

/// What a stack pointer below which nothing was used yet looks like.
constexpr std::uint32_t stack_paint = 0xA55A5AA5;
/// Paints the stack below the caller.
void paint_stack();

/// Vectors up to and including the board's UART interrupt; no other interrupt is ever enabled.
template <unsigned UartInterrupt>
struct VectorTable {
  const void* stack = assay_stack_top;
  Handler handlers[15 + UartInterrupt + 1];

  constexpr VectorTable() : handlers{} {
    for (Handler& handler : handlers)
      handler = unexpected_exception;
    handlers[0] = reset_handler;
    handlers[14] = systick_interrupt;
    handlers[15 + UartInterrupt] = uart_interrupt;
  }
};

}  // namespace assay::port

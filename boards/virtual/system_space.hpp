// The private peripheral bus at 0xE0000000: system control (B3.2), SysTick, NVIC, DWT cycle
// counter, FPU identification, and the CoreSight identification that debuggers read. Registers the
// debug port owns (DHCSR and friends) are passed to it. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>

#include "boards/virtual/core_registers.hpp"
#include "boards/virtual/memory.hpp"
#include "boards/virtual/nvic.hpp"
#include "boards/virtual/peripheral.hpp"
#include "boards/virtual/systick.hpp"
#include "harness/core/part.hpp"

namespace assay::virtual_board {

/// Configurable fault status (CFSR) bits the model raises.
enum FaultStatus : std::uint32_t {
  fault_instruction_access = 1u << 0,      ///< IACCVIOL: fetch from where no code can be
  fault_instruction_bus = 1u << 8,         ///< IBUSERR
  fault_precise_bus = 1u << 9 | 1u << 15,  ///< PRECISERR with BFARVALID
  fault_stacking = 1u << 12,               ///< STKERR
  fault_undefined = 1u << 16,              ///< UNDEFINSTR
  fault_state = 1u << 17,                  ///< INVSTATE
  fault_exception_return = 1u << 18,       ///< INVPC
  fault_no_coprocessor = 1u << 19,         ///< NOCP
  fault_unaligned = 1u << 24,
};

class SystemSpace : public Peripheral {
 public:
  /// What system-control writes ask of the core.
  struct Requests {
    std::function<void()> system_reset;        ///< AIRCR.SYSRESETREQ
    std::function<void()> interrupts_changed;  ///< pending or enabled state may have changed
    std::function<std::uint32_t(std::uint32_t)> read_debug;         ///< DFSR, DHCSR to DEMCR, FPB
    std::function<void(std::uint32_t, std::uint32_t)> write_debug;  ///< the same, by offset
  };

  /// Needs a reset() before use.
  SystemSpace(const Part& part, const TimeSource& time, Requests requests);

  std::uint32_t read(std::uint32_t offset) override;
  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override;
  void reset() override;

  Nvic& nvic() { return nvic_; }
  SysTick& systick() { return systick_; }
  std::uint32_t vector_table() const { return vector_table_; }
  bool fpu_enabled() const { return (coprocessor_access_ >> 20 & 15) == 15; }
  bool automatic_fpu_stacking() const { return fpu_context_ >> 31 & 1; }
  bool mainline() const { return mainline_; }

  /// Notes a fault; `address` goes into BFAR when the status says it is valid.
  void note_fault(std::uint32_t status, std::uint32_t address);
  void note_forced_hard_fault() { hard_fault_status_ |= 1u << 30; }
  std::uint32_t fault_status() const { return fault_status_; }
  std::uint32_t hard_fault_status() const { return hard_fault_status_; }
  std::uint32_t fault_address() const { return bus_fault_address_; }
  /// Grows with every read of a time register.
  std::uint64_t time_reads() const { return time_reads_; }

 private:
  bool write_watchpoint(std::uint32_t offset, std::uint32_t value);
  std::uint32_t read_control(std::uint32_t offset);
  void write_control(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes);
  std::uint32_t read_interrupt_state() const;
  void write_interrupt_state(std::uint32_t value);
  std::uint32_t read_priorities(std::uint32_t offset) const;
  std::uint32_t read_identification(std::uint32_t offset) const;

  const Part& part_;
  const TimeSource& time_;
  Requests requests_;
  bool mainline_;
  bool fpu_;
  bool cycle_counter_;
  Nvic nvic_;
  SysTick systick_;
  CoreRegisters core_registers_;
  bool watchpoint_lock_;  ///< the Cortex-M7's DWT is write-protected until it is unlocked
  bool watchpoint_locked_ = false;
  std::uint32_t vector_table_ = 0;
  std::uint32_t coprocessor_access_ = 0;
  std::uint32_t fpu_context_ = 0;
  std::uint32_t system_control_ = 0;
  std::uint32_t configuration_ = 0;
  std::uint32_t handler_control_ = 0;
  std::uint32_t fault_status_ = 0;
  std::uint32_t hard_fault_status_ = 0;
  std::uint32_t bus_fault_address_ = 0;
  std::uint32_t watchpoint_control_ = 0;
  std::uint64_t cycle_counter_zero_ = 0;     ///< modelled time at which CYCCNT was 0
  std::uint32_t cycle_counter_stopped_ = 0;  ///< its value while it is off
  std::uint64_t time_reads_ = 0;
};

}  // namespace assay::virtual_board

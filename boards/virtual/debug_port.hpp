// What a debug probe reaches over SWD: the debug port, one memory access port (Arm IHI 0031, ADIv5)
// and the core's debug registers (Armv7-M ARM C1.6). All calls under the board's lock.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "boards/virtual/memory.hpp"
#include "boards/virtual/processor.hpp"
#include "harness/core/part.hpp"

namespace assay::virtual_board {

class DebugPort {
 public:
  /// `after_write` is called after every write, so that a reset asked for can happen.
  DebugPort(const Part& part, MemoryMap& memory, Processor& processor,
            std::function<void()> after_write);

  /// Debug and access port registers by their addresses. AP 0 is the core's memory access port; AP
  /// 2 of an STM32H7 reaches its debug components, from 0xE00E0000 on, where the core sees them
  /// from 0x5C000000 on (RM0433, debug infrastructure).
  std::uint32_t read_dp(std::uint32_t address) const;
  void write_dp(std::uint32_t address, std::uint32_t value);
  /// Nothing: the bus answered with a fault.
  std::optional<std::uint32_t> read_ap(std::uint32_t port, std::uint32_t address);
  bool write_ap(std::uint32_t port, std::uint32_t address, std::uint32_t value);

  /// Memory as an access port sees it.
  std::optional<std::uint32_t> read_memory(std::uint32_t address, std::uint32_t size,
                                           std::uint32_t port = 0);
  bool write_memory(std::uint32_t address, std::uint32_t size, std::uint32_t value,
                    std::uint32_t port = 0);

  /// Core debug registers by offset from 0xE0000000: DFSR, DHCSR, DCRSR, DCRDR, DEMCR, FPB.
  std::uint32_t read_debug(std::uint32_t offset);
  void write_debug(std::uint32_t offset, std::uint32_t value);

  /// The board was reset: remembers it for DHCSR.S_RESET_ST; true when the core must halt at its
  /// reset vector.
  bool note_reset();
  std::uint32_t debug_port_id() const { return part_.debug_port_id; }

 private:
  static constexpr std::size_t breakpoint_count = 8;
  std::uint32_t breakpoint_slots() const;
  bool is_m7() const { return part_.core.engine_model == "cortex-m7"; }
  std::uint32_t read_halting_control();
  void write_halting_control(std::uint32_t value);
  void write_breakpoint(std::uint32_t offset, std::uint32_t value);
  void apply_breakpoints();
  struct AccessPort {
    std::uint32_t csw;
    std::uint32_t address = 0;  ///< TAR
  };
  bool is_h7() const;
  AccessPort* access_port(std::uint32_t port);
  static void advance_address(AccessPort& ap, std::uint32_t size);
  std::optional<std::uint32_t> bus_address(std::uint32_t address, std::uint32_t port) const;
  std::uint32_t identification(std::uint32_t port) const;

  const Part& part_;
  MemoryMap& memory_;
  Processor& processor_;
  std::function<void()> after_write_;
  std::uint32_t control_status_ = 0;  ///< DP CTRL/STAT
  AccessPort core_port_, debug_bus_port_;
  bool debug_enabled_ = false;
  std::uint32_t halting_bits_ = 0;  ///< C_MASKINTS and C_SNAPSTALL as written
  std::uint32_t register_data_ = 0;
  std::uint32_t monitor_control_ = 0;
  bool reset_seen_ = true;
  bool breakpoints_enabled_ = false;
  std::array<std::uint32_t, breakpoint_count> comparators_{};
};

}  // namespace assay::virtual_board

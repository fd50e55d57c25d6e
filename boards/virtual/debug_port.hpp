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

  /// Debug and access port registers by their addresses; AP 0 is the memory access port.
  std::uint32_t read_dp(std::uint32_t address) const;
  void write_dp(std::uint32_t address, std::uint32_t value);
  /// Nothing: the bus answered with a fault.
  std::optional<std::uint32_t> read_ap(std::uint32_t port, std::uint32_t address);
  bool write_ap(std::uint32_t port, std::uint32_t address, std::uint32_t value);

  /// Memory as the access port sees it.
  std::optional<std::uint32_t> read_memory(std::uint32_t address, std::uint32_t size);
  bool write_memory(std::uint32_t address, std::uint32_t size, std::uint32_t value);

  /// Core debug registers by offset from 0xE0000000: DFSR, DHCSR, DCRSR, DCRDR, DEMCR, FPB.
  std::uint32_t read_debug(std::uint32_t offset);
  void write_debug(std::uint32_t offset, std::uint32_t value);

  /// The board was reset: remembers it for DHCSR.S_RESET_ST; true when the core must halt at its
  /// reset vector.
  bool note_reset();
  std::uint32_t debug_port_id() const { return part_.debug_port_id; }

 private:
  static constexpr std::size_t breakpoint_count = 6;
  std::uint32_t breakpoint_slots() const;
  std::uint32_t read_halting_control();
  void write_halting_control(std::uint32_t value);
  void write_breakpoint(std::uint32_t offset, std::uint32_t value);
  void apply_breakpoints();
  void advance_address(std::uint32_t size);

  const Part& part_;
  MemoryMap& memory_;
  Processor& processor_;
  std::function<void()> after_write_;
  std::uint32_t control_status_ = 0;  ///< DP CTRL/STAT
  std::uint32_t csw_;
  std::uint32_t transfer_address_ = 0;
  bool debug_enabled_ = false;
  std::uint32_t halting_bits_ = 0;  ///< C_MASKINTS and C_SNAPSTALL as written
  std::uint32_t register_data_ = 0;
  std::uint32_t monitor_control_ = 0;
  bool reset_seen_ = true;
  bool breakpoints_enabled_ = false;
  std::array<std::uint32_t, breakpoint_count> comparators_{};
};

}  // namespace assay::virtual_board

// A driver for the UART of QEMU's mps2 machines (Arm Cortex-M System Design Kit, DDI 0479, section
// 4.3).
#pragma once

#include "targets/port/board_config.hpp"
#include "targets/port/registers.hpp"

namespace assay::port::cmsdk {

inline constexpr std::uint32_t data = 0x00;
inline constexpr std::uint32_t state = 0x04;
inline constexpr std::uint32_t control = 0x08;
inline constexpr std::uint32_t interrupt_clear = 0x0C;
inline constexpr std::uint32_t divider = 0x10;
// STATE
inline constexpr std::uint32_t transmit_full = 1u << 0;
inline constexpr std::uint32_t receive_full = 1u << 1;
inline constexpr std::uint32_t receive_overrun = 1u << 3;
// INTCLEAR
inline constexpr std::uint32_t receive_interrupt = 1u << 1;

inline void open(std::uint32_t base, std::uint32_t, std::uint32_t) {
  reg(base + divider) = 16;
  reg(base + control) = 1u << 0 | 1u << 1 | 1u << 3;  // send, receive, interrupt on receive
}

inline bool take(std::uint32_t base, std::uint8_t& byte, bool& overrun) {
  const std::uint32_t now = reg(base + state);
  overrun = (now & receive_overrun) != 0;
  if (overrun) reg(base + state) = receive_overrun;
  if ((now & receive_full) == 0) return false;
  reg(base + interrupt_clear) = receive_interrupt;
  byte = static_cast<std::uint8_t>(reg(base + data));
  return true;
}

inline void put(std::uint32_t base, std::uint8_t byte) {
  wait_for(base + state, transmit_full, 0);
  reg(base + data) = byte;
}

inline const UartDriver uart{open, take, put};

}  // namespace assay::port::cmsdk

// Board constants of QEMU's mps2-an505 and a driver for its first UART (Arm Cortex-M System Design
// Kit, DDI 0479, section 4.3). The emulated machine has one fixed clock.
#include "targets/port/board_config.hpp"
#include "targets/port/registers.hpp"
#include "targets/port/startup.hpp"

namespace assay::port {
namespace {

constexpr std::uint32_t data = 0x00;
constexpr std::uint32_t state = 0x04;
constexpr std::uint32_t control = 0x08;
constexpr std::uint32_t interrupt_clear = 0x0C;
constexpr std::uint32_t divider = 0x10;
// STATE
constexpr std::uint32_t transmit_full = 1u << 0;
constexpr std::uint32_t receive_full = 1u << 1;
constexpr std::uint32_t receive_overrun = 1u << 3;
// INTCLEAR
constexpr std::uint32_t receive_interrupt = 1u << 1;

void open(std::uint32_t base, std::uint32_t, std::uint32_t) {
  reg(base + divider) = 16;
  reg(base + control) = 1u << 0 | 1u << 1 | 1u << 3;  // send, receive, interrupt on receive
}

bool take(std::uint32_t base, std::uint8_t& byte, bool& overrun) {
  const std::uint32_t now = reg(base + state);
  overrun = (now & receive_overrun) != 0;
  if (overrun) reg(base + state) = receive_overrun;
  if ((now & receive_full) == 0) return false;
  reg(base + interrupt_clear) = receive_interrupt;
  byte = static_cast<std::uint8_t>(reg(base + data));
  return true;
}

void put(std::uint32_t base, std::uint8_t byte) {
  wait_for(base + state, transmit_full, 0);
  reg(base + data) = byte;
}

const UartDriver cmsdk_uart{open, take, put};

}  // namespace

extern const VectorTable<32> vector_table;
[[gnu::section(".vectors"), gnu::used]] constexpr VectorTable<32> vector_table;

const BoardConfig board_config{
    0,          20'000'000,
    3300,       0x40200000,
    32,         115200,
    {0, 0, 0},  {0, 1, 0},
    0,          [](const BoardConfig& config) { return Clocks{config.clock_hz, config.clock_hz}; },
    &cmsdk_uart};

}  // namespace assay::port

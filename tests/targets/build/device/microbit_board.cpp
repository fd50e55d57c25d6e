// Board constants of QEMU's microbit and a driver for its UART (nRF51 Series Reference Manual 3.0,
// chapter 29). The emulated machine has one fixed clock.
#include "targets/port/board_config.hpp"
#include "targets/port/registers.hpp"
#include "targets/port/startup.hpp"

namespace assay::port {
namespace {

constexpr std::uint32_t tasks_startrx = 0x000;
constexpr std::uint32_t tasks_starttx = 0x008;
constexpr std::uint32_t events_rxdrdy = 0x108;
constexpr std::uint32_t events_txdrdy = 0x11C;
constexpr std::uint32_t intenset = 0x304;
constexpr std::uint32_t enable = 0x500;
constexpr std::uint32_t rxd = 0x518;
constexpr std::uint32_t txd = 0x51C;

void open(std::uint32_t base, std::uint32_t, std::uint32_t) {
  reg(base + enable) = 4;
  reg(base + intenset) = 1u << 2;  // RXDRDY
  reg(base + tasks_startrx) = 1;
  reg(base + tasks_starttx) = 1;
}

bool take(std::uint32_t base, std::uint8_t& byte, bool& overrun) {
  overrun = false;
  if (reg(base + events_rxdrdy) == 0) return false;
  reg(base + events_rxdrdy) = 0;
  byte = static_cast<std::uint8_t>(reg(base + rxd));
  return true;
}

void put(std::uint32_t base, std::uint8_t byte) {
  reg(base + events_txdrdy) = 0;
  reg(base + txd) = byte;
  wait_for(base + events_txdrdy, 1, 1);
}

const UartDriver nrf51_uart{open, take, put};

}  // namespace

extern const VectorTable<2> vector_table;
[[gnu::section(".vectors"), gnu::used]] constexpr VectorTable<2> vector_table;

const BoardConfig board_config{
    0,          16'000'000,
    3300,       0x40002000,
    2,          115200,
    {0, 24, 0}, {0, 25, 0},
    0,          [](const BoardConfig& config) { return Clocks{config.clock_hz, config.clock_hz}; },
    &nrf51_uart};

}  // namespace assay::port

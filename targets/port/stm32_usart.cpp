// The two register layouts of the STM32 USART: v1 (RM0090 30.6) and v2 (RM0360 24.7), and the
// low-power UART, which is a v2 with another baud divider (RM0432 48.7).
#include "targets/port/board_config.hpp"
#include "targets/port/pll.hpp"
#include "targets/port/registers.hpp"

namespace assay::port {
namespace {

// Status bits, alike in SR (v1) and ISR (v2).
constexpr std::uint32_t overrun_error = 1u << 3;
constexpr std::uint32_t receive_not_empty = 1u << 5;
constexpr std::uint32_t transmit_empty = 1u << 7;
// Control register 1, alike but for the enable bit.
constexpr std::uint32_t receiver = 1u << 2;
constexpr std::uint32_t transmitter = 1u << 3;
constexpr std::uint32_t receive_interrupt = 1u << 5;
constexpr std::uint32_t oversample_by_8 = 1u << 15;

struct V1 {
  static constexpr std::uint32_t status = 0x00;
  static constexpr std::uint32_t receive_data = 0x04;
  static constexpr std::uint32_t transmit_data = 0x04;
  static constexpr std::uint32_t baud = 0x08;
  static constexpr std::uint32_t control1 = 0x0C;
  static constexpr std::uint32_t enable = 1u << 13;
  static constexpr bool reading_clears_overrun = true;
  /// Reading SR and then DR clears the flag (RM0090 30.6.1).
  static void clear_overrun(std::uint32_t base) {
    [[maybe_unused]] const std::uint32_t dropped = reg(base + receive_data);
  }
};

struct V2 {
  static constexpr std::uint32_t status = 0x1C;
  static constexpr std::uint32_t receive_data = 0x24;
  static constexpr std::uint32_t transmit_data = 0x28;
  static constexpr std::uint32_t baud = 0x0C;
  static constexpr std::uint32_t control1 = 0x00;
  static constexpr std::uint32_t enable = 1u << 0;
  static constexpr bool reading_clears_overrun = false;
  static constexpr std::uint32_t interrupt_clear = 0x20;
  static void clear_overrun(std::uint32_t base) { reg(base + interrupt_clear) = overrun_error; }
};

/// Oversampling by 8 throughout: it reaches twice the baud, and the divider is then one number in
/// both generations: the clocks per bit, whose low three bits sit apart (RM0090 30.3.4).
template <class Registers>
void open(std::uint32_t base, std::uint32_t clock_hz, std::uint32_t baud) {
  const std::uint32_t divider = choose_baud(clock_hz, baud).divider;
  reg(base + Registers::control1) = oversample_by_8;
  reg(base + Registers::baud) = ((divider >> 3) << 4) | (divider & 7);
  reg(base + Registers::control1) =
      oversample_by_8 | receiver | transmitter | receive_interrupt | Registers::enable;
}

/// Bit 15 does not exist here, and the divider is 256 times the clocks per bit.
void open_low_power(std::uint32_t base, std::uint32_t clock_hz, std::uint32_t baud) {
  reg(base + V2::control1) = 0;
  reg(base + V2::baud) = lpuart_divider(clock_hz, baud);
  reg(base + V2::control1) = receiver | transmitter | receive_interrupt | V2::enable;
}

template <class Registers>
bool take(std::uint32_t base, std::uint8_t& byte, bool& overrun) {
  const std::uint32_t status = reg(base + Registers::status);
  overrun = (status & overrun_error) != 0;
  if ((status & receive_not_empty) != 0) {
    byte = static_cast<std::uint8_t>(reg(base + Registers::receive_data));
    if (overrun && !Registers::reading_clears_overrun) Registers::clear_overrun(base);
    return true;
  }
  if (overrun) Registers::clear_overrun(base);
  return false;
}

template <class Registers>
void put(std::uint32_t base, std::uint8_t byte) {
  wait_for(base + Registers::status, transmit_empty, transmit_empty);
  reg(base + Registers::transmit_data) = byte;
}

}  // namespace

const UartDriver stm32_usart_v1{open<V1>, take<V1>, put<V1>};
const UartDriver stm32_usart_v2{open<V2>, take<V2>, put<V2>};
const UartDriver stm32_lpuart{open_low_power, take<V2>, put<V2>};

}  // namespace assay::port

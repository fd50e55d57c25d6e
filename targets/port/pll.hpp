// PLL and bus arithmetic of the supported chip families, used by the clock drivers on the device
// and by the firmware builder on the host, which refuses a clock that no setting reaches. Pure
// functions.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace assay::port {

constexpr std::uint32_t stm32f4_internal_hz = 16'000'000;  // RM0090 6.2.2
constexpr std::uint32_t stm32f0_internal_hz = 8'000'000;   // RM0360 7.2.2

/// STM32F4 and STM32F7: source / m * n / p.
struct PllStm32f4 {
  bool valid = false;
  std::uint32_t m = 0;
  std::uint32_t n = 0;
  std::uint32_t p = 0;
};

/// A setting that makes exactly `wanted_hz`, or one that is not valid. Limits from RM0090 6.3.2 and
/// DS8626 (main PLL characteristics): input 1 to 2 MHz, 2 MHz preferred for its lower jitter; VCO
/// 192 to 432 MHz. They lie within those of the STM32F7 (RM0385 5.3.2: VCO from 100 MHz).
constexpr PllStm32f4 choose_pll_stm32f4(std::uint32_t source_hz, std::uint32_t wanted_hz) {
  if (wanted_hz > 216'000'000) return {};  // the highest VCO over the lowest p
  for (std::uint32_t p = 2; p <= 8; p += 2) {
    const std::uint32_t vco = wanted_hz * p;
    if (vco < 192'000'000 || vco > 432'000'000) continue;
    for (const std::uint32_t input : {2'000'000u, 1'000'000u}) {
      const std::uint32_t m = source_hz / input;
      if (source_hz % input != 0 || vco % input != 0 || m < 2 || m > 63) continue;
      return {true, m, vco / input, p};
    }
  }
  return {};
}

/// Smallest power of two that brings `hz` down to `limit_hz`.
constexpr std::uint32_t bus_divider(std::uint32_t hz, std::uint32_t limit_hz) {
  std::uint32_t divider = 1;
  while (hz / divider > limit_hz)
    divider *= 2;
  return divider;
}

/// Highest clocks of the two peripheral buses.
struct BusLimits {
  std::uint32_t apb1_hz;
  std::uint32_t apb2_hz;
};
constexpr BusLimits stm32f4_buses{42'000'000, 84'000'000};   // DS8626, general operating conditions
constexpr BusLimits stm32f7_buses{54'000'000, 108'000'000};  // DS10916, the same table
constexpr std::uint32_t stm32f7_overdrive_above_hz = 180'000'000;  // DS10916, the same table

/// All families place bus 2 peripherals from 0x40010000 on.
constexpr bool on_second_bus(std::uint32_t peripheral_base) {
  return peripheral_base >= 0x40010000;
}

/// Clock of the bus a UART sits on, when each bus is divided just below its limit.
constexpr std::uint32_t uart_hz(const BusLimits& limits, std::uint32_t core_hz,
                                std::uint32_t uart_base) {
  return core_hz / bus_divider(core_hz, on_second_bus(uart_base) ? limits.apb2_hz : limits.apb1_hz);
}
constexpr std::uint32_t uart_hz_stm32f4(std::uint32_t core_hz, std::uint32_t uart_base) {
  return uart_hz(stm32f4_buses, core_hz, uart_base);
}
constexpr std::uint32_t uart_hz_stm32f7(std::uint32_t core_hz, std::uint32_t uart_base) {
  return uart_hz(stm32f7_buses, core_hz, uart_base);
}

/// STM32F0: source / prediv * mul.
struct PllStm32f0 {
  bool valid = false;
  std::uint32_t prediv = 0;
  std::uint32_t mul = 0;
};

/// A setting that makes exactly `wanted_hz`, or one that is not valid. Limits from RM0360 7.4.2 and
/// DS9773 (PLL characteristics): factor 2 to 16, output 16 to 48 MHz.
constexpr PllStm32f0 choose_pll_stm32f0(std::uint32_t source_hz, std::uint32_t wanted_hz) {
  if (wanted_hz < 16'000'000 || wanted_hz > 48'000'000) return {};
  for (std::uint32_t prediv = 1; prediv <= 16; ++prediv) {
    const std::uint32_t input = source_hz / prediv;
    if (source_hz % prediv != 0 || input < 1'000'000 || wanted_hz % input != 0) continue;
    const std::uint32_t mul = wanted_hz / input;
    if (mul >= 2 && mul <= 16) return {true, prediv, mul};
  }
  return {};
}

/// The baud divider in eighths of a bit's clocks, as oversampling by 8 counts it, and its error.
struct BaudSetting {
  std::uint32_t divider = 0;
  std::uint32_t actual_baud = 0;
};

/// Nearest divider; both USART generations need at least 8 clocks a bit.
constexpr BaudSetting choose_baud(std::uint32_t uart_hz, std::uint32_t baud) {
  std::uint32_t divider = (uart_hz + baud / 2) / baud;
  if (divider < 8) divider = 8;
  return {divider, uart_hz / divider};
}

/// Divider of a low-power UART: 256 times the clocks of a bit, at least 0x300 (RM0432 48.7.5).
constexpr std::uint32_t lpuart_divider(std::uint32_t uart_hz, std::uint32_t baud) {
  const std::uint32_t rest = uart_hz % baud;
  const std::uint32_t divider = 256 * (uart_hz / baud) + (256 * rest + baud / 2) / baud;
  return divider < 0x300 ? 0x300 : divider;
}

/// The baud that lpuart_divider() comes to; for the host, as it divides 64 bits.
constexpr std::uint32_t lpuart_actual_baud(std::uint32_t uart_hz, std::uint32_t baud) {
  return static_cast<std::uint32_t>(std::uint64_t{256} * uart_hz / lpuart_divider(uart_hz, baud));
}

}  // namespace assay::port

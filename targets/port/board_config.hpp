// What a firmware knows of its board: one constant, generated per board type and clock, that joins
// the prebuilt runtime of a core to a chip's registers. Freestanding C++17.
#pragma once

#include <cstdint>

namespace assay::port {

struct BoardConfig;

/// What runs after clock set-up.
struct Clocks {
  std::uint32_t core_hz;
  std::uint32_t uart_hz;  ///< clock of the bus the UART sits on
};

/// A UART register layout. All functions take the block's base address.
struct UartDriver {
  /// Sets baud, 8N1, receive interrupt on, transmitter and receiver enabled.
  void (*open)(std::uint32_t base, std::uint32_t clock_hz, std::uint32_t baud);
  /// Moves one received byte into `byte`; false when none waits. Sets `overrun` when the hardware
  /// dropped a byte, and clears that condition.
  bool (*take)(std::uint32_t base, std::uint8_t& byte, bool& overrun);
  /// Waits, bounded, until the transmitter has room and hands it one byte.
  void (*put)(std::uint32_t base, std::uint8_t byte);
};

/// A pin by port index (0 = A), number and alternate function.
struct PinConfig {
  std::uint32_t port;
  std::uint32_t number;
  std::uint32_t function;
};

/// How the core's voltage is made on chips that let firmware choose (harness/core/supply_mode.hpp
/// has the meaning of each).
enum class Supply : std::uint8_t { fixed, ldo, smps, smps_1v8_ldo, smps_2v5_ldo, external };

struct BoardConfig {
  std::uint32_t crystal_hz;  ///< 0: none, the internal oscillator is the source
  std::uint32_t clock_hz;    ///< core clock to set
  std::uint32_t supply_mv;   ///< decides flash wait states
  std::uint32_t uart_base;
  std::uint32_t uart_interrupt;
  std::uint32_t baud;
  PinConfig uart_tx;
  PinConfig uart_rx;
  std::uint32_t unique_id;  ///< address of the 96-bit id, 0 on parts without
  /// Sets flash wait states and clocks, powers the UART and its pins' ports, connects the pins.
  Clocks (*start)(const BoardConfig& config);
  const UartDriver* uart;
  bool clock_input = false;  ///< a clock signal stands in for the crystal
  bool caches = false;       ///< the core has caches, and runs with them on
  Supply supply = Supply::fixed;
};

extern const BoardConfig board_config;

// The chip families and UART layouts there are. The linker keeps only those board_config names.
Clocks start_stm32f4(const BoardConfig& config);
Clocks start_stm32f0(const BoardConfig& config);
Clocks start_stm32f7(const BoardConfig& config);
Clocks start_stm32h7(const BoardConfig& config);
Clocks start_stm32h7a3(const BoardConfig& config);
Clocks start_stm32l4(const BoardConfig& config);
Clocks start_stm32l4plus(const BoardConfig& config);
Clocks start_stm32g0(const BoardConfig& config);
Clocks start_stm32u5(const BoardConfig& config);
extern const UartDriver stm32_usart_v1;
extern const UartDriver stm32_usart_v2;
extern const UartDriver stm32_lpuart;

}  // namespace assay::port

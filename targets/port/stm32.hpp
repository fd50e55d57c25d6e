// What the STM32 families share: oscillator control bits, GPIO alternate functions, bus enables.
// Freestanding C++17.
#pragma once

#include "targets/port/board_config.hpp"
#include "targets/port/pll.hpp"
#include "targets/port/registers.hpp"

namespace assay::port::stm32 {

// RCC_CR, the same bits in RM0090 6.3.1, RM0360 7.4.1 and RM0433 8.7.2.
constexpr std::uint32_t hse_on = 1u << 16;
constexpr std::uint32_t hse_ready = 1u << 17;
constexpr std::uint32_t hse_bypass = 1u << 18;
constexpr std::uint32_t pll_on = 1u << 24;
constexpr std::uint32_t pll_ready = 1u << 25;

// RCC_CFGR, SW and SWS, the same in both.
constexpr std::uint32_t switch_internal = 0;
constexpr std::uint32_t switch_crystal = 1;
constexpr std::uint32_t switch_pll = 2;

/// Starts the crystal oscillator, or lets a clock signal in its place through; false when there is
/// none or it does not start.
inline bool start_crystal(std::uint32_t rcc_cr, const BoardConfig& config) {
  if (config.crystal_hz == 0) return false;
  if (config.clock_input) reg(rcc_cr) = reg(rcc_cr) | hse_bypass;  // before HSEON
  reg(rcc_cr) = reg(rcc_cr) | hse_on;
  return wait_for(rcc_cr, hse_ready, hse_ready);
}

/// Starts the 16 MHz oscillator of the L4, G0 and U5 (RM0351 6.4.1, RM0444 5.4.1, RM0456 11.8.1).
inline bool start_hsi16(std::uint32_t rcc_cr) {
  constexpr std::uint32_t hsi_on = 1u << 8;
  constexpr std::uint32_t hsi_ready = 1u << 10;
  reg(rcc_cr) = reg(rcc_cr) | hsi_on;
  return wait_for(rcc_cr, hsi_ready, hsi_ready);
}

/// Sets enable bits and reads them back: a peripheral's clock starts two cycles after its bit (ST's
/// errata sheets, "delay after an RCC peripheral clock enabling").
inline void enable(std::uint32_t enable_register, std::uint32_t bits) {
  reg(enable_register) = reg(enable_register) | bits;
  [[maybe_unused]] const std::uint32_t enabled = reg(enable_register);
}

/// Turns the configured PLL on; false, and off again, when it does not lock.
inline bool start_pll(std::uint32_t rcc_cr) {
  reg(rcc_cr) = reg(rcc_cr) | pll_on;
  if (wait_for(rcc_cr, pll_ready, pll_ready)) return true;
  reg(rcc_cr) = reg(rcc_cr) & ~pll_on;
  return false;
}

/// Selects the system clock; false when the switch does not happen.
inline bool switch_clock(std::uint32_t rcc_cfgr, std::uint32_t source) {
  modify(rcc_cfgr, 3u, source);
  return wait_for(rcc_cfgr, 3u << 2, source << 2);
}

/// The enable bit of a peripheral is its 1 KB slot on the bus (RM0090 6.3.13-14, RM0360 7.4.7-8).
inline std::uint32_t enable_bit(std::uint32_t peripheral_base) {
  const std::uint32_t bus = on_second_bus(peripheral_base) ? 0x40010000u : 0x40000000u;
  return 1u << ((peripheral_base - bus) / 0x400);
}

/// Connects a pin to its alternate function, fast, with a pull-up so that an open receive line
/// idles (RM0090 8.4, RM0360 8.4: one register layout).
inline void connect_pin(std::uint32_t gpio_a_base, const PinConfig& pin) {
  const std::uint32_t base = gpio_a_base + 0x400 * pin.port;
  const std::uint32_t two = 2 * pin.number;
  const std::uint32_t four = 4 * (pin.number % 8);
  modify(base + 0x20 + 4 * (pin.number / 8), 0xFu << four, pin.function << four);  // AFRL, AFRH
  modify(base + 0x08, 3u << two, 3u << two);                                       // OSPEEDR
  modify(base + 0x0C, 3u << two, 1u << two);                                       // PUPDR
  modify(base + 0x00, 3u << two, 2u << two);                                       // MODER
}

}  // namespace assay::port::stm32

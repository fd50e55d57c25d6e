// Clocks, flash wait states and UART connection of the STM32G0 family (RM0444).
#include "targets/port/pll_l4.hpp"
#include "targets/port/stm32.hpp"

namespace assay::port {
namespace {

using namespace stm32;

constexpr std::uint32_t rcc_cr = 0x40021000;
constexpr std::uint32_t rcc_cfgr = 0x40021008;
constexpr std::uint32_t rcc_pllcfgr = 0x4002100C;
constexpr std::uint32_t rcc_iopenr = 0x40021034;
constexpr std::uint32_t rcc_apbenr1 = 0x4002103C;
constexpr std::uint32_t rcc_apbenr2 = 0x40021040;
constexpr std::uint32_t flash_acr = 0x40022000;
constexpr std::uint32_t gpio_a = 0x50000000;

// RCC_PLLCFGR, PLLSRC
constexpr std::uint32_t pll_from_hsi16 = 2;
constexpr std::uint32_t pll_from_crystal = 3;

void set_flash(std::uint32_t core_hz) {
  constexpr std::uint32_t prefetch_and_cache = 3u << 8;
  const std::uint32_t states = wait_states(core_hz, hertz_per_wait_state_stm32g0);
  modify(flash_acr, 7, prefetch_and_cache | states);
  wait_for(flash_acr, 7, states);
}

/// SW and SWS have three bits each here (RM0444 5.4.3).
bool switch_to(std::uint32_t source) {
  modify(rcc_cfgr, 7u, source);
  return wait_for(rcc_cfgr, 7u << 3, source << 3);
}

bool run_from_pll(std::uint32_t source_hz, std::uint32_t source, std::uint32_t core_hz) {
  const PllSetting pll = choose_pll(pll_stm32g0, source_hz, core_hz);
  if (!pll.valid) return false;
  constexpr std::uint32_t output_on = 1u << 28;
  reg(rcc_pllcfgr) = source | ((pll.m - 1) << 4) | (pll.n << 8) | ((pll.r - 1) << 29) | output_on;
  if (!start_pll(rcc_cr)) return false;
  set_flash(core_hz);
  return switch_to(switch_pll);
}

/// Crystal first, then HSI16, which runs after reset: through the PLL, or as it is. Voltage range
/// 1, the highest, is what a reset leaves. Returns the core clock.
std::uint32_t start_core(const BoardConfig& config) {
  const bool crystal = start_crystal(rcc_cr, config);
  if (crystal && config.clock_hz == config.crystal_hz) {
    set_flash(config.clock_hz);
    if (switch_to(switch_crystal)) return config.clock_hz;
  }
  if (crystal && run_from_pll(config.crystal_hz, pll_from_crystal, config.clock_hz))
    return config.clock_hz;
  if (config.clock_hz != hsi16_hz && run_from_pll(hsi16_hz, pll_from_hsi16, config.clock_hz))
    return config.clock_hz;
  switch_to(switch_internal);
  set_flash(hsi16_hz);
  return hsi16_hz;
}

}  // namespace

Clocks start_stm32g0(const BoardConfig& config) {
  const std::uint32_t core_hz = start_core(config);
  enable(rcc_iopenr, (1u << config.uart_tx.port) | (1u << config.uart_rx.port));
  enable(on_second_bus(config.uart_base) ? rcc_apbenr2 : rcc_apbenr1, enable_bit(config.uart_base));
  connect_pin(gpio_a, config.uart_tx);
  connect_pin(gpio_a, config.uart_rx);
  return {core_hz, core_hz};  // one bus, not divided
}

}  // namespace assay::port

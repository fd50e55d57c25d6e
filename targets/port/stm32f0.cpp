// Clocks, flash wait states and UART connection of the STM32F0 family (RM0360).
#include "targets/port/stm32.hpp"

namespace assay::port {
namespace {

using namespace stm32;

constexpr std::uint32_t rcc_cr = 0x40021000;
constexpr std::uint32_t rcc_cfgr = 0x40021004;
constexpr std::uint32_t rcc_ahbenr = 0x40021014;
constexpr std::uint32_t rcc_apb2enr = 0x40021018;
constexpr std::uint32_t rcc_apb1enr = 0x4002101C;
constexpr std::uint32_t rcc_cfgr2 = 0x4002102C;
constexpr std::uint32_t flash_acr = 0x40022000;
constexpr std::uint32_t gpio_a = 0x48000000;

/// One wait state above 24 MHz, prefetch on (RM0360 3.5.1).
void set_flash(std::uint32_t core_hz) {
  constexpr std::uint32_t prefetch = 1u << 4;
  const std::uint32_t wait_states = core_hz > 24'000'000 ? 1 : 0;
  reg(flash_acr) = prefetch | wait_states;
  wait_for(flash_acr, 7, wait_states);
}

bool run_from_pll(std::uint32_t source_hz, bool crystal, std::uint32_t core_hz) {
  const PllStm32f0 pll = choose_pll_stm32f0(source_hz, core_hz);
  if (!pll.valid || (!crystal && pll.prediv != 1)) return false;
  constexpr std::uint32_t source_crystal = 2u << 15;
  constexpr std::uint32_t source_half_internal = 0;
  reg(rcc_cfgr2) = crystal ? pll.prediv - 1 : 0;
  modify(rcc_cfgr, (3u << 15) | (15u << 18),
         (crystal ? source_crystal : source_half_internal) | ((pll.mul - 2) << 18));
  if (!start_pll(rcc_cr)) return false;
  set_flash(core_hz);
  return switch_clock(rcc_cfgr, switch_pll);
}

/// Crystal first, then the internal oscillator: through the PLL, or as it is. Returns the core
/// clock.
std::uint32_t start_core(const BoardConfig& config) {
  const bool crystal = start_crystal(rcc_cr, config);
  if (crystal && config.clock_hz == config.crystal_hz) {
    set_flash(config.clock_hz);
    if (switch_clock(rcc_cfgr, switch_crystal)) return config.clock_hz;
  }
  if (crystal && run_from_pll(config.crystal_hz, true, config.clock_hz)) return config.clock_hz;
  if (config.clock_hz != stm32f0_internal_hz &&
      run_from_pll(stm32f0_internal_hz / 2, false, config.clock_hz))
    return config.clock_hz;
  switch_clock(rcc_cfgr, switch_internal);
  set_flash(stm32f0_internal_hz);
  return stm32f0_internal_hz;
}

}  // namespace

Clocks start_stm32f0(const BoardConfig& config) {
  const std::uint32_t core_hz = start_core(config);
  const std::uint32_t port_a_bit = 17;
  reg(rcc_ahbenr) = reg(rcc_ahbenr) | (1u << (port_a_bit + config.uart_tx.port)) |
                    (1u << (port_a_bit + config.uart_rx.port));
  const std::uint32_t enable = on_second_bus(config.uart_base) ? rcc_apb2enr : rcc_apb1enr;
  reg(enable) = reg(enable) | enable_bit(config.uart_base);
  connect_pin(gpio_a, config.uart_tx);
  connect_pin(gpio_a, config.uart_rx);
  return {core_hz, core_hz};  // one bus, not divided
}

}  // namespace assay::port

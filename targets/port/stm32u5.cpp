// Supply, core voltage, clocks, flash wait states and UART connection of the STM32U5 family
// (RM0456), with TrustZone off.
#include "targets/port/pll_l4.hpp"
#include "targets/port/stm32.hpp"

namespace assay::port {
namespace {

using namespace stm32;

constexpr std::uint32_t rcc_cr = 0x46020C00;
constexpr std::uint32_t rcc_cfgr1 = 0x46020C1C;
constexpr std::uint32_t rcc_pll1cfgr = 0x46020C28;
constexpr std::uint32_t rcc_pll1divr = 0x46020C34;
constexpr std::uint32_t rcc_ahb2enr1 = 0x46020C8C;
constexpr std::uint32_t rcc_ahb3enr = 0x46020C94;
constexpr std::uint32_t rcc_apb1enr1 = 0x46020C9C;
constexpr std::uint32_t rcc_apb2enr = 0x46020CA4;
constexpr std::uint32_t pwr_cr3 = 0x46020808;
constexpr std::uint32_t pwr_vosr = 0x4602080C;
constexpr std::uint32_t pwr_svmcr = 0x46020810;
constexpr std::uint32_t pwr_svmsr = 0x4602083C;
constexpr std::uint32_t flash_acr = 0x40022000;
constexpr std::uint32_t icache_cr = 0x40030400;
constexpr std::uint32_t icache_sr = 0x40030404;
constexpr std::uint32_t gpio_a = 0x42020000;

constexpr std::uint32_t reset_hz = 4'000'000;  // MSIS
// RCC_CFGR1, SW; PLL1SRC is one more.
constexpr std::uint32_t sw_hsi16 = 1;
constexpr std::uint32_t sw_hse = 2;
constexpr std::uint32_t sw_pll = 3;

/// All code is fetched through this cache once its invalidation after reset is over (RM0456 8.4).
void start_instruction_cache() {
  constexpr std::uint32_t busy = 1u << 0;
  constexpr std::uint32_t on = 1u << 0;
  if (wait_for(icache_sr, busy, 0)) modify(icache_cr, on, on);
}

void set_flash(std::uint32_t core_hz) {
  constexpr std::uint32_t prefetch = 1u << 8;
  const std::uint32_t states = wait_states(core_hz, voltage_stm32u5(core_hz).hertz_per_wait_state);
  reg(flash_acr) = prefetch | states;
  wait_for(flash_acr, 0xF, states);
}

/// The linear regulator runs after reset, and stays on unless the board asks for the step-down
/// converter; false when that does not take over (RM0456 10.5.1: REGSEL, and REGS that follows).
bool set_supply(Supply supply) {
  constexpr std::uint32_t step_down = 1u << 1;
  if (supply != Supply::smps) return true;
  modify(pwr_cr3, step_down, step_down);
  return wait_for(pwr_svmsr, step_down, step_down);
}

/// The core voltage for a clock, and above 55 MHz the booster, whose clock is the source that
/// PLL1CFGR already names; false when one of them does not come (RM0456 10.5.4).
bool set_voltage(std::uint32_t core_hz) {
  constexpr std::uint32_t voltage_ready = 1u << 15;
  constexpr std::uint32_t booster_ready = 1u << 14;
  constexpr std::uint32_t booster_on = 1u << 18;
  const VoltageStm32u5 voltage = voltage_stm32u5(core_hz);
  modify(pwr_vosr, 3u << 16, voltage.vos << 16);
  if (!wait_for(pwr_vosr, voltage_ready, voltage_ready)) return false;
  if (!voltage.booster) return true;
  modify(pwr_vosr, booster_on, booster_on);
  return wait_for(pwr_vosr, booster_ready, booster_ready);
}

bool run_from_pll(std::uint32_t source_hz, std::uint32_t source, std::uint32_t core_hz) {
  const PllSetting pll = choose_pll(pll_stm32u5, source_hz, core_hz);
  if (!pll.valid) return false;
  constexpr std::uint32_t output_on = 1u << 18;
  const std::uint32_t input_range = source_hz / pll.m > 8'000'000 ? 3u << 2 : 0;
  reg(rcc_pll1cfgr) = (source + 1) | input_range | ((pll.m - 1) << 8) |
                      (booster_divider_field(source_hz) << 12) | output_on;
  if (!set_voltage(core_hz)) return false;
  constexpr std::uint32_t p_and_q = (1u << 9) | (1u << 16);  // as after reset
  reg(rcc_pll1divr) = (pll.n - 1) | p_and_q | ((pll.r - 1) << 24);
  if (!start_pll(rcc_cr)) return false;
  set_flash(core_hz);
  return switch_clock(rcc_cfgr1, sw_pll);
}

/// A source as it is.
bool run_from(std::uint32_t source, std::uint32_t hz) {
  if (!set_voltage(hz)) return false;
  set_flash(hz);
  return switch_clock(rcc_cfgr1, source);
}

/// Crystal first, then HSI16: through the PLL, or as it is; last what runs after reset, also where
/// the supply is not what the board says. Returns the core clock.
std::uint32_t start_core(const BoardConfig& config) {
  if (!set_supply(config.supply)) return reset_hz;
  const bool crystal = start_crystal(rcc_cr, config);
  if (crystal && config.clock_hz == config.crystal_hz && run_from(sw_hse, config.clock_hz))
    return config.clock_hz;
  if (crystal && run_from_pll(config.crystal_hz, sw_hse, config.clock_hz)) return config.clock_hz;
  if (!start_hsi16(rcc_cr)) return reset_hz;
  if (config.clock_hz != hsi16_hz && run_from_pll(hsi16_hz, sw_hsi16, config.clock_hz))
    return config.clock_hz;
  return run_from(sw_hsi16, hsi16_hz) ? hsi16_hz : reset_hz;
}

/// The pins of port G from 2 on have a supply of their own, isolated after reset (RM0456 10.4.4).
void connect(const PinConfig& pin) {
  constexpr std::uint32_t port_g = 6;
  if (pin.port == port_g) modify(pwr_svmcr, 1u << 29, 1u << 29);
  enable(rcc_ahb2enr1, 1u << pin.port);
  connect_pin(gpio_a, pin);
}

}  // namespace

Clocks start_stm32u5(const BoardConfig& config) {
  enable(rcc_ahb3enr, 1u << 2);  // PWR
  start_instruction_cache();
  const std::uint32_t core_hz = start_core(config);
  enable(on_second_bus(config.uart_base) ? rcc_apb2enr : rcc_apb1enr1,
         enable_bit(config.uart_base));
  connect(config.uart_tx);
  connect(config.uart_rx);
  return {core_hz, core_hz};  // no bus is divided
}

}  // namespace assay::port

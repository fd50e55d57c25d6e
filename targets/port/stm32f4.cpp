// Clocks, flash wait states and UART connection of the STM32F4 (RM0090) and the STM32F7 (RM0385,
// RM0410), whose RCC and flash interface are laid out alike.
#include "targets/port/caches.hpp"
#include "targets/port/stm32.hpp"

namespace assay::port {
namespace {

using namespace stm32;

constexpr std::uint32_t rcc_cr = 0x40023800;
constexpr std::uint32_t rcc_pllcfgr = 0x40023804;
constexpr std::uint32_t rcc_cfgr = 0x40023808;
constexpr std::uint32_t rcc_ahb1enr = 0x40023830;
constexpr std::uint32_t rcc_apb1enr = 0x40023840;
constexpr std::uint32_t rcc_apb2enr = 0x40023844;
constexpr std::uint32_t flash_acr = 0x40023C00;
constexpr std::uint32_t gpio_a = 0x40020000;
constexpr std::uint32_t pwr_cr1 = 0x40007000;
constexpr std::uint32_t pwr_csr1 = 0x40007004;

/// What differs between the families.
struct Family {
  BusLimits buses;
  std::uint32_t flash_options;  ///< FLASH_ACR: prefetch and whatever caches there are
  std::uint32_t latency_mask;
  std::uint32_t overdrive_above_hz;
  std::uint32_t pll_fixed;  ///< RCC_PLLCFGR bits of outputs that are not used but must not be 0
};
constexpr Family f4{stm32f4_buses, 7u << 8, 7, 0xFFFFFFFF, 0};
constexpr Family f7{stm32f7_buses, 3u << 8, 15, stm32f7_overdrive_above_hz, 2u << 28};  // PLLR

/// Highest clock each further wait state buys, RM0090 table 10, RM0385 table 7.
std::uint32_t hertz_per_wait_state(std::uint32_t supply_mv) {
  if (supply_mv >= 2700) return 30'000'000;
  if (supply_mv >= 2400) return 24'000'000;
  if (supply_mv >= 2100) return 22'000'000;
  return 20'000'000;
}

void set_flash(const Family& family, std::uint32_t core_hz, std::uint32_t supply_mv) {
  const std::uint32_t wait_states = (core_hz - 1) / hertz_per_wait_state(supply_mv);
  reg(flash_acr) = family.flash_options | wait_states;
  wait_for(flash_acr, family.latency_mask, wait_states);
}

/// PPREx field of a divider (RM0090 6.3.3): 0 for 1, 4 for 2, 5 for 4, 6 for 8.
std::uint32_t prescaler_field(std::uint32_t divider) {
  std::uint32_t field = 0;
  for (; divider > 1; divider /= 2)
    field = field == 0 ? 4 : field + 1;
  return field;
}

void set_buses(const BusLimits& limits, std::uint32_t core_hz) {
  const std::uint32_t apb1 = prescaler_field(bus_divider(core_hz, limits.apb1_hz));
  const std::uint32_t apb2 = prescaler_field(bus_divider(core_hz, limits.apb2_hz));
  modify(rcc_cfgr, (7u << 10) | (7u << 13), (apb1 << 10) | (apb2 << 13));
}

/// Over-drive: the generator, then the switch to it, with the core still on an oscillator
/// (RM0385 4.1.4).
bool enter_overdrive() {
  constexpr std::uint32_t generator = 1u << 16;
  constexpr std::uint32_t switched = 1u << 17;
  reg(rcc_apb1enr) = reg(rcc_apb1enr) | (1u << 28);  // PWR
  reg(pwr_cr1) = reg(pwr_cr1) | generator;
  if (!wait_for(pwr_csr1, generator, generator)) return false;
  reg(pwr_cr1) = reg(pwr_cr1) | switched;
  return wait_for(pwr_csr1, switched, switched);
}

bool run_from_pll(const Family& family, std::uint32_t source_hz, bool crystal,
                  const BoardConfig& config) {
  const PllStm32f4 pll = choose_pll_stm32f4(source_hz, config.clock_hz);
  if (!pll.valid) return false;
  const std::uint32_t q = pll.n * (source_hz / pll.m) / 48'000'000 + 1;  // USB clock below 48 MHz
  reg(rcc_pllcfgr) = pll.m | (pll.n << 6) | ((pll.p / 2 - 1) << 16) | (crystal ? 1u << 22 : 0u) |
                     (q << 24) | family.pll_fixed;
  if (!start_pll(rcc_cr)) return false;
  if (config.clock_hz > family.overdrive_above_hz && !enter_overdrive()) return false;
  set_flash(family, config.clock_hz, config.supply_mv);
  set_buses(family.buses, config.clock_hz);
  return switch_clock(rcc_cfgr, switch_pll);
}

/// Crystal first, then the internal oscillator: through the PLL, or as it is. Returns the core
/// clock.
std::uint32_t start_core(const Family& family, const BoardConfig& config) {
  const bool crystal = start_crystal(rcc_cr, config);
  if (crystal && config.clock_hz == config.crystal_hz) {
    set_flash(family, config.clock_hz, config.supply_mv);
    if (switch_clock(rcc_cfgr, switch_crystal)) return config.clock_hz;
  }
  if (crystal && run_from_pll(family, config.crystal_hz, true, config)) return config.clock_hz;
  if (config.clock_hz != stm32f4_internal_hz &&
      run_from_pll(family, stm32f4_internal_hz, false, config))
    return config.clock_hz;
  switch_clock(rcc_cfgr, switch_internal);
  set_flash(family, stm32f4_internal_hz, config.supply_mv);
  set_buses(family.buses, stm32f4_internal_hz);
  return stm32f4_internal_hz;
}

Clocks start(const Family& family, const BoardConfig& config) {
  const std::uint32_t core_hz = start_core(family, config);
  reg(rcc_ahb1enr) = reg(rcc_ahb1enr) | (1u << config.uart_tx.port) | (1u << config.uart_rx.port);
  const std::uint32_t enable = on_second_bus(config.uart_base) ? rcc_apb2enr : rcc_apb1enr;
  reg(enable) = reg(enable) | enable_bit(config.uart_base);
  connect_pin(gpio_a, config.uart_tx);
  connect_pin(gpio_a, config.uart_rx);
  return {core_hz, uart_hz(family.buses, core_hz, config.uart_base)};
}

}  // namespace

Clocks start_stm32f4(const BoardConfig& config) {
  return start(f4, config);
}

Clocks start_stm32f7(const BoardConfig& config) {
  if (config.caches) enable_caches();
  return start(f7, config);
}

}  // namespace assay::port

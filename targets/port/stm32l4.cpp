// Clocks, flash wait states and UART connection of the STM32L4 (RM0351) and the L4+ (RM0432), which
// have the same registers.
#include "targets/port/pll_l4.hpp"
#include "targets/port/stm32.hpp"

namespace assay::port {
namespace {

using namespace stm32;

constexpr std::uint32_t rcc_cr = 0x40021000;
constexpr std::uint32_t rcc_cfgr = 0x40021008;
constexpr std::uint32_t rcc_pllcfgr = 0x4002100C;
constexpr std::uint32_t rcc_ahb2enr = 0x4002104C;
constexpr std::uint32_t rcc_apb1enr1 = 0x40021058;
constexpr std::uint32_t rcc_apb2enr = 0x40021060;
constexpr std::uint32_t pwr_cr2 = 0x40007004;
constexpr std::uint32_t pwr_cr5 = 0x40007080;
constexpr std::uint32_t flash_acr = 0x40022000;
constexpr std::uint32_t gpio_a = 0x48000000;

constexpr std::uint32_t reset_hz = 4'000'000;  // MSI, range 6
// RCC_CFGR, SW; PLLSRC is one more.
constexpr std::uint32_t sw_hsi16 = 1;
constexpr std::uint32_t sw_hse = 2;
constexpr std::uint32_t sw_pll = 3;

/// What L4 and L4+ differ in.
struct Family {
  const PllLimits& pll;
  std::uint32_t hertz_per_wait_state;
  std::uint32_t boost_above_hz;  ///< 0: there is no boost mode
};
constexpr Family l4{pll_stm32l4, hertz_per_wait_state_stm32l4, 0};
constexpr Family l4plus{pll_stm32l4plus, hertz_per_wait_state_stm32l4plus,
                        stm32l4plus_boost_above_hz};

void set_flash(std::uint32_t core_hz, const Family& family) {
  constexpr std::uint32_t caches_and_prefetch = 7u << 8;
  const std::uint32_t states = wait_states(core_hz, family.hertz_per_wait_state);
  reg(flash_acr) = caches_and_prefetch | states;
  wait_for(flash_acr, 0xF, states);
}

void enable_power_control() {
  enable(rcc_apb1enr1, 1u << 28);
}

/// Beyond 80 MHz: boost mode first, and half the speed for the first microsecond (RM0432 6.2.9).
bool switch_to_boosted_pll() {
  constexpr std::uint32_t normal_mode = 1u << 8;
  constexpr std::uint32_t prescaler = 0xFu << 4;
  constexpr std::uint32_t by_two = 8u << 4;
  enable_power_control();
  modify(pwr_cr5, normal_mode, 0);
  modify(rcc_cfgr, prescaler, by_two);
  const bool switched = switch_clock(rcc_cfgr, sw_pll);
  for (int reads = 0; reads < 60; ++reads)  // each takes a cycle or more of at most 60 MHz
    [[maybe_unused]] const std::uint32_t passing = reg(rcc_cfgr);
  modify(rcc_cfgr, prescaler, 0);
  return switched;
}

bool run_from_pll(std::uint32_t source_hz, std::uint32_t source, std::uint32_t core_hz,
                  const Family& family) {
  const PllSetting pll = choose_pll(family.pll, source_hz, core_hz);
  if (!pll.valid) return false;
  constexpr std::uint32_t output_on = 1u << 24;
  reg(rcc_pllcfgr) =
      (source + 1) | ((pll.m - 1) << 4) | (pll.n << 8) | ((pll.r / 2 - 1) << 25) | output_on;
  if (!start_pll(rcc_cr)) return false;
  set_flash(core_hz, family);
  const bool boost = family.boost_above_hz != 0 && core_hz > family.boost_above_hz;
  return boost ? switch_to_boosted_pll() : switch_clock(rcc_cfgr, sw_pll);
}

/// Crystal first, then HSI16: through the PLL, or as it is; last what runs after reset. Voltage
/// range 1, the highest, is what a reset leaves. Returns the core clock.
std::uint32_t start_core(const BoardConfig& config, const Family& family) {
  const bool crystal = start_crystal(rcc_cr, config);
  if (crystal && config.clock_hz == config.crystal_hz) {
    set_flash(config.clock_hz, family);
    if (switch_clock(rcc_cfgr, sw_hse)) return config.clock_hz;
  }
  if (crystal && run_from_pll(config.crystal_hz, sw_hse, config.clock_hz, family))
    return config.clock_hz;
  if (!start_hsi16(rcc_cr)) return reset_hz;
  if (config.clock_hz != hsi16_hz && run_from_pll(hsi16_hz, sw_hsi16, config.clock_hz, family))
    return config.clock_hz;
  set_flash(hsi16_hz, family);
  return switch_clock(rcc_cfgr, sw_hsi16) ? hsi16_hz : reset_hz;
}

/// The pins of port G have a supply of their own, isolated after reset (RM0351 5.1.3).
void connect(const PinConfig& pin) {
  constexpr std::uint32_t port_g = 6;
  if (pin.port == port_g) {
    enable_power_control();
    modify(pwr_cr2, 1u << 9, 1u << 9);
  }
  enable(rcc_ahb2enr, 1u << pin.port);
  connect_pin(gpio_a, pin);
}

/// Bus 1 has two enable registers of 32 slots each.
void enable_uart(std::uint32_t base) {
  const std::uint32_t slot = (base - 0x40000000) / 0x400;
  if (on_second_bus(base))
    enable(rcc_apb2enr, enable_bit(base));
  else
    enable(rcc_apb1enr1 + 4 * (slot / 32), 1u << (slot % 32));
}

Clocks start(const BoardConfig& config, const Family& family) {
  const std::uint32_t core_hz = start_core(config, family);
  enable_uart(config.uart_base);
  connect(config.uart_tx);
  connect(config.uart_rx);
  return {core_hz, core_hz};  // neither bus is divided: both run as fast as the core may
}

}  // namespace

Clocks start_stm32l4(const BoardConfig& config) {
  return start(config, l4);
}

Clocks start_stm32l4plus(const BoardConfig& config) {
  return start(config, l4plus);
}

}  // namespace assay::port

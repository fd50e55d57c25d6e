// Supply, clocks, flash wait states and UART connection of the STM32H7: the H74x line (RM0433,
// RM0399; only the Cortex-M7 of its dual-core chips is used) and the H7A3 line (RM0455), whose
// registers stand at the same places under other names.
#include "targets/port/stm32h7_clocks.hpp"

#include "targets/port/caches.hpp"
#include "targets/port/stm32.hpp"

namespace assay::port {
namespace {

using namespace stm32;

constexpr std::uint32_t rcc = 0x58024400;
constexpr std::uint32_t rcc_cr = rcc + 0x00;
constexpr std::uint32_t rcc_cfgr = rcc + 0x10;
constexpr std::uint32_t rcc_d1cfgr = rcc + 0x18;
constexpr std::uint32_t rcc_d2cfgr = rcc + 0x1C;
constexpr std::uint32_t rcc_d3cfgr = rcc + 0x20;
constexpr std::uint32_t rcc_pllckselr = rcc + 0x28;
constexpr std::uint32_t rcc_pllcfgr = rcc + 0x2C;
constexpr std::uint32_t rcc_pll1divr = rcc + 0x30;
// The enable registers of the Cortex-M7, where all lines have them.
constexpr std::uint32_t rcc_ahb2enr = rcc + 0x13C;
constexpr std::uint32_t rcc_ahb4enr = rcc + 0x140;
constexpr std::uint32_t rcc_apb1lenr = rcc + 0x148;
constexpr std::uint32_t rcc_apb2enr = rcc + 0x150;
constexpr std::uint32_t rcc_apb4enr = rcc + 0x154;
constexpr std::uint32_t pwr_csr1 = 0x58024804;
constexpr std::uint32_t pwr_cr3 = 0x5802480C;
constexpr std::uint32_t pwr_d3cr = 0x58024818;
constexpr std::uint32_t syscfg_pwrcr = 0x58000404;
constexpr std::uint32_t flash_acr = 0x52002000;
constexpr std::uint32_t gpio_a = 0x58020000;

// The RAM of the second domain, whose clock is off after reset: SRAM1 to SRAM3 (RM0433,
// RCC_AHB2ENR), AHB SRAM1 and SRAM2 of the H7A3 (RM0455, RCC_AHB2ENR).
constexpr std::uint32_t h74x_ram = 7u << 29;
constexpr std::uint32_t h7a3_ram = 3u << 29;

/// PWR_CR3 of each supply (RM0399 table 32, RM0455 table 29): BYPASS, LDOEN, SMPSEN, SMPSLEVEL. On
/// chips without the converter bit 2 is the write permission, which the write gives up (RM0433
/// 6.8.4).
std::uint32_t supply_bits(Supply supply) {
  constexpr std::uint32_t bypass = 1, ldo = 2, smps = 4;
  switch (supply) {
    case Supply::ldo:
      return ldo;
    case Supply::smps:
      return smps;
    case Supply::smps_1v8_ldo:
      return 1u << 4 | smps | ldo;
    case Supply::smps_2v5_ldo:
      return 2u << 4 | smps | ldo;
    case Supply::external:
      return bypass;
    case Supply::fixed:
      break;
  }
  return 0;
}

/// Once after power-up, and before anything that takes more current; false when another supply has
/// been set since.
bool set_supply(Supply supply) {
  constexpr std::uint32_t choice = 0x3F;
  constexpr std::uint32_t voltage_ready = 1u << 13;
  const std::uint32_t wanted = supply_bits(supply);
  if (wanted == 0) return false;
  if ((reg(pwr_cr3) & choice) != wanted) modify(pwr_cr3, choice, wanted);
  return wait_for(pwr_csr1, voltage_ready, voltage_ready) && (reg(pwr_cr3) & choice) == wanted;
}

bool set_voltage(const Stm32h7Scale& scale) {
  constexpr std::uint32_t ready = 1u << 13;
  modify(pwr_d3cr, 3u << 14, scale.field << 14);
  if (!wait_for(pwr_d3cr, ready, ready)) return false;
  if (!scale.overdrive) return true;
  reg(rcc_apb4enr) = reg(rcc_apb4enr) | (1u << 1);  // SYSCFG
  reg(syscfg_pwrcr) = reg(syscfg_pwrcr) | 1u;
  return wait_for(pwr_d3cr, ready, ready);
}

bool switch_core(std::uint32_t source) {
  modify(rcc_cfgr, 7u, source);
  return wait_for(rcc_cfgr, 7u << 3, source << 3);
}

/// HPRE and PPRE: 0 for 1; from 8 and from 4 on, one for each factor of 2.
std::uint32_t divider_field(std::uint32_t divider, std::uint32_t first) {
  std::uint32_t field = 0;
  for (; divider > 1; divider /= 2)
    field = field == 0 ? first : field + 1;
  return field;
}

/// Slower flash and slower buses first: between the settings both clocks are in bounds.
void set_buses(const Stm32h7Buses& buses) {
  const std::uint32_t apb = divider_field(buses.apb_divider, 4);
  reg(flash_acr) = buses.wait_states | (buses.write_delay << 4);
  wait_for(flash_acr, 15, buses.wait_states);
  modify(rcc_d1cfgr, 0xF7F, divider_field(buses.axi_divider, 8) | (apb << 4));
  modify(rcc_d2cfgr, 0x770, (apb << 4) | (apb << 8));
  modify(rcc_d3cfgr, 0x070, apb << 4);
}

bool start_pll1(const PllStm32h7& pll, bool crystal) {
  if (!pll.valid) return false;
  modify(rcc_pllckselr, 0x3F3, (crystal ? 2u : 0u) | (pll.m << 4));
  modify(rcc_pllcfgr, 0x0001000F, (1u << 16) | (pll.input_range << 2));  // wide, P output on
  reg(rcc_pll1divr) = (pll.n - 1) | ((pll.p - 1) << 9) | (1u << 16) | (1u << 24);
  return start_pll(rcc_cr);
}

/// The core on `source` at the wanted clock, everything else set up for it before.
bool run_at(const Stm32h7Line& line, const Stm32h7Scale& scale, std::uint32_t core_hz,
            std::uint32_t source) {
  set_buses(stm32h7_buses(line, scale, core_hz));
  return switch_core(source);
}

/// Crystal first, then the internal oscillator: through the PLL, or as it is. Returns the core
/// clock.
std::uint32_t start_core(const Stm32h7Line& line, const BoardConfig& config) {
  constexpr std::uint32_t on_internal = 0, on_crystal = 2, on_pll = 3;
  const std::uint32_t wanted = config.clock_hz;
  const Stm32h7Scale* scale = choose_scale(line, wanted);
  if (scale != nullptr && set_supply(config.supply) && set_voltage(*scale)) {
    const bool crystal = start_crystal(rcc_cr, config);
    if (crystal && wanted == config.crystal_hz && run_at(line, *scale, wanted, on_crystal))
      return wanted;
    const std::uint32_t source = crystal ? config.crystal_hz : stm32h7_internal_hz;
    if (wanted != stm32h7_internal_hz &&
        start_pll1(choose_pll_stm32h7(line, source, wanted), crystal) &&
        run_at(line, *scale, wanted, on_pll))
      return wanted;
  }
  // Wait states and dividers of the lowest voltage hold at every higher one.
  run_at(line, line.scales[0], stm32h7_internal_hz, on_internal);
  return stm32h7_internal_hz;
}

Clocks start(const Stm32h7Line& line, std::uint32_t ram, const BoardConfig& config) {
  if (config.caches) enable_caches();
  enable(rcc_ahb2enr, ram);
  const std::uint32_t core_hz = start_core(line, config);
  reg(rcc_ahb4enr) = reg(rcc_ahb4enr) | (1u << config.uart_tx.port) | (1u << config.uart_rx.port);
  const std::uint32_t uart = on_second_bus(config.uart_base) ? rcc_apb2enr : rcc_apb1lenr;
  reg(uart) = reg(uart) | enable_bit(config.uart_base);
  connect_pin(gpio_a, config.uart_tx);
  connect_pin(gpio_a, config.uart_rx);
  return {core_hz, uart_hz_stm32h7(line, core_hz)};
}

}  // namespace

Clocks start_stm32h7(const BoardConfig& config) {
  return start(stm32h74x, h74x_ram, config);
}

Clocks start_stm32h7a3(const BoardConfig& config) {
  return start(stm32h7a3, h7a3_ram, config);
}

}  // namespace assay::port

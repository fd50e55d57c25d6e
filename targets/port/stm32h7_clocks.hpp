// What the clocks of the STM32H7 may be: voltage scales, bus limits, flash wait states and PLL
// arithmetic of its two lines, used by the clock driver on the device and by the firmware builder
// on the host. Pure functions, freestanding C++17.
#pragma once

#include <cstdint>

#include "targets/port/pll.hpp"

namespace assay::port {

constexpr std::uint32_t stm32h7_internal_hz = 64'000'000;  // RM0433 8.5.3, RM0455 8.5.3

/// A voltage scale and what it allows.
struct Stm32h7Scale {
  std::uint32_t core_hz;
  std::uint32_t axi_hz;  ///< also of the AHB
  std::uint32_t apb_hz;
  std::uint32_t flash_step_hz;  ///< AXI clock that each flash wait state buys
  std::uint32_t field;          ///< VOS in PWR_D3CR or PWR_SRDCR
  bool overdrive;               ///< scale 0 of the STM32H74x: scale 1, and SYSCFG_PWRCR.ODEN
};

/// A line of chips: its scales from the lowest voltage up, and the range of its PLL's oscillator.
struct Stm32h7Line {
  Stm32h7Scale scales[4];
  std::uint32_t vco_low_hz;
  std::uint32_t vco_high_hz;
  bool half_step_delay;  ///< WRHIGHFREQ is half of the wait states (RM0455 table 15)
};

/// STM32H742, H743, H745, H747 and so on: DS12110 and DS12930 (general operating conditions),
/// RM0433 table 17 for the flash, DS12110 (PLL characteristics, wide range).
constexpr Stm32h7Line stm32h74x{{{200'000'000, 100'000'000, 50'000'000, 45'000'000, 1, false},
                                 {300'000'000, 150'000'000, 75'000'000, 55'000'000, 2, false},
                                 {400'000'000, 200'000'000, 100'000'000, 70'000'000, 3, false},
                                 {480'000'000, 240'000'000, 120'000'000, 70'000'000, 3, true}},
                                192'000'000,
                                960'000'000,
                                false};

/// STM32H7A3 and H7B3: DS13195 (general operating conditions), RM0455 table 15 for the flash,
/// DS13195 (PLL characteristics, wide range).
constexpr Stm32h7Line stm32h7a3{{{88'000'000, 88'000'000, 44'000'000, 22'000'000, 0, false},
                                 {160'000'000, 160'000'000, 80'000'000, 34'000'000, 1, false},
                                 {225'000'000, 225'000'000, 112'500'000, 38'000'000, 2, false},
                                 {280'000'000, 280'000'000, 140'000'000, 42'000'000, 3, false}},
                                128'000'000,
                                560'000'000,
                                true};

/// The lowest voltage that carries a core clock; nullptr above the highest.
constexpr const Stm32h7Scale* choose_scale(const Stm32h7Line& line, std::uint32_t core_hz) {
  for (const Stm32h7Scale& scale : line.scales)
    if (core_hz <= scale.core_hz) return &scale;
  return nullptr;
}

/// Dividers of the buses and the flash's timing at a core clock.
struct Stm32h7Buses {
  std::uint32_t axi_divider;  ///< of the core clock
  std::uint32_t apb_divider;  ///< of the AXI clock, for every APB
  std::uint32_t apb_hz;
  std::uint32_t wait_states;
  std::uint32_t write_delay;  ///< WRHIGHFREQ
};
constexpr Stm32h7Buses stm32h7_buses(const Stm32h7Line& line, const Stm32h7Scale& scale,
                                     std::uint32_t core_hz) {
  Stm32h7Buses buses{};
  buses.axi_divider = bus_divider(core_hz, scale.axi_hz);
  const std::uint32_t axi_hz = core_hz / buses.axi_divider;
  buses.apb_divider = bus_divider(axi_hz, scale.apb_hz);
  buses.apb_hz = axi_hz / buses.apb_divider;
  // RM0433 table 17: steps of equal size but for the last one.
  buses.wait_states =
      axi_hz > 225'000'000 && !line.half_step_delay ? 4 : (axi_hz - 1) / scale.flash_step_hz;
  const std::uint32_t full_step = buses.wait_states < 2
                                      ? buses.wait_states
                                      : (axi_hz > 185'000'000 || buses.wait_states > 2 ? 2 : 1);
  buses.write_delay = line.half_step_delay ? buses.wait_states / 2 : full_step;
  return buses;
}

/// source / m * n / p.
struct PllStm32h7 {
  bool valid = false;
  std::uint32_t m = 0;
  std::uint32_t n = 0;
  std::uint32_t p = 0;
  std::uint32_t input_range = 0;  ///< PLL1RGE
};

/// A setting that makes exactly `wanted_hz`, or one that is not valid. Limits from RM0433 8.7.12 to
/// 8.7.14: m 1 to 63, n 4 to 512, p even, input 2 to 16 MHz for the wide oscillator; the highest
/// input is preferred for its lower jitter.
constexpr PllStm32h7 choose_pll_stm32h7(const Stm32h7Line& line, std::uint32_t source_hz,
                                        std::uint32_t wanted_hz) {
  for (std::uint32_t p = 2; p <= 128; p += 2) {
    const std::uint64_t vco = std::uint64_t{wanted_hz} * p;
    if (vco < line.vco_low_hz || vco > line.vco_high_hz) continue;
    for (std::uint32_t m = 1; m <= 63; ++m) {
      const std::uint32_t input = source_hz / m;
      if (source_hz % m != 0 || input < 2'000'000 || input > 16'000'000) continue;
      if (vco % input != 0 || vco / input < 4 || vco / input > 512) continue;
      const std::uint32_t range = input < 4'000'000 ? 1 : input < 8'000'000 ? 2 : 3;
      return {true, m, static_cast<std::uint32_t>(vco / input), p, range};
    }
  }
  return {};
}

/// Clock of any APB, and so of a UART, at a core clock that a scale carries.
constexpr std::uint32_t uart_hz_stm32h7(const Stm32h7Line& line, std::uint32_t core_hz) {
  const Stm32h7Scale* scale = choose_scale(line, core_hz);
  return scale ? stm32h7_buses(line, *scale, core_hz).apb_hz : 0;
}

}  // namespace assay::port

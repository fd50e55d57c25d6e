// PLL, flash and voltage arithmetic of the STM32L4, L4+, G0 and U5, whose PLLs have one form:
// source / m * n / r. Used by the clock drivers on the device and by the firmware builder on the
// host. Pure functions.
#pragma once

#include <cstdint>

namespace assay::port {

constexpr std::uint32_t hsi16_hz = 16'000'000;  ///< the internal oscillator of all four families

struct PllLimits {
  std::uint32_t least_input_hz, most_input_hz;
  std::uint32_t least_vco_hz, most_vco_hz;
  std::uint32_t most_m;
  std::uint32_t least_n, most_n;
  std::uint32_t r_step;  ///< 2: only even divisors; they begin at 2
  std::uint32_t most_r;
};

// RM0351 6.4.4 and DS10198, PLL characteristics.
constexpr PllLimits pll_stm32l4{4'000'000, 16'000'000, 64'000'000, 344'000'000, 8, 8, 86, 2, 8};
// RM0432 6.4.4 and DS12023, PLL characteristics.
constexpr PllLimits pll_stm32l4plus{2'660'000, 16'000'000, 64'000'000, 344'000'000, 16, 8,
                                    127,       2,          8};
// RM0444 5.4.4 and DS13560, PLL characteristics.
constexpr PllLimits pll_stm32g0{2'660'000, 16'000'000, 64'000'000, 344'000'000, 8, 8, 86, 1, 8};
// RM0456 11.8.8 and 11.8.11, and DS13737, PLL characteristics.
constexpr PllLimits pll_stm32u5{4'000'000, 16'000'000, 128'000'000, 544'000'000, 16,
                                4,         512,        2,           128};

struct PllSetting {
  bool valid = false;
  std::uint32_t m = 0;
  std::uint32_t n = 0;
  std::uint32_t r = 0;
};

/// The setting with the slowest VCO and the fastest input that makes exactly `wanted_hz`, or one
/// that is not valid.
constexpr PllSetting choose_pll(const PllLimits& limits, std::uint32_t source_hz,
                                std::uint32_t wanted_hz) {
  for (std::uint32_t r = 2; r <= limits.most_r; r += limits.r_step) {
    if (wanted_hz > limits.most_vco_hz / r) break;
    const std::uint32_t vco = wanted_hz * r;
    if (vco < limits.least_vco_hz) continue;
    for (std::uint32_t m = 1; m <= limits.most_m; ++m) {
      const std::uint32_t input = source_hz / m;
      if (source_hz % m != 0 || input < limits.least_input_hz || input > limits.most_input_hz)
        continue;
      const std::uint32_t n = vco / input;
      if (vco % input == 0 && n >= limits.least_n && n <= limits.most_n) return {true, m, n, r};
    }
  }
  return {};
}

/// Wait states of a flash of which each buys `hertz_each`.
constexpr std::uint32_t wait_states(std::uint32_t core_hz, std::uint32_t hertz_each) {
  return (core_hz - 1) / hertz_each;
}

// At full core voltage: RM0351 3.3.3, RM0432 3.3.3, RM0444 3.3.4.
constexpr std::uint32_t hertz_per_wait_state_stm32l4 = 16'000'000;
constexpr std::uint32_t hertz_per_wait_state_stm32l4plus = 20'000'000;
constexpr std::uint32_t hertz_per_wait_state_stm32g0 = 24'000'000;

/// Above this an L4+ needs the boost mode of its voltage range 1 (RM0432 5.1.8).
constexpr std::uint32_t stm32l4plus_boost_above_hz = 80'000'000;

/// The core voltage of a U5.
struct VoltageStm32u5 {
  std::uint32_t vos;  ///< field of PWR_VOSR: 3 is range 1, the highest
  std::uint32_t hertz_per_wait_state;
  bool booster;  ///< the EPOD booster must run
};

/// The lowest core voltage that allows a clock (RM0456 10.5.4 and 7.3.3).
constexpr VoltageStm32u5 voltage_stm32u5(std::uint32_t core_hz) {
  if (core_hz <= 25'000'000) return {0, 12'000'000, false};
  if (core_hz <= 55'000'000) return {1, 24'000'000, false};
  if (core_hz <= 110'000'000) return {2, 30'000'000, true};
  return {3, 32'000'000, true};
}

/// PLL1MBOOST, the divider of the PLL's source that feeds the booster: the smallest that brings it
/// to 16 MHz or less. The field is 0 for 1, then half the divider (RM0456 11.8.8).
constexpr std::uint32_t booster_divider_field(std::uint32_t source_hz) {
  std::uint32_t field = 0;
  while (source_hz / (field == 0 ? 1 : 2 * field) > 16'000'000)
    ++field;
  return field;
}

}  // namespace assay::port

// Reset and clock control: ready bits follow their on bits at once, and the core clock follows the
// registers. Used by one thread at a time (the board's lock is held).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "boards/virtual/peripheral.hpp"
#include "harness/core/result.hpp"
#include "harness/core/units.hpp"

namespace assay::virtual_board {

class Rcc : public Peripheral {
 public:
  virtual std::uint32_t register_base() const = 0;
  /// The core clock (HCLK) the registers give.
  virtual Hertz core_clock() const = 0;
  /// Core cycles in one cycle of the clock of the UART at `uart_base`.
  virtual std::uint32_t cycles_per_uart_clock(std::uint32_t uart_base) const = 0;
};

/// `crystal`: of the board; absent, HSE never becomes ready. Errors: bad_input for an unknown name.
Result<std::unique_ptr<Rcc>> make_rcc(const std::string& clock_driver,
                                      std::optional<Hertz> crystal);

std::unique_ptr<Rcc> make_rcc_stm32f4(std::optional<Hertz> crystal);
std::unique_ptr<Rcc> make_rcc_stm32f0(std::optional<Hertz> crystal);

/// AHB prescaler from HPRE: 0xxx divides by 1, then 2, 4, 8, 16, 64, 128, 256, 512.
constexpr std::uint32_t ahb_divider(std::uint32_t hpre) {
  if (!(hpre & 8)) return 1;
  constexpr std::uint32_t dividers[] = {2, 4, 8, 16, 64, 128, 256, 512};
  return dividers[hpre & 7];
}

/// APB prescaler from PPRE: 0xx divides by 1, then 2, 4, 8, 16.
constexpr std::uint32_t apb_divider(std::uint32_t ppre) {
  return ppre & 4 ? 2u << (ppre & 3) : 1;
}

}  // namespace assay::virtual_board

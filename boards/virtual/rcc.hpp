// Reset and clock control, with the power control beside it: ready bits follow their on bits at
// once, and the core clock follows the registers. Settings that silicon does not survive stop the
// core. Used by one thread at a time (the board's lock is held).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "boards/virtual/peripheral.hpp"
#include "harness/core/board_type.hpp"
#include "harness/core/result.hpp"
#include "harness/core/units.hpp"

namespace assay::virtual_board {

/// Why a core cannot go on with the settings it has.
struct CoreFailure {
  std::string reason;
  /// Its supply is gone, and with it the debug port; otherwise a reset helps.
  bool until_power_cycle = false;
};

class Rcc : public Peripheral {
 public:
  virtual std::uint32_t register_base() const = 0;
  /// The core clock (HCLK) the registers give.
  virtual Hertz core_clock() const = 0;
  /// Core cycles in one cycle of the clock of the UART at `uart_base`.
  virtual std::uint32_t cycles_per_uart_clock(std::uint32_t uart_base) const = 0;

  /// A further register block of the model, such as the power control's.
  struct Block {
    std::uint32_t base;
    std::uint32_t size;
    Peripheral* registers;
  };
  virtual std::vector<Block> other_blocks() { return {}; }
  /// Asked after every write to these registers or the flash controller's.
  virtual std::optional<CoreFailure> failure(std::optional<std::uint32_t> wait_states) const {
    static_cast<void>(wait_states);
    return std::nullopt;
  }
};

/// The model for a board's part. Without a crystal HSE never becomes ready. Errors: bad_input when
/// no model of the part's clock driver is known.
Result<std::unique_ptr<Rcc>> make_rcc(const BoardType& type);

std::unique_ptr<Rcc> make_rcc_stm32f4(std::optional<Hertz> crystal);
std::unique_ptr<Rcc> make_rcc_stm32f0(std::optional<Hertz> crystal);
std::unique_ptr<Rcc> make_rcc_stm32f7(const BoardType& type);
std::unique_ptr<Rcc> make_rcc_stm32h7(const BoardType& type);
std::unique_ptr<Rcc> make_rcc_stm32h7a3(const BoardType& type);
std::unique_ptr<Rcc> make_rcc_stm32l4(std::optional<Hertz> crystal);
std::unique_ptr<Rcc> make_rcc_stm32l4plus(std::optional<Hertz> crystal);
std::unique_ptr<Rcc> make_rcc_stm32g0(std::optional<Hertz> crystal);
std::unique_ptr<Rcc> make_rcc_stm32u5(const BoardType& type);

/// Judges a core clock by the highest that a voltage range allows with 0, 1, 2, ... wait states.
std::optional<CoreFailure> beyond(Hertz clock, std::uint32_t wait_states,
                                  std::span<const std::uint32_t> limits_hz);

/// A PLL of the L4, G0 and U5: source / m * n / r. It locks only within its limits.
struct Pll {
  std::uint64_t source_hz = 0;  ///< 0: the source does not run
  std::uint32_t m = 1;
  std::uint32_t n = 0;
  std::uint32_t r = 1;
  std::uint32_t least_vco_hz = 0;
  std::uint32_t most_vco_hz = 0;

  /// Nothing: it does not lock.
  std::optional<Hertz> output() const;
};

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

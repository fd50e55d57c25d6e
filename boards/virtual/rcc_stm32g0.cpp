// RCC and PWR of the STM32G0B1 (RM0444 sections 4 and 5).
#include <array>

#include "boards/virtual/power_control.hpp"
#include "boards/virtual/rcc_registers.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t cr = 0x00, cfgr = 0x08, pllcfgr = 0x0C, apbenr1 = 0x3C, ccipr = 0x54,
                        bdcr = 0x5C, csr = 0x60;
constexpr std::uint32_t hsi_on = 1u << 8, pll_on = 1u << 24;
constexpr std::uint32_t pll_output_on = 1u << 28, power_clock_on = 1u << 28;
constexpr std::uint32_t pwr_cr1 = 0x00;
constexpr std::uint64_t hsi_hz = 16'000'000, lsi_hz = 32'000;
enum Source : std::uint32_t { internal = 0, crystal = 1, pll_output = 2, low_speed = 3 };

// Highest core clock with 0, 1, 2 wait states (3.3.4).
constexpr std::array<std::uint32_t, 3> range1{24'000'000, 48'000'000, 64'000'000};
constexpr std::array<std::uint32_t, 2> range2{8'000'000, 16'000'000};

class RccStm32G0 final : public RccRegisters {
 public:
  explicit RccStm32G0(std::optional<Hertz> crystal)
      : RccRegisters(0x64, {{cr, 0x100}, {pllcfgr, 0x1000}}, crystal),
        power_([this] { return (get(apbenr1) & power_clock_on) != 0; }, {{pwr_cr1, 0x200}}) {}

  std::uint32_t register_base() const override { return 0x40021000; }
  std::vector<Block> other_blocks() override { return {{0x40007000, 0x400, &power_}}; }

  Hertz core_clock() const override {
    return Hertz(system_clock_hz() / ahb_divider(get(cfgr) >> 8 & 15));
  }

  // USART1 and USART2 choose their clock; the others have the bus's.
  std::uint32_t cycles_per_uart_clock(std::uint32_t uart_base) const override {
    const bool chooses = uart_base == 0x40013800 || uart_base == 0x40004400;
    const std::uint32_t source = chooses ? get(ccipr) >> (uart_base == 0x40013800 ? 0 : 2) & 3 : 0;
    if (source == 1) return 1;
    if (source == 2) return cycles_per(core_clock(), hsi_hz);
    return apb_divider(get(cfgr) >> 12 & 7);
  }

  std::optional<CoreFailure> failure(std::optional<std::uint32_t> states) const override {
    const std::uint32_t wait_states = states.value_or(0);
    const bool low_voltage = (power_.get(pwr_cr1) >> 9 & 3) == 2;
    return low_voltage ? beyond(core_clock(), wait_states, range2)
                       : beyond(core_clock(), wait_states, range1);
  }

 private:
  std::uint32_t seen(std::uint32_t offset, std::uint32_t value) const override {
    switch (offset) {
      case cr:
        return value | (value & hsi_on) << 2 | (hse_runs() ? hse_on << 1 : 0) |
               (pll() ? pll_on << 1 : 0);
      case cfgr:
        return (value & ~0x38u) | selected() << 3;
      case bdcr:
      case csr:
        return with_ready_bit(value);  // LSE, LSI
      default:
        return value;
    }
  }

  // The PLL's factors can only be changed while it is off (5.4.4).
  std::uint32_t locked(std::uint32_t offset) const override {
    constexpr std::uint32_t factors = 0xE0007F73;
    return offset == pllcfgr && get(cr) & pll_on ? factors : nothing;
  }

  std::optional<Hertz> pll() const {
    const std::uint32_t value = get(pllcfgr);
    if (!(get(cr) & pll_on)) return std::nullopt;
    std::uint64_t input = 0;
    if ((value & 3) == 2 && get(cr) & hsi_on) input = hsi_hz;
    if ((value & 3) == 3 && hse_runs()) input = hse_hz();
    return Pll{input,      (value >> 4 & 7) + 1, value >> 8 & 127, (value >> 29 & 7) + 1,
               64'000'000, 344'000'000}
        .output();
  }

  // SW takes effect only for a source that is ready; until then the core stays on HSI16.
  std::uint32_t selected() const {
    switch (get(cfgr) & 7) {
      case crystal:
        return hse_runs() ? crystal : internal;
      case pll_output:
        return pll() && get(pllcfgr) & pll_output_on ? pll_output : internal;
      case low_speed:
        return get(csr) & 1 ? low_speed : internal;
      default:
        return internal;
    }
  }

  std::uint64_t system_clock_hz() const {
    switch (selected()) {
      case crystal:
        return hse_hz();
      case pll_output:
        return pll()->count();
      case low_speed:
        return lsi_hz;
      default:
        return hsi_hz >> (get(cr) >> 11 & 7);  // HSIDIV
    }
  }

  PowerControl power_;
};

}  // namespace

std::unique_ptr<Rcc> make_rcc_stm32g0(std::optional<Hertz> crystal) {
  return std::make_unique<RccStm32G0>(crystal);
}

}  // namespace assay::virtual_board

// RCC and PWR of the STM32U575 (RM0456 sections 10 and 11), TrustZone off.
#include <algorithm>
#include <array>

#include "boards/virtual/power_control.hpp"
#include "boards/virtual/rcc_registers.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t cr = 0x00, icscr1 = 0x08, cfgr1 = 0x1C, cfgr2 = 0x20, pll1cfgr = 0x28,
                        pll1divr = 0x34, ahb3enr = 0x94, bdcr = 0xF0;
constexpr std::uint32_t msis_on = 1u << 0, hsi_on = 1u << 8, pll_on = 1u << 24;
constexpr std::uint32_t msi_range_from_icscr = 1u << 23, pll_output_on = 1u << 18,
                        power_clock_on = 1u << 2;
constexpr std::uint32_t pwr_cr3 = 0x08, pwr_svmsr = 0x3C, step_down = 1u << 1;
constexpr std::uint32_t pwr_vosr = 0x0C, vosr_boost_ready = 1u << 14, vosr_ready = 1u << 15,
                        vosr_boost_on = 1u << 18;
constexpr std::uint64_t hsi_hz = 16'000'000, booster_limit_hz = 55'000'000;

// MSISRANGE (11.8.3): four ranges of 48, 4, 3.072 and 0.4 MHz, divided by 1, 2, 3 and 4.
constexpr std::array<std::uint32_t, 16> msi_hz{
    48'000'000, 24'000'000, 16'000'000, 12'000'000, 4'000'000, 2'000'000, 1'333'000, 1'000'000,
    3'072'000,  1'536'000,  1'024'000,  768'000,    400'000,   200'000,   133'000,   100'000};
constexpr std::uint32_t msi_range_after_reset = 4;

// Highest core clock with 0, 1, 2, ... wait states (7.3.3) in the ranges VOS names 3, 2, 1 and 0.
constexpr std::array<std::uint32_t, 5> range1{32'000'000, 64'000'000, 96'000'000, 128'000'000,
                                              160'000'000};
constexpr std::array<std::uint32_t, 4> range2{30'000'000, 60'000'000, 90'000'000, 110'000'000};
constexpr std::array<std::uint32_t, 3> range3{24'000'000, 48'000'000, 55'000'000};
constexpr std::array<std::uint32_t, 2> range4{12'000'000, 25'000'000};

class RccStm32U5 final : public RccRegisters {
 public:
  explicit RccStm32U5(const BoardType& type)
      // MSIS and MSIK on; their ready bits follow.
      : RccRegisters(0xF8, {{cr, 0x11}, {icscr1, 0x44000000}, {pll1divr, 0x01010280}},
                     type.crystal),
        has_coil_(std::ranges::find(type.power_wiring, SupplyMode::smps) !=
                  type.power_wiring.end()),
        power_([this] { return (get(ahb3enr) & power_clock_on) != 0; }, {},
               [this](std::uint32_t offset, std::uint32_t value) {
                 if (offset == pwr_svmsr) return value | (power_.get(pwr_cr3) & step_down);
                 return offset == pwr_vosr ? value | vosr_ready | booster() : value;
               }) {}

  std::uint32_t register_base() const override { return 0x46020C00; }
  std::vector<Block> other_blocks() override { return {{0x46020800, 0x400, &power_}}; }

  Hertz core_clock() const override {
    return Hertz(system_clock_hz() / ahb_divider(get(cfgr2) & 15));
  }

  std::uint32_t cycles_per_uart_clock(std::uint32_t uart_base) const override {
    return apb_divider(get(cfgr2) >> (uart_base >= 0x40010000 ? 8 : 4) & 7);
  }

  std::optional<CoreFailure> failure(std::optional<std::uint32_t> states) const override {
    if (power_.get(pwr_cr3) & step_down && !has_coil_)
      return CoreFailure{"the step-down converter on a board that is not wired for it"};
    const std::uint32_t wait_states = states.value_or(0);
    const std::uint32_t range = power_.get(pwr_vosr) >> 16 & 3;
    if (range >= 2 && core_clock().count() > booster_limit_hz && !booster())
      return CoreFailure{"a core clock above 55 MHz without the EPOD booster"};
    switch (range) {
      case 3:
        return beyond(core_clock(), wait_states, range1);
      case 2:
        return beyond(core_clock(), wait_states, range2);
      case 1:
        return beyond(core_clock(), wait_states, range3);
      default:
        return beyond(core_clock(), wait_states, range4);
    }
  }

 private:
  std::uint32_t seen(std::uint32_t offset, std::uint32_t value) const override {
    switch (offset) {
      case cr:
        return value | ready();
      case cfgr1:
        return (value & ~0xCu) | selected() << 2;
      case bdcr:
        return with_ready_bit(value) | (value & 1u << 26) << 1;  // LSE, LSI
      default:
        return value;
    }
  }

  // The PLL's factors can only be changed while it is off (11.8.8 and 11.8.11).
  std::uint32_t locked(std::uint32_t offset) const override {
    constexpr std::uint32_t source_and_m = 0xFFF;
    if (!(get(cr) & pll_on)) return nothing;
    return offset == pll1divr ? everything : offset == pll1cfgr ? source_and_m : nothing;
  }

  std::uint64_t source_hz(std::uint32_t number) const {
    const std::uint32_t range =
        get(icscr1) & msi_range_from_icscr ? get(icscr1) >> 28 : msi_range_after_reset;
    if (number == 0 && get(cr) & msis_on) return msi_hz[range];
    if (number == 1 && get(cr) & hsi_on) return hsi_hz;
    if (number == 2 && hse_runs()) return hse_hz();
    return 0;
  }

  // PLL1SRC counts from 1 what SW counts from 0.
  std::uint64_t pll_source_hz() const {
    const std::uint32_t source = get(pll1cfgr) & 3;
    return source == 0 ? 0 : source_hz(source - 1);
  }

  // PLL1RGE must say the input's range, 4 to 8 or 8 to 16 MHz (11.8.8).
  std::optional<Hertz> pll() const {
    const std::uint32_t factors = get(pll1divr), m = (get(pll1cfgr) >> 8 & 15) + 1;
    const std::uint64_t input = pll_source_hz() / m;
    const bool high_range = (get(pll1cfgr) >> 2 & 3) == 3;
    const bool in_range = high_range ? input >= 8'000'000 && input <= 16'000'000
                                     : input >= 4'000'000 && input <= 8'000'000;
    if (!(get(cr) & pll_on) || !in_range) return std::nullopt;
    return Pll{pll_source_hz(),           m,           (factors & 511) + 1,
               (factors >> 24 & 127) + 1, 128'000'000, 544'000'000}
        .output();
  }

  // The booster's own clock, the PLL's source divided by 1, 2, 4, 6, ..., must be 4 to 16 MHz
  // (10.5.4).
  std::uint32_t booster() const {
    const std::uint32_t field = get(pll1cfgr) >> 12 & 15;
    const std::uint64_t hz = pll_source_hz() / (field == 0 ? 1 : 2 * field);
    const bool on = power_.get(pwr_vosr) & vosr_boost_on;
    return on && hz >= 4'000'000 && hz <= 16'000'000 ? vosr_boost_ready : 0;
  }

  std::uint32_t ready() const {
    return (source_hz(0) ? msis_on << 2 : 0) | (source_hz(1) ? hsi_on << 2 : 0) |
           (source_hz(2) ? hse_on << 1 : 0) | (pll() ? pll_on << 1 : 0);
  }

  // SW takes effect only for a source that is ready; until then the core stays on MSIS.
  std::uint32_t selected() const {
    const std::uint32_t wanted = get(cfgr1) & 3;
    if (wanted == 3) return pll() && get(pll1cfgr) & pll_output_on ? 3 : 0;
    return source_hz(wanted) ? wanted : 0;
  }

  std::uint64_t system_clock_hz() const {
    if (selected() == 3) return pll()->count();
    const std::uint64_t hz = source_hz(selected());
    return hz ? hz : msi_hz[msi_range_after_reset];
  }

  bool has_coil_;
  PowerControl power_;
};

}  // namespace

std::unique_ptr<Rcc> make_rcc_stm32u5(const BoardType& type) {
  return std::make_unique<RccStm32U5>(type);
}

}  // namespace assay::virtual_board

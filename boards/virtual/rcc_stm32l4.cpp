// RCC and PWR of the STM32L4 (RM0351 sections 5 and 6) and the L4+ (RM0432, the same sections).
#include <array>

#include "boards/virtual/power_control.hpp"
#include "boards/virtual/rcc_registers.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t cr = 0x00, cfgr = 0x08, pllcfgr = 0x0C, apb1enr1 = 0x58, ccipr = 0x88,
                        bdcr = 0x90, csr = 0x94;
constexpr std::uint32_t msi_on = 1u << 0, msi_range_from_cr = 1u << 3, hsi_on = 1u << 8,
                        pll_on = 1u << 24;
constexpr std::uint32_t pll_output_on = 1u << 24, power_clock_on = 1u << 28;
constexpr std::uint32_t pwr_cr1 = 0x00, pwr_cr5 = 0x80;
constexpr std::uint32_t usart1_base = 0x40013800, usart2_base = 0x40004400,
                        lpuart1_base = 0x40008000;
constexpr std::uint64_t hsi_hz = 16'000'000;

// MSIRANGE 0 to 11 (6.4.1).
constexpr std::array<std::uint32_t, 12> msi_hz{100'000,    200'000,    400'000,    800'000,
                                               1'000'000,  2'000'000,  4'000'000,  8'000'000,
                                               16'000'000, 24'000'000, 32'000'000, 48'000'000};

// Highest core clock with 0, 1, 2, ... wait states (3.3.3), and the fields' widths.
struct Variant {
  std::span<const std::uint32_t> range1, range1_boost, range2;
  std::uint32_t pll_m_mask;
};
constexpr std::array<std::uint32_t, 5> l4_range1{16'000'000, 32'000'000, 48'000'000, 64'000'000,
                                                 80'000'000};
constexpr std::array<std::uint32_t, 4> l4_range2{6'000'000, 12'000'000, 18'000'000, 26'000'000};
constexpr std::array<std::uint32_t, 4> l4plus_range1{20'000'000, 40'000'000, 60'000'000,
                                                     80'000'000};
constexpr std::array<std::uint32_t, 6> l4plus_boost{20'000'000, 40'000'000,  60'000'000,
                                                    80'000'000, 100'000'000, 120'000'000};
constexpr std::array<std::uint32_t, 3> l4plus_range2{8'000'000, 16'000'000, 26'000'000};
constexpr Variant l4{l4_range1, l4_range1, l4_range2, 7};
constexpr Variant l4plus{l4plus_range1, l4plus_boost, l4plus_range2, 15};

class RccStm32L4 final : public RccRegisters {
 public:
  RccStm32L4(std::optional<Hertz> crystal, const Variant& variant)
      : RccRegisters(0xA8, {{cr, 0x63}, {pllcfgr, 0x1000}, {csr, 0x0C000600}}, crystal),
        variant_(variant),
        power_([this] { return (get(apb1enr1) & power_clock_on) != 0; },
               {{pwr_cr1, 0x200}, {pwr_cr5, 0x100}}) {}

  std::uint32_t register_base() const override { return 0x40021000; }
  std::vector<Block> other_blocks() override { return {{0x40007000, 0x400, &power_}}; }

  Hertz core_clock() const override {
    return Hertz(system_clock_hz() / ahb_divider(get(cfgr) >> 4 & 15));
  }

  std::uint32_t cycles_per_uart_clock(std::uint32_t uart_base) const override {
    const unsigned field = uart_base == usart1_base ? 0 : uart_base == usart2_base ? 2 : 10;
    const bool known = field != 10 || uart_base == lpuart1_base;
    const std::uint32_t source = known ? get(ccipr) >> field & 3 : 0;
    if (source == 1) return 1;
    if (source == 2) return cycles_per(core_clock(), hsi_hz);
    return apb_divider(get(cfgr) >> (uart_base >= 0x40010000 ? 11 : 8) & 7);
  }

  std::optional<CoreFailure> failure(std::optional<std::uint32_t> states) const override {
    const std::uint32_t wait_states = states.value_or(0);
    constexpr std::uint32_t range2 = 2, normal_mode = 1u << 8;
    const bool boost = !(power_.get(pwr_cr5) & normal_mode);
    if ((power_.get(pwr_cr1) >> 9 & 3) == range2)
      return beyond(core_clock(), wait_states, variant_.range2);
    return beyond(core_clock(), wait_states, boost ? variant_.range1_boost : variant_.range1);
  }

 private:
  std::uint32_t seen(std::uint32_t offset, std::uint32_t value) const override {
    switch (offset) {
      case cr:
        return value | ready();
      case cfgr:
        return (value & ~0xCu) | selected() << 2;
      case bdcr:
      case csr:
        return with_ready_bit(value);  // LSE, LSI
      default:
        return value;
    }
  }

  // The PLL's factors can only be changed while it is off (6.4.4).
  std::uint32_t locked(std::uint32_t offset) const override {
    constexpr std::uint32_t factors = 0x7FF3;
    return offset == pllcfgr && get(cr) & pll_on ? factors : nothing;
  }

  std::uint32_t msi() const {
    const std::uint32_t range =
        get(cr) & msi_range_from_cr ? get(cr) >> 4 & 15 : get(csr) >> 8 & 15;
    return msi_hz[range < msi_hz.size() ? range : msi_hz.size() - 1];
  }

  std::optional<Hertz> source(std::uint32_t number) const {
    if (number == 1 && get(cr) & hsi_on) return Hertz(hsi_hz);
    if (number == 2 && hse_runs()) return Hertz(hse_hz());
    if (number == 0 && get(cr) & msi_on) return Hertz(msi());
    return std::nullopt;
  }

  // PLLSRC counts from 1 what SW counts from 0.
  std::optional<Hertz> pll() const {
    const std::uint32_t value = get(pllcfgr);
    if (!(get(cr) & pll_on) || (value & 3) == 0) return std::nullopt;
    const auto input = source((value & 3) - 1);
    return Pll{input ? input->count() : 0,
               (value >> 4 & variant_.pll_m_mask) + 1,
               value >> 8 & 127,
               2 * ((value >> 25 & 3) + 1),
               64'000'000,
               344'000'000}
        .output();
  }

  std::uint32_t ready() const {
    return (source(0) ? msi_on << 1 : 0) | (source(1) ? hsi_on << 2 : 0) |
           (source(2) ? hse_on << 1 : 0) | (pll() ? pll_on << 1 : 0);
  }

  // SW takes effect only for a source that is ready; until then the core stays on MSI.
  std::uint32_t selected() const {
    const std::uint32_t wanted = get(cfgr) & 3;
    if (wanted == 3) return pll() && get(pllcfgr) & pll_output_on ? 3 : 0;
    return source(wanted) ? wanted : 0;
  }

  std::uint64_t system_clock_hz() const {
    const std::uint32_t now = selected();
    if (now == 3) return pll()->count();
    return source(now).value_or(Hertz(msi())).count();
  }

  const Variant& variant_;
  PowerControl power_;
};

}  // namespace

std::unique_ptr<Rcc> make_rcc_stm32l4(std::optional<Hertz> crystal) {
  return std::make_unique<RccStm32L4>(crystal, l4);
}
std::unique_ptr<Rcc> make_rcc_stm32l4plus(std::optional<Hertz> crystal) {
  return std::make_unique<RccStm32L4>(crystal, l4plus);
}

}  // namespace assay::virtual_board

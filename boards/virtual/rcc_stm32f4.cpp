// RCC of the STM32F405 (RM0090 rev 19, section 7) and of the STM32F7 (RM0385, section 5; RM0410),
// which is laid out alike, with the STM32F7's over-drive (RM0385, section 4.1.4).
#include <fmt/format.h>

#include "boards/virtual/rcc_registers.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t cr = 0x00, pllcfgr = 0x04, cfgr = 0x08, apb1enr = 0x40, bdcr = 0x70,
                        csr = 0x74;
constexpr std::uint32_t hsi_on = 1u << 0, pll_on = 1u << 24, i2s_on = 1u << 26;
constexpr std::uint32_t pwr_clock_on = 1u << 28;
constexpr std::uint32_t apb2_begin = 0x40010000, apb2_end = 0x40018000;
constexpr Hertz hsi{16000000};

class RccStm32F4 : public RccRegisters {
 public:
  explicit RccStm32F4(std::optional<Hertz> crystal)
      : RccRegisters(0x94, {{cr, 0x81}, {pllcfgr, 0x24003010}, {csr, 0x0E000000}}, crystal) {}

  std::uint32_t register_base() const override { return 0x40023800; }

  Hertz core_clock() const override {
    return Hertz(system_clock_hz() / ahb_divider(get(cfgr) >> 4 & 15));
  }

  std::uint32_t cycles_per_uart_clock(std::uint32_t uart_base) const override {
    const bool fast = uart_base >= apb2_begin && uart_base < apb2_end;
    return apb_divider(get(cfgr) >> (fast ? 13 : 10) & 7);
  }

 private:
  std::uint32_t seen(std::uint32_t offset, std::uint32_t value) const override {
    switch (offset) {
      case cr:
        return value | (value & (hsi_on | pll_on | i2s_on)) << 1 | (hse_runs() ? hse_on << 1 : 0);
      case cfgr:
        return (value & ~0xCu) | selected() << 2;
      case bdcr:
      case csr:
        return with_ready_bit(value);  // LSE, LSI
      default:
        return value;
    }
  }

  // Only while the PLL is off.
  std::uint32_t locked(std::uint32_t offset) const override {
    return offset == pllcfgr && get(cr) & pll_on ? everything : nothing;
  }

  // SW takes effect only for a source that is ready; until then the core stays on HSI.
  std::uint32_t selected() const {
    const std::uint32_t wanted = get(cfgr) & 3;
    if (wanted == 1) return hse_runs() ? 1 : 0;
    if (wanted == 2)
      return (get(cr) & pll_on) && (hse_runs() || !(get(pllcfgr) & 1u << 22)) ? 2 : 0;
    return 0;
  }

  std::uint64_t system_clock_hz() const {
    if (selected() == 0) return hsi.count();
    if (selected() == 1) return hse_hz();
    const std::uint32_t pll = get(pllcfgr);
    const std::uint64_t source = pll & 1u << 22 ? hse_hz() : hsi.count();
    const std::uint64_t m = pll & 63, n = pll >> 6 & 511, p = 2ull * ((pll >> 16 & 3) + 1);
    return m == 0 ? hsi.count() : source * n / m / p;
  }
};

/// PWR_CR1 and PWR_CSR1; nothing is written while the block's clock is off.
class PowerStm32F7 final : public Peripheral {
 public:
  explicit PowerStm32F7(const bool& clock_on) : clock_on_(clock_on) { reset(); }

  void reset() override { control_ = 0xC000; }
  std::uint32_t read(std::uint32_t offset) override {
    return offset == 0 ? control_ : offset == 4 ? 1u << 14 | overdrive_ready() : 0;
  }
  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    if (offset == 0 && clock_on_) control_ = merge_lanes(control_, value, lanes);
  }

  /// The highest core clock at this voltage scale (DS10916, general operating conditions).
  Hertz limit() const {
    switch (control_ >> 14 & 3) {
      case 3:
        return overdrive_ready() >> 17 ? Hertz(216'000'000) : Hertz(180'000'000);
      case 2:
        return overdrive_ready() >> 17 ? Hertz(180'000'000) : Hertz(168'000'000);
      default:
        return Hertz(144'000'000);
    }
  }

 private:
  // ODRDY follows ODEN; ODSWRDY follows ODSWEN once the generator is ready.
  std::uint32_t overdrive_ready() const {
    const std::uint32_t generator = control_ & 1u << 16;
    return generator ? generator | (control_ & 1u << 17) : 0;
  }

  const bool& clock_on_;
  std::uint32_t control_ = 0;
};

class RccStm32F7 final : public RccStm32F4 {
 public:
  RccStm32F7(std::optional<Hertz> crystal, Millivolts supply)
      : RccStm32F4(crystal), supply_(supply) {}

  void reset() override {
    RccStm32F4::reset();
    power_clock_on_ = false;
  }
  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    RccStm32F4::write(offset, value, lanes);
    power_clock_on_ = get(apb1enr) & pwr_clock_on;
  }

  std::vector<Block> other_blocks() override { return {{0x40007000, 0x400, &power_}}; }

  std::optional<CoreFailure> failure(std::optional<std::uint32_t> wait_states) const override {
    const std::uint64_t clock = core_clock().count();
    if (clock > power_.limit().count())
      return CoreFailure{fmt::format("{} Hz are above the {} Hz of the voltage scale and "
                                     "over-drive that are set",
                                     clock, power_.limit().count()),
                         false};
    for (const auto& [uart_base, limit] :
         {std::pair{0x40000000u, 54'000'000u}, std::pair{apb2_begin, 108'000'000u}})
      if (clock / cycles_per_uart_clock(uart_base) > limit)
        return CoreFailure{fmt::format("a peripheral bus runs above its {} Hz", limit), false};
    // RM0385, table 7.
    const std::uint32_t step = supply_.count() >= 2700   ? 30'000'000
                               : supply_.count() >= 2400 ? 24'000'000
                               : supply_.count() >= 2100 ? 22'000'000
                                                         : 20'000'000;
    const std::uint64_t needed = (clock - 1) / step;
    if (wait_states && *wait_states < needed)
      return CoreFailure{fmt::format("flash needs {} wait states at {} Hz and has {}", needed,
                                     clock, *wait_states),
                         false};
    return std::nullopt;
  }

 private:
  Millivolts supply_;
  bool power_clock_on_ = false;
  PowerStm32F7 power_{power_clock_on_};
};

}  // namespace

std::unique_ptr<Rcc> make_rcc_stm32f4(std::optional<Hertz> crystal) {
  return std::make_unique<RccStm32F4>(crystal);
}

std::unique_ptr<Rcc> make_rcc_stm32f7(const BoardType& type) {
  return std::make_unique<RccStm32F7>(type.crystal, type.supply);
}

}  // namespace assay::virtual_board

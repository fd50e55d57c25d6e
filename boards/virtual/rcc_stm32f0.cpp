// RCC of the STM32F030 (RM0360 rev 5, section 7).
#include "boards/virtual/rcc_registers.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t cr = 0x00, cfgr = 0x04, bdcr = 0x20, csr = 0x24, cfgr2 = 0x2C, cr2 = 0x34;
constexpr std::uint32_t hsi_on = 1u << 0, pll_on = 1u << 24;
constexpr Hertz hsi{8000000};

class RccStm32F0 final : public RccRegisters {
 public:
  explicit RccStm32F0(std::optional<Hertz> crystal)
      : RccRegisters(0x38, {{cr, 0x81}, {csr, 0x0C000000}, {cr2, 0x80}}, crystal) {}

  std::uint32_t register_base() const override { return 0x40021000; }

  Hertz core_clock() const override {
    return Hertz(system_clock_hz() / ahb_divider(get(cfgr) >> 4 & 15));
  }

  std::uint32_t cycles_per_uart_clock(std::uint32_t) const override {
    return apb_divider(get(cfgr) >> 8 & 7);
  }

 private:
  std::uint32_t seen(std::uint32_t offset, std::uint32_t value) const override {
    switch (offset) {
      case cr:
        return value | (value & (hsi_on | pll_on)) << 1 | (hse_runs() ? hse_on << 1 : 0);
      case cfgr:
        return (value & ~0xCu) | selected() << 2;
      case bdcr:
      case csr:
      case cr2:
        return with_ready_bit(value);  // LSE, LSI, HSI14
      default:
        return value;
    }
  }

  std::uint32_t selected() const {
    const std::uint32_t wanted = get(cfgr) & 3;
    if (wanted == 1) return hse_runs() ? 1 : 0;
    if (wanted == 2) return (get(cr) & pll_on) && (hse_runs() || !(get(cfgr) & 1u << 16)) ? 2 : 0;
    return 0;
  }

  // PLLSRC (bits 16 and 15): HSI/2, HSI/PREDIV, HSE/PREDIV; PLLMUL: 2 to 16.
  std::uint64_t system_clock_hz() const {
    if (selected() == 0) return hsi.count();
    if (selected() == 1) return hse_hz();
    const std::uint64_t divider = (get(cfgr2) & 15) + 1;
    std::uint64_t source = hsi.count() / 2;
    if (get(cfgr) & 1u << 16)
      source = hse_hz() / divider;
    else if (get(cfgr) & 1u << 15)
      source = hsi.count() / divider;
    const std::uint64_t factor = (get(cfgr) >> 18 & 15) + 2;
    return source * (factor > 16 ? 16 : factor);
  }
};

}  // namespace

std::unique_ptr<Rcc> make_rcc_stm32f0(std::optional<Hertz> crystal) {
  return std::make_unique<RccStm32F0>(crystal);
}

}  // namespace assay::virtual_board

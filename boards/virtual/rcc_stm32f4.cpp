// RCC of the STM32F405 (RM0090 rev 19, section 7).
#include <array>

#include "boards/virtual/rcc.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t cr = 0x00, pllcfgr = 0x04, cfgr = 0x08, bdcr = 0x70, csr = 0x74;
constexpr std::uint32_t hsi_on = 1u << 0, hse_on = 1u << 16, pll_on = 1u << 24, i2s_on = 1u << 26;
constexpr std::uint32_t apb2_begin = 0x40010000, apb2_end = 0x40018000;
constexpr Hertz hsi{16000000};

class RccStm32F4 final : public Rcc {
 public:
  explicit RccStm32F4(std::optional<Hertz> crystal) : crystal_(crystal) { reset(); }

  std::uint32_t register_base() const override { return 0x40023800; }

  void reset() override {
    registers_.fill(0);
    at(cr) = 0x81;
    at(pllcfgr) = 0x24003010;
    at(csr) = 0x0E000000;
  }

  std::uint32_t read(std::uint32_t offset) override {
    const std::uint32_t value = offset / 4 < registers_.size() ? at(offset) : 0;
    switch (offset) {
      case cr:
        return value | ready(value);
      case cfgr:
        return (value & ~0xCu) | selected() << 2;
      case bdcr:
      case csr:
        return value | (value & 1) << 1;  // LSE, LSI
      default:
        return value;
    }
  }

  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    if (offset / 4 < registers_.size()) at(offset) = merge_lanes(at(offset), value, lanes);
  }

  Hertz core_clock() const override {
    return Hertz(system_clock_hz() / ahb_divider(get(cfgr) >> 4 & 15));
  }

  std::uint32_t cycles_per_uart_clock(std::uint32_t uart_base) const override {
    const bool fast = uart_base >= apb2_begin && uart_base < apb2_end;
    return apb_divider(get(cfgr) >> (fast ? 13 : 10) & 7);
  }

 private:
  std::uint32_t& at(std::uint32_t offset) { return registers_[offset / 4]; }
  std::uint32_t get(std::uint32_t offset) const { return registers_[offset / 4]; }

  std::uint32_t ready(std::uint32_t control) const {
    std::uint32_t bits = (control & (hsi_on | pll_on | i2s_on)) << 1;
    if (crystal_) bits |= (control & hse_on) << 1;
    return bits;
  }

  // SW takes effect only for a source that is ready; until then the core stays on HSI.
  std::uint32_t selected() const {
    const std::uint32_t wanted = get(cfgr) & 3;
    const bool hse_runs = crystal_ && (get(cr) & hse_on);
    if (wanted == 1) return hse_runs ? 1 : 0;
    if (wanted == 2) return (get(cr) & pll_on) && (hse_runs || !(get(pllcfgr) & 1u << 22)) ? 2 : 0;
    return 0;
  }

  std::uint64_t system_clock_hz() const {
    if (selected() == 0) return hsi.count();
    if (selected() == 1) return crystal_->count();
    const std::uint32_t pll = get(pllcfgr);
    const std::uint64_t source = pll & 1u << 22 ? crystal_->count() : hsi.count();
    const std::uint64_t m = pll & 63, n = pll >> 6 & 511, p = 2ull * ((pll >> 16 & 3) + 1);
    return m == 0 ? hsi.count() : source * n / m / p;
  }

  std::optional<Hertz> crystal_;
  std::array<std::uint32_t, 0x90 / 4> registers_{};
};

}  // namespace

std::unique_ptr<Rcc> make_rcc_stm32f4(std::optional<Hertz> crystal) {
  return std::make_unique<RccStm32F4>(crystal);
}

}  // namespace assay::virtual_board

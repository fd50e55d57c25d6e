// RCC and PWR of the STM32H7: the H74x line (RM0433 rev 7 and RM0399 rev 3, sections 6 to 8) and
// the H7A3 line (RM0455 rev 3). The supply is chosen by the first write to PWR_CR3 after power-up;
// one that the board's power pins are not wired for takes the core's voltage away.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "boards/virtual/rcc_registers.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t cr = 0x00, cfgr = 0x10, d1cfgr = 0x18, d2cfgr = 0x1C, pllckselr = 0x28,
                        pllcfgr = 0x2C, pll1divr = 0x30, bdcr = 0x70, csr = 0x74;
constexpr std::uint32_t pll1_on = 1u << 24;
constexpr std::uint32_t apb2_begin = 0x40010000, apb2_end = 0x40018000;
constexpr std::uint32_t from_hse = 2, from_pll1 = 3;
constexpr Hertz hsi{64000000};

/// One voltage scale, from 0 (the highest) on.
struct Scale {
  std::uint32_t core_mhz, axi_mhz;
  double apb_mhz;
  std::array<std::uint32_t, 7> flash_mhz;  ///< highest AXI clock with so many wait states; 0: end
};

struct Line {
  bool scale_0_is_overdrive;  ///< else VOS counts 3 to 0 for scales 0 to 3
  std::uint32_t voltage_reset;
  std::array<Scale, 4> scales;
};
// DS12110 and DS12930, general operating conditions; RM0433, table 17.
constexpr Line stm32h74x{true,
                         0x4000,
                         {{{480, 240, 120, {70, 140, 210, 225, 240}},
                           {400, 200, 100, {70, 140, 210, 225}},
                           {300, 150, 75, {55, 110, 165, 225}},
                           {200, 100, 50, {45, 90, 135, 180, 225}}}}};
// DS13195, general operating conditions; RM0455, table 15.
constexpr Line stm32h7a3{false,
                         0x0000,
                         {{{280, 280, 140, {42, 84, 126, 168, 210, 252, 280}},
                           {225, 225, 112.5, {38, 76, 114, 152, 190, 225}},
                           {160, 160, 80, {34, 68, 102, 136, 160}},
                           {88, 88, 44, {22, 44, 66, 88}}}}};

/// PWR_CR3, PWR_CSR1 and the voltage scale; SYSCFG_PWRCR beside it.
class PowerStm32H7 final : public Peripheral {
 public:
  PowerStm32H7(const Line& line, const BoardType& type)
      : line_(line), modes_(type.part.supply_modes), wired_(type.power_wiring) {
    lose_power();
    reset();
  }

  void reset() override { voltage_ = line_.voltage_reset; }
  void lose_power() override {
    supply_ = 6;
    chosen_ = false;
  }

  std::uint32_t read(std::uint32_t offset) override {
    switch (offset) {
      case 0x04:
        return 1u << 13 | (voltage_ & 0xC000);  // ACTVOSRDY, ACTVOS
      case 0x0C:
        return supply_;
      case 0x18:
        return voltage_ | 1u << 13;  // VOSRDY
      default:
        return 0;
    }
  }

  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    if (offset == 0x0C && lanes & 0xFF && !chosen_) {
      supply_ = value & lanes & (has(SupplyMode::smps) ? 0x3F : 0x07);
      chosen_ = true;
    } else if (offset == 0x18 && chosen_) {
      voltage_ = merge_lanes(voltage_, value, lanes) & 0xC000;
    }
  }

  /// What the first write to CR3 asks for; nothing: no such setting, or none yet.
  std::optional<SupplyMode> mode() const {
    if (!chosen_) return std::nullopt;
    switch (supply_) {
      case 0x01:
        return SupplyMode::external;
      case 0x02:
        return SupplyMode::ldo;
      case 0x04:
        return has(SupplyMode::smps) ? std::optional(SupplyMode::smps) : std::nullopt;
      case 0x06:
        return has(SupplyMode::smps) ? std::nullopt : std::optional(SupplyMode::ldo);
      case 0x16:
        return SupplyMode::smps_1v8_ldo;
      case 0x26:
        return SupplyMode::smps_2v5_ldo;
      default:
        return std::nullopt;
    }
  }

  std::optional<CoreFailure> failure() const {
    if (!chosen_) return std::nullopt;
    const auto asked = mode();
    if (asked && std::ranges::find(wired_, *asked) != wired_.end()) return std::nullopt;
    return CoreFailure{
        fmt::format("supply mode {} (PWR_CR3 = {:#04x}) on a board wired for {}: "
                    "the core has no voltage",
                    asked ? to_string(*asked) : "unknown", supply_, list_modes(wired_)),
        true};
  }

  unsigned scale(bool overdrive) const {
    const unsigned field = voltage_ >> 14 & 3;
    if (!line_.scale_0_is_overdrive) return 3 - field;
    if (field == 3) return overdrive ? 0 : 1;
    return field == 2 ? 2 : 3;
  }

 private:
  bool has(SupplyMode mode) const { return std::ranges::find(modes_, mode) != modes_.end(); }

  const Line& line_;
  std::vector<SupplyMode> modes_;
  std::vector<SupplyMode> wired_;
  std::uint32_t supply_ = 0;
  std::uint32_t voltage_ = 0;
  bool chosen_ = false;
};

/// SYSCFG, of which only PWRCR.ODEN does something here.
class SystemConfiguration final : public Peripheral {
 public:
  bool overdrive() const { return power_control_ & 1; }
  void reset() override { power_control_ = 0; }
  std::uint32_t read(std::uint32_t offset) override { return offset == 4 ? power_control_ : 0; }
  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    if (offset == 4) power_control_ = merge_lanes(power_control_, value, lanes);
  }

 private:
  std::uint32_t power_control_ = 0;
};

class RccStm32H7 final : public RccRegisters {
 public:
  RccStm32H7(const Line& line, const BoardType& type)
      : RccRegisters(
            0x200,
            {{cr, 1}, {pllckselr, 0x02020200}, {pllcfgr, 0x01FF0000}, {pll1divr, 0x01010280}},
            type.crystal),
        line_(line),
        power_(line, type) {}

  std::uint32_t register_base() const override { return 0x58024400; }
  std::vector<Block> other_blocks() override {
    return {{0x58024800, 0x400, &power_}, {0x58000400, 0x400, &system_configuration_}};
  }

  Hertz core_clock() const override {
    return Hertz(system_clock_hz() / ahb_divider(get(d1cfgr) >> 8 & 15));
  }
  std::uint32_t cycles_per_uart_clock(std::uint32_t uart_base) const override {
    const bool second = uart_base >= apb2_begin && uart_base < apb2_end;
    return axi_divider() * apb_divider(get(d2cfgr) >> (second ? 8 : 4) & 7);
  }

  std::optional<CoreFailure> failure(std::optional<std::uint32_t> wait_states) const override {
    if (auto lost = power_.failure()) return lost;
    const Scale& scale = line_.scales[power_.scale(system_configuration_.overdrive())];
    const double core = static_cast<double>(core_clock().count()) / 1e6;
    const double axi = core / axi_divider();
    const auto above = [](const char* what, double clock, double limit) {
      return CoreFailure{fmt::format("{} at {:g} MHz is above the {:g} MHz of the voltage scale",
                                     what, clock, limit),
                         false};
    };
    if (core > scale.core_mhz) return above("the core", core, scale.core_mhz);
    if (axi > scale.axi_mhz) return above("the AXI bus", axi, scale.axi_mhz);
    for (const std::uint32_t uart_base : {0x40000000u, apb2_begin}) {
      const double apb = core / cycles_per_uart_clock(uart_base);
      // Out of reset the internal oscillator drives the buses undivided, whatever the scale.
      if (apb > scale.apb_mhz && selected() != 0) return above("an APB", apb, scale.apb_mhz);
    }
    const auto held = wait_states.value_or(15);
    const std::uint32_t limit =
        held < scale.flash_mhz.size() ? scale.flash_mhz[held] : scale.axi_mhz;
    if (limit != 0 && axi > limit)
      return CoreFailure{
          fmt::format("flash with {} wait states at an AXI clock of {:g} MHz", held, axi), false};
    return std::nullopt;
  }

 private:
  std::uint32_t seen(std::uint32_t offset, std::uint32_t value) const override {
    switch (offset) {
      case cr:
        return value | ready(value);
      case cfgr:
        return (value & ~0x38u) | selected() << 3;
      case bdcr:
      case csr:
        return with_ready_bit(value);  // LSE, LSI
      default:
        return value;
    }
  }

  // The PLL's set-up stands still while it runs.
  std::uint32_t locked(std::uint32_t offset) const override {
    const bool of_pll = offset >= pllckselr && offset <= pll1divr;
    return of_pll && get(cr) & pll1_on ? everything : nothing;
  }

  std::uint32_t axi_divider() const { return ahb_divider(get(d1cfgr) & 15); }

  // HSI and its division flag, CSI, HSI48, the domain clocks, HSE, the PLLs.
  std::uint32_t ready(std::uint32_t control) const {
    return (control & 1) << 2 | 1u << 5 | (control & 1u << 7) << 1 | (control & 1u << 12) << 1 |
           3u << 14 | (control & 0x15000000) << 1 | (hse_runs() ? hse_on << 1 : 0);
  }

  // SW takes effect only for a source that is ready; until then the core stays on HSI.
  std::uint32_t selected() const {
    const std::uint32_t wanted = get(cfgr) & 7;
    if (wanted == from_hse) return hse_runs() ? from_hse : 0;
    if (wanted == from_pll1) return pll_hz() != 0 ? from_pll1 : 0;
    return 0;
  }

  std::uint64_t pll_hz() const {
    const std::uint32_t source = get(pllckselr) & 3, m = get(pllckselr) >> 4 & 63;
    const bool from_crystal = source == 2;
    if (!(get(cr) & pll1_on) || m == 0 || source == 1 || source == 3) return 0;
    if ((from_crystal && !hse_runs()) || !(get(pllcfgr) & 1u << 16)) return 0;
    const std::uint64_t input = from_crystal ? hse_hz() : hsi.count();
    const std::uint64_t n = (get(pll1divr) & 511) + 1, p = (get(pll1divr) >> 9 & 127) + 1;
    return input * n / m / p;
  }

  std::uint64_t system_clock_hz() const {
    if (selected() == from_pll1) return pll_hz();
    return selected() == from_hse ? hse_hz() : hsi.count();
  }

  const Line& line_;
  PowerStm32H7 power_;
  SystemConfiguration system_configuration_;
};

}  // namespace

std::unique_ptr<Rcc> make_rcc_stm32h7(const BoardType& type) {
  return std::make_unique<RccStm32H7>(stm32h74x, type);
}

std::unique_ptr<Rcc> make_rcc_stm32h7a3(const BoardType& type) {
  return std::make_unique<RccStm32H7>(stm32h7a3, type);
}

}  // namespace assay::virtual_board

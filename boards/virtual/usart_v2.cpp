// USART registers of the STM32F0, F3, F7, G0, L4, U5 and H7 (RM0360 rev 5, section 23.8), without
// FIFOs, and the low-power UART that has the same ones and another baud rate (RM0432 section 48).
#include <algorithm>
#include <array>

#include "boards/virtual/usart.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t cr1 = 0x00, brr = 0x0C, isr = 0x1C, icr = 0x20, rdr = 0x24, tdr = 0x28;
// USART_ISR
constexpr std::uint32_t isr_ore = 1u << 3, isr_rxne = 1u << 5, isr_tc = 1u << 6, isr_txe = 1u << 7,
                        isr_teack = 1u << 21, isr_reack = 1u << 22;
// USART_CR1
constexpr std::uint32_t cr1_ue = 1u << 0, cr1_re = 1u << 2, cr1_te = 1u << 3, cr1_rxneie = 1u << 5,
                        cr1_txeie = 1u << 7, cr1_over8 = 1u << 15;

class UsartV2 : public Usart {
 public:
  using Usart::Usart;

  void reset() override {
    control_ = {};
    Usart::reset();
  }

  std::uint32_t read(std::uint32_t offset) override {
    switch (offset) {
      case isr: {
        const Status now = status();
        return (now.overrun ? isr_ore : 0) | (now.receive_full ? isr_rxne : 0) |
               (now.transmit_empty ? isr_txe | isr_tc : 0) | (receiver_on() ? isr_reack : 0) |
               (transmitter_on() ? isr_teack : 0);
      }
      case rdr:
        return take_received();
      default:
        return offset < isr ? control_[offset / 4] : 0;
    }
  }

  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    if (offset == tdr) {
      if (transmitter_on()) transmit(static_cast<std::uint8_t>(value));
    } else if (offset == icr) {
      if (value & lanes & isr_ore) clear_overrun();
    } else if (offset < isr) {
      std::uint32_t& word = control_[offset / 4];
      word = merge_lanes(word, value, lanes);
      note_activity();
    }
  }

 protected:
  std::uint32_t get(std::uint32_t offset) const { return control_[offset / 4]; }

 private:
  bool receiver_on() const override { return (get(cr1) & (cr1_ue | cr1_re)) == (cr1_ue | cr1_re); }
  bool transmitter_on() const { return (get(cr1) & (cr1_ue | cr1_te)) == (cr1_ue | cr1_te); }
  bool receive_interrupt_on() const override { return get(cr1) & cr1_rxneie; }
  bool transmit_interrupt_on() const override { return transmitter_on() && get(cr1) & cr1_txeie; }
  // With OVER8, BRR[2:0] holds USARTDIV[3:0] >> 1 and a bit lasts half of USARTDIV (23.5.4).
  std::uint32_t clocks_per_bit() const override {
    const std::uint32_t value = get(brr) & 0xFFFF;
    if (!(get(cr1) & cr1_over8)) return value;
    return ((value & 0xFFF0) | (value & 7) << 1) / 2;
  }

  std::array<std::uint32_t, isr / 4> control_{};
};

/// BRR holds 256 times the clocks of a bit, and at least 0x300 (48.7.5).
class LowPowerUart final : public UsartV2 {
 public:
  using UsartV2::UsartV2;

 private:
  std::uint32_t clocks_per_bit() const override {
    const std::uint32_t value = get(brr) & 0xFFFFF;
    return std::max<std::uint32_t>(value, 0x300) / 256;
  }
};

}  // namespace

std::unique_ptr<Usart> make_usart_v2(const Uart& block, Pty& line, const TimeSource& time,
                                     const Rcc& rcc) {
  return std::make_unique<UsartV2>(block, line, time, rcc);
}

std::unique_ptr<Usart> make_lpuart(const Uart& block, Pty& line, const TimeSource& time,
                                   const Rcc& rcc) {
  return std::make_unique<LowPowerUart>(block, line, time, rcc);
}

}  // namespace assay::virtual_board

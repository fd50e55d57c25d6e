// USART registers of the STM32F1, F2 and F4 (RM0090 rev 19, section 30.6).
#include "boards/virtual/usart.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t sr = 0x00, dr = 0x04, brr = 0x08, cr1 = 0x0C, gtpr = 0x18;
// USART_SR
constexpr std::uint32_t sr_ore = 1u << 3, sr_rxne = 1u << 5, sr_tc = 1u << 6, sr_txe = 1u << 7;
// USART_CR1
constexpr std::uint32_t cr1_re = 1u << 2, cr1_te = 1u << 3, cr1_rxneie = 1u << 5,
                        cr1_txeie = 1u << 7, cr1_ue = 1u << 13, cr1_over8 = 1u << 15;

class UsartV1 final : public Usart {
 public:
  using Usart::Usart;

  void reset() override {
    control_ = {};
    Usart::reset();
  }

  std::uint32_t read(std::uint32_t offset) override {
    switch (offset) {
      case sr: {
        const Status now = status();
        status_was_read_ = now.overrun;
        return (now.overrun ? sr_ore : 0) | (now.receive_full ? sr_rxne : 0) |
               (now.transmit_empty ? sr_txe | sr_tc : 0);
      }
      case dr:
        // ORE is cleared by reading SR and then DR (section 30.6.1).
        if (status_was_read_) clear_overrun();
        status_was_read_ = false;
        return take_received();
      default:
        return offset >= brr && offset <= gtpr ? control_[(offset - brr) / 4] : 0;
    }
  }

  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    if (offset == dr) {
      if ((get(cr1) & (cr1_ue | cr1_te)) == (cr1_ue | cr1_te))
        transmit(static_cast<std::uint8_t>(value));
    } else if (offset >= brr && offset <= gtpr) {
      std::uint32_t& word = control_[(offset - brr) / 4];
      word = merge_lanes(word, value, lanes);
      note_activity();
    }
  }

 private:
  std::uint32_t get(std::uint32_t offset) const { return control_[(offset - brr) / 4]; }

  bool receiver_on() const override { return (get(cr1) & (cr1_ue | cr1_re)) == (cr1_ue | cr1_re); }
  bool receive_interrupt_on() const override { return get(cr1) & cr1_rxneie; }
  bool transmit_interrupt_on() const override {
    return (get(cr1) & (cr1_ue | cr1_txeie)) == (cr1_ue | cr1_txeie);
  }
  // BRR holds a fraction of sixteenths, of eighths with OVER8 (section 30.3.4).
  std::uint32_t clocks_per_bit() const override {
    const std::uint32_t value = get(brr) & 0xFFFF;
    return get(cr1) & cr1_over8 ? (value >> 4) * 8 + (value & 7) : value;
  }

  std::array<std::uint32_t, 5> control_{};
  bool status_was_read_ = false;
};

}  // namespace

std::unique_ptr<Usart> make_usart_v1(const Uart& block, Pty& line, const TimeSource& time,
                                     const Rcc& rcc) {
  return std::make_unique<UsartV1>(block, line, time, rcc);
}

}  // namespace assay::virtual_board

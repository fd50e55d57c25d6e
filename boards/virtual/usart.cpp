#include "boards/virtual/usart.hpp"

#include <fmt/format.h>

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t bits_per_frame = 10;  // start, eight data bits, stop
// Ten times as fast as a board's own line (115 200 baud are 417 clocks a bit at 48 MHz), and slow
// enough for a Cortex-M0 to take each byte out of its ring before the next one comes.
constexpr std::uint32_t unpaced_clocks_per_bit = 40;

}  // namespace

std::optional<std::uint8_t> LineFault::pass(std::uint8_t byte) {
  std::uniform_real_distribution<double> draw(0, 1);
  if (drop_next > 0) {
    --drop_next;
    return std::nullopt;
  }
  if (drop_rate > 0 && draw(random) < drop_rate) return std::nullopt;
  const bool corrupt = corrupt_next > 0 || (corrupt_rate > 0 && draw(random) < corrupt_rate);
  if (corrupt_next > 0) --corrupt_next;
  return corrupt ? static_cast<std::uint8_t>(byte ^ 1u << random() % 8) : byte;
}

void Usart::reset() {
  full_ = overrun_ = false;
  data_ = 0;
  earliest_ = time_.cycles();
  note_activity();
}

std::uint64_t Usart::frame_cycles() const {
  const std::uint32_t clocks = paced_ ? clocks_per_bit() : unpaced_clocks_per_bit;
  return std::uint64_t{bits_per_frame} * clocks * rcc_.cycles_per_uart_clock(block_.base);
}

void Usart::service(std::uint64_t now) {
  while (receiver_on() && now >= earliest_ && line_.has_input() && (paced_ || !full_)) {
    const std::optional<std::uint8_t> byte = to_board_.pass(line_.pop_input());
    if (paced_) earliest_ = now + frame_cycles();
    if (!byte) continue;
    note_activity();
    if (full_) {
      overrun_ = true;
    } else {
      full_ = true;
      data_ = *byte;
    }
  }
}

std::optional<std::uint64_t> Usart::next_event() const {
  if (!receiver_on() || !line_.has_input() || (full_ && !paced_)) return std::nullopt;
  return earliest_;
}

bool Usart::interrupt_requested() const {
  return (receive_interrupt_on() && (full_ || overrun_)) ||
         (transmit_interrupt_on() && line_.has_space());
}

Usart::Status Usart::status() {
  service(time_.cycles());
  return {full_, overrun_, line_.has_space()};
}

std::uint8_t Usart::take_received() {
  full_ = false;
  note_activity();
  // One interrupt per byte must leave the main program time between two of them, as a line does.
  if (!paced_) earliest_ = time_.cycles() + (receive_interrupt_on() ? frame_cycles() : 0);
  return data_;
}

void Usart::transmit(std::uint8_t byte) {
  note_activity();
  if (const auto sent = from_board_.pass(byte)) line_.push_output(*sent);
}

Result<std::unique_ptr<Usart>> make_usart(const Uart& block, Pty& line, const TimeSource& time,
                                          const Rcc& rcc) {
  if (block.driver == "stm32-usart-v1") return make_usart_v1(block, line, time, rcc);
  if (block.driver == "stm32-usart-v2") return make_usart_v2(block, line, time, rcc);
  if (block.driver == "stm32-lpuart") return make_lpuart(block, line, time, rcc);
  return fail(ErrorKind::bad_input,
              fmt::format("UART driver \"{}\" of {} has no virtual model; known: stm32-lpuart, "
                          "stm32-usart-v1, stm32-usart-v2",
                          block.driver, block.name));
}

}  // namespace assay::virtual_board

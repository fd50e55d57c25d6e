// USARTs of the STM32 families: a common receiver and transmitter, and two register layouts. Used
// by one thread at a time (the board's lock is held).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "boards/virtual/peripheral.hpp"
#include "boards/virtual/pty.hpp"
#include "boards/virtual/rcc.hpp"
#include "harness/core/part.hpp"

namespace assay::virtual_board {

/// Damage done to the bytes of one direction.
struct LineFault {
  std::uint32_t drop_next = 0;     ///< bytes still to be lost
  std::uint32_t corrupt_next = 0;  ///< bytes still to have a bit flipped
  double drop_rate = 0;            ///< 0 to 1
  double corrupt_rate = 0;
  std::mt19937_64 random{1};

  /// The byte as it comes through; nothing: it was lost.
  std::optional<std::uint8_t> pass(std::uint8_t byte);
};

class Usart : public Peripheral {
 public:
  Usart(const Uart& block, Pty& line, const TimeSource& time, const Rcc& rcc)
      : block_(block), line_(line), time_(time), rcc_(rcc) {}

  const Uart& block() const { return block_; }
  void reset() override;

  /// Level of the interrupt request.
  bool interrupt_requested() const;
  /// Lets modelled time act: a byte that is due arrives, or overruns the one not yet read.
  void service(std::uint64_t now);
  /// When service() has something to do next; nothing: only after bytes arrived at the pty.
  std::optional<std::uint64_t> next_event() const;

  /// Paced: bytes come at the baud rate in modelled time whether they are read or not, so a byte
  /// not read in time is lost (ORE). Not paced: the next byte waits until the last one was read.
  void set_paced(bool paced) { paced_ = paced; }
  LineFault& fault_to_board() { return to_board_; }
  LineFault& fault_from_board() { return from_board_; }
  /// Grows with every byte received or sent and every control write.
  std::uint64_t activity() const { return activity_; }

 protected:
  struct Status {
    bool receive_full = false;
    bool overrun = false;
    bool transmit_empty = true;
  };
  Status status();
  std::uint8_t take_received();
  void clear_overrun() { overrun_ = false; }
  void transmit(std::uint8_t byte);
  void note_activity() { ++activity_; }

  virtual bool receiver_on() const = 0;
  virtual bool receive_interrupt_on() const = 0;
  virtual bool transmit_interrupt_on() const = 0;
  /// Cycles of the UART's own clock in one bit, from the baud rate register.
  virtual std::uint32_t clocks_per_bit() const = 0;

 private:
  std::uint64_t frame_cycles() const;

  const Uart& block_;
  Pty& line_;
  const TimeSource& time_;
  const Rcc& rcc_;
  LineFault to_board_, from_board_;
  bool paced_ = false;
  bool full_ = false;
  bool overrun_ = false;
  std::uint8_t data_ = 0;
  std::uint64_t earliest_ = 0;  ///< when the next byte may arrive
  std::uint64_t activity_ = 0;
};

/// Errors: bad_input when no model of the block's driver is known.
Result<std::unique_ptr<Usart>> make_usart(const Uart& block, Pty& line, const TimeSource& time,
                                          const Rcc& rcc);
std::unique_ptr<Usart> make_usart_v1(const Uart& block, Pty& line, const TimeSource& time,
                                     const Rcc& rcc);
std::unique_ptr<Usart> make_usart_v2(const Uart& block, Pty& line, const TimeSource& time,
                                     const Rcc& rcc);
std::unique_ptr<Usart> make_lpuart(const Uart& block, Pty& line, const TimeSource& time,
                                   const Rcc& rcc);

}  // namespace assay::virtual_board

// SysTick (Armv7-M ARM B3.3): a 24-bit down-counter on modelled core cycles. Used by one thread at
// a time.
#pragma once

#include <cstdint>
#include <optional>

namespace assay::virtual_board {

class SysTick {
 public:
  void reset(std::uint64_t now);
  /// Offsets from 0xE000E010: CTRL 0, LOAD 4, VAL 8, CALIB 12.
  std::uint32_t read(std::uint32_t offset, std::uint64_t now);
  void write(std::uint32_t offset, std::uint32_t value, std::uint64_t now);

  /// When the counter next reaches 0 with its interrupt on; nothing: never.
  std::optional<std::uint64_t> next_interrupt() const;
  /// True once for every interrupt due at `now`; several missed ones are one, as on silicon.
  bool take_interrupt(std::uint64_t now);

 private:
  bool enabled() const { return control_ & 1; }
  /// The external reference of STM32 parts is the core clock over 8.
  std::uint64_t cycles_per_tick() const { return control_ & 4 ? 1 : 8; }
  std::uint64_t period() const { return (std::uint64_t{load_} + 1) * cycles_per_tick(); }
  std::uint64_t wraps(std::uint64_t now) const;
  std::uint32_t value(std::uint64_t now) const;
  void restart(std::uint64_t now, std::uint32_t from);

  std::uint32_t control_ = 0;  ///< ENABLE, TICKINT, CLKSOURCE
  std::uint32_t load_ = 0;
  std::uint32_t stopped_value_ = 0;
  std::uint64_t first_zero_ = 0;     ///< when the counter first reaches 0 since it was started
  std::uint64_t wraps_flagged_ = 0;  ///< reported through COUNTFLAG
  std::uint64_t wraps_interrupted_ = 0;
};

}  // namespace assay::virtual_board

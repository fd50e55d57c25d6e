// The register block that every RCC model is built on: values after reset, bits that stand still
// while a PLL runs, status bits that follow the chip's state when they are read, and the crystal,
// which all families turn on by the same bit of RCC_CR. Used by one thread at a time (the board's
// lock is held).
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "boards/virtual/rcc.hpp"

namespace assay::virtual_board {

class RccRegisters : public Rcc {
 public:
  void reset() override { registers_ = reset_values_; }
  std::uint32_t read(std::uint32_t offset) override {
    return offset / 4 < registers_.size() ? seen(offset, get(offset)) : 0;
  }
  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    if (offset / 4 >= registers_.size()) return;
    registers_[offset / 4] = merge_lanes(get(offset), value, lanes & ~locked(offset));
  }

 protected:
  using ResetValues = std::initializer_list<std::pair<std::uint32_t, std::uint32_t>>;

  static constexpr std::uint32_t hse_on = 1u << 16;  ///< in RCC_CR
  static constexpr std::uint32_t nothing = 0, everything = ~0u;

  /// `bytes`: of the block. `reset_values`: offset and value; others are 0. `crystal`: absent, HSE
  /// never runs.
  RccRegisters(std::uint32_t bytes, ResetValues reset_values, std::optional<Hertz> crystal)
      : crystal_(crystal), reset_values_(bytes / 4) {
    for (const auto& [offset, value] : reset_values)
      reset_values_[offset / 4] = value;
    registers_ = reset_values_;
  }

  /// What reading the register gives that holds `value`.
  virtual std::uint32_t seen(std::uint32_t offset, std::uint32_t value) const = 0;
  /// The bits that a write leaves as they are.
  virtual std::uint32_t locked(std::uint32_t offset) const {
    static_cast<void>(offset);
    return nothing;
  }

  std::uint32_t get(std::uint32_t offset) const { return registers_[offset / 4]; }

  bool hse_runs() const { return crystal_ && get(0) & hse_on; }
  /// Of the crystal; only where it runs.
  std::uint64_t hse_hz() const { return crystal_->count(); }

  /// An oscillator's register with its ready bit, bit 1, behind its on bit.
  static constexpr std::uint32_t with_ready_bit(std::uint32_t value) {
    return value | (value & 1) << 1;
  }

 private:
  std::optional<Hertz> crystal_;
  std::vector<std::uint32_t> reset_values_;
  std::vector<std::uint32_t> registers_;
};

/// Core cycles in one cycle of a clock that a UART takes its own from, at least one.
constexpr std::uint32_t cycles_per(Hertz core, std::uint64_t uart_source_hz) {
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(core.count() / uart_source_hz, 1));
}

}  // namespace assay::virtual_board

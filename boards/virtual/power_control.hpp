// Power control (PWR) of the families whose core voltage decides how fast they may run. Its clock
// is one enable bit of the RCC: until that is set, stores to it are lost, as on silicon. Used by
// one thread at a time (the board's lock is held).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <utility>

#include "boards/virtual/peripheral.hpp"

namespace assay::virtual_board {

class PowerControl final : public Peripheral {
 public:
  using ResetValues = std::initializer_list<std::pair<std::uint32_t, std::uint32_t>>;

  /// `clocked`: whether the enable bit is set. `reset_values`: offset and value; others are 0.
  /// `status` adds to what a register holds the bits that follow the chip's state.
  PowerControl(std::function<bool()> clocked, ResetValues reset_values,
               std::function<std::uint32_t(std::uint32_t offset, std::uint32_t value)> status = {})
      : clocked_(std::move(clocked)), status_(std::move(status)) {
    for (const auto& [offset, value] : reset_values)
      reset_values_[offset / 4] = value;
    reset();
  }

  /// What the register at `offset` holds, without status bits.
  std::uint32_t get(std::uint32_t offset) const { return registers_[offset / 4]; }

  std::uint32_t read(std::uint32_t offset) override {
    if (offset / 4 >= registers_.size()) return 0;
    return status_ ? status_(offset, get(offset)) : get(offset);
  }
  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    if (offset / 4 >= registers_.size() || !clocked_()) return;
    registers_[offset / 4] = merge_lanes(get(offset), value, lanes);
  }
  void reset() override { registers_ = reset_values_; }

 private:
  std::function<bool()> clocked_;
  std::function<std::uint32_t(std::uint32_t, std::uint32_t)> status_;
  std::array<std::uint32_t, 0x84 / 4> reset_values_{}, registers_{};
};

}  // namespace assay::virtual_board

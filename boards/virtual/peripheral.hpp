// What stands on the peripheral bus: 32-bit registers at word offsets. Used by one thread at a time
// (the board's lock is held).
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

namespace assay::virtual_board {

/// Replaces the byte lanes `lanes` (a mask of whole bytes) of `old` by those of `value`.
constexpr std::uint32_t merge_lanes(std::uint32_t old, std::uint32_t value, std::uint32_t lanes) {
  return (old & ~lanes) | (value & lanes);
}

/// Modelled time of one core.
class TimeSource {
 public:
  virtual ~TimeSource() = default;
  /// Core cycles since power-up, up to and including the access that is going on.
  virtual std::uint64_t cycles() const = 0;
};

/// A block of registers.
class Peripheral {
 public:
  virtual ~Peripheral() = default;
  /// `offset` is a multiple of 4 within the block.
  virtual std::uint32_t read(std::uint32_t offset) = 0;
  /// Writes the byte lanes `lanes` of the register at `offset`; the value is already in its lanes.
  virtual void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) = 0;
  /// State after a system reset.
  virtual void reset() = 0;
  /// The supply was off: what survives a reset is gone too. A reset follows.
  virtual void lose_power() {}
};

/// Another block of registers, and something to do after each write to it.
class Watched final : public Peripheral {
 public:
  Watched(Peripheral& inner, std::function<void()> after_write)
      : inner_(inner), after_write_(std::move(after_write)) {}

  std::uint32_t read(std::uint32_t offset) override { return inner_.read(offset); }
  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    inner_.write(offset, value, lanes);
    after_write_();
  }
  void reset() override { inner_.reset(); }
  void lose_power() override { inner_.lose_power(); }

 private:
  Peripheral& inner_;
  std::function<void()> after_write_;
};

/// Registers without behaviour: read 0 until written, then what was written. Fixed words keep their
/// value whatever is written.
class RegisterFile : public Peripheral {
 public:
  std::uint32_t read(std::uint32_t offset) override {
    if (const auto fixed = fixed_.find(offset); fixed != fixed_.end()) return fixed->second;
    const auto found = words_.find(offset);
    return found == words_.end() ? 0 : found->second;
  }
  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override {
    std::uint32_t& word = words_[offset];
    word = merge_lanes(word, value, lanes);
  }
  void reset() override { words_.clear(); }
  void fix(std::uint32_t offset, std::uint32_t value) { fixed_[offset] = value; }

 private:
  std::unordered_map<std::uint32_t, std::uint32_t> words_;
  std::unordered_map<std::uint32_t, std::uint32_t> fixed_;
};

}  // namespace assay::virtual_board

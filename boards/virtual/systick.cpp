#include "boards/virtual/systick.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t ctrl = 0, load = 4, val = 8, calib = 12;
constexpr std::uint32_t ctrl_enable = 1, ctrl_tickint = 2, ctrl_countflag = 1u << 16;
constexpr std::uint32_t counter_mask = 0xFFFFFF;

}  // namespace

void SysTick::reset(std::uint64_t now) {
  control_ = load_ = stopped_value_ = 0;
  restart(now, 0);
}

// From 0 the next clock loads LOAD, so the first zero is a whole period away.
void SysTick::restart(std::uint64_t now, std::uint32_t from) {
  first_zero_ = now + (from == 0 ? period() : from * cycles_per_tick());
  wraps_flagged_ = wraps_interrupted_ = 0;
}

std::uint64_t SysTick::wraps(std::uint64_t now) const {
  if (!enabled() || load_ == 0 || now < first_zero_) return 0;
  return (now - first_zero_) / period() + 1;
}

std::uint32_t SysTick::value(std::uint64_t now) const {
  if (!enabled() || load_ == 0) return stopped_value_;
  if (now < first_zero_)
    return static_cast<std::uint32_t>((first_zero_ - now) / cycles_per_tick()) & counter_mask;
  const std::uint64_t since = (now - first_zero_) % period() / cycles_per_tick();
  return since == 0 ? 0 : static_cast<std::uint32_t>(load_ + 1 - since);
}

std::uint32_t SysTick::read(std::uint32_t offset, std::uint64_t now) {
  switch (offset) {
    case ctrl: {
      const std::uint64_t count = wraps(now);
      const bool flag = count > wraps_flagged_;
      wraps_flagged_ = count;
      return control_ | (flag ? ctrl_countflag : 0);
    }
    case load:
      return load_;
    case val:
      return value(now);
    case calib:
      return 0xC0000000;  // no reference known, no exact 10 ms value
    default:
      return 0;
  }
}

void SysTick::write(std::uint32_t offset, std::uint32_t value_written, std::uint64_t now) {
  if (offset == ctrl) {
    const std::uint32_t current = value(now);
    const bool starts = !enabled() && (value_written & ctrl_enable);
    const bool stops = enabled() && !(value_written & ctrl_enable);
    if (stops) stopped_value_ = current;
    control_ = value_written & 7;
    if (starts) restart(now, stopped_value_);
  } else if (offset == load) {
    const std::uint32_t current = value(now);
    load_ = value_written & counter_mask;
    if (enabled()) restart(now, current);
  } else if (offset == val) {
    stopped_value_ = 0;
    restart(now, 0);
  }
}

std::optional<std::uint64_t> SysTick::next_interrupt() const {
  if (!enabled() || !(control_ & ctrl_tickint) || load_ == 0) return std::nullopt;
  return first_zero_ + wraps_interrupted_ * period();
}

bool SysTick::take_interrupt(std::uint64_t now) {
  const auto due = next_interrupt();
  if (!due || now < *due) return false;
  wraps_interrupted_ = wraps(now);
  return true;
}

}  // namespace assay::virtual_board

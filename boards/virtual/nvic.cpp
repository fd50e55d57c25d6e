#include "boards/virtual/nvic.hpp"

#include <algorithm>

#include "boards/virtual/peripheral.hpp"

namespace assay::virtual_board {
namespace {

// Register offsets from 0xE000E000 (B3.4).
constexpr std::uint32_t set_enable = 0x100, clear_enable = 0x180, set_pend = 0x200,
                        clear_pend = 0x280, active_bits = 0x300, priority_bytes = 0x400;
constexpr std::uint32_t bank_size = 0x80;

int first_exception(std::uint32_t offset) {
  return exception_first_irq + static_cast<int>(offset % bank_size / 4 * 32);
}

}  // namespace

Nvic::Nvic(int priority_bits)
    : priority_mask_(static_cast<std::uint8_t>(0xFF00u >> priority_bits)) {
  reset();
}

void Nvic::reset() {
  enabled_.fill(false);
  pending_.fill(false);
  line_.fill(false);
  priorities_.fill(0);
  active_.clear();
  pending_count_ = 0;
  group_ = 0;
  for (int exception :
       {exception_nmi, exception_hard_fault, exception_svc, exception_pendsv, exception_systick})
    set_enabled(exception, true);
}

std::uint32_t Nvic::read(std::uint32_t offset) const {
  const auto collect = [&](const auto& is_set) {
    std::uint32_t word = 0;
    for (int bit = 0; bit < 32; ++bit) {
      const int exception = first_exception(offset) + bit;
      if (exception < exception_count && is_set(exception)) word |= 1u << bit;
    }
    return word;
  };
  if (offset >= priority_bytes) {
    std::uint32_t word = 0;
    for (std::uint32_t i = 0; i < 4; ++i) {
      const std::size_t exception = exception_first_irq + (offset - priority_bytes) + i;
      if (exception < priorities_.size())
        word |= static_cast<std::uint32_t>(priorities_[exception]) << 8 * i;
    }
    return word;
  }
  if (offset < set_enable) return 0;
  if (offset < set_pend) return collect([&](int e) { return enabled_[index(e)]; });
  if (offset < active_bits) return collect([&](int e) { return pending_[index(e)]; });
  return collect([&](int e) { return is_active(e); });
}

void Nvic::each_irq_bit(std::uint32_t offset, std::uint32_t value, void (Nvic::*apply)(int, bool),
                        bool argument) {
  for (int bit = 0; bit < 32; ++bit) {
    const int exception = first_exception(offset) + bit;
    if ((value >> bit & 1) && exception < exception_count) (this->*apply)(exception, argument);
  }
}

void Nvic::write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) {
  if (offset >= priority_bytes) {
    for (std::uint32_t i = 0; i < 4; ++i)
      if (lanes >> 8 * i & 1)
        set_priority(exception_first_irq + static_cast<int>(offset - priority_bytes + i),
                     static_cast<std::uint8_t>(value >> 8 * i));
    return;
  }
  value &= lanes;
  if (offset < set_enable) return;
  if (offset < clear_enable) return each_irq_bit(offset, value, &Nvic::set_enabled, true);
  if (offset < set_pend) return each_irq_bit(offset, value, &Nvic::set_enabled, false);
  if (offset < clear_pend) return each_irq_bit(offset, value, &Nvic::set_pending, true);
  if (offset < active_bits) return each_irq_bit(offset, value, &Nvic::set_pending, false);
}

void Nvic::set_priority(int exception, std::uint8_t value) {
  if (exception < exception_count) priorities_[index(exception)] = value & priority_mask_;
}

void Nvic::set_line(int irq, bool high) {
  const int exception = exception_first_irq + irq;
  bool& line = line_[index(exception)];
  if (high && !line) set_pending(exception, true);
  line = high;
}

void Nvic::set_pending(int exception, bool pending) {
  bool& flag = pending_[index(exception)];
  if (flag == pending) return;
  flag = pending;
  pending_count_ += pending ? 1 : -1;
}

bool Nvic::is_active(int exception) const {
  return std::find(active_.begin(), active_.end(), exception) != active_.end();
}

int Nvic::fixed_or_set_priority(int exception) const {
  if (exception <= exception_reset) return -3;
  if (exception == exception_nmi) return -2;
  if (exception == exception_hard_fault) return -1;
  return priorities_[index(exception)];
}

// PRIGROUP n: bits [7:n+1] preempt, the others only order (B1.5.4).
int Nvic::group_priority(int priority) const {
  return priority < 0 ? priority : priority & static_cast<int>(0xFFFFFF00u >> (7 - group_));
}

int Nvic::execution_priority(const PriorityMasks& masks) const {
  int priority = idle_priority;
  for (int exception : active_)
    priority = std::min(priority, group_priority(fixed_or_set_priority(exception)));
  if (masks.basepri) priority = std::min(priority, group_priority(masks.basepri));
  if (masks.primask) priority = std::min(priority, 0);
  if (masks.faultmask) priority = std::min(priority, -1);
  return priority;
}

std::optional<int> Nvic::next(const PriorityMasks& masks) const {
  if (pending_count_ == 0) return std::nullopt;
  const int best = highest_pending();
  if (best == 0 || !can_take(best, masks)) return std::nullopt;
  return best;
}

int Nvic::highest_pending() const {
  int best = 0;
  for (int exception = exception_nmi; exception < exception_count; ++exception)
    if (pending_[index(exception)] && enabled_[index(exception)] &&
        (best == 0 || fixed_or_set_priority(exception) < fixed_or_set_priority(best)))
      best = exception;
  return best;
}

bool Nvic::can_take(int exception, const PriorityMasks& masks) const {
  return group_priority(fixed_or_set_priority(exception)) < execution_priority(masks);
}

bool Nvic::wakes(PriorityMasks masks) const {
  masks.primask = false;
  return next(masks).has_value();
}

void Nvic::activate(int exception) {
  set_pending(exception, false);
  active_.push_back(exception);
}

void Nvic::deactivate(int exception) {
  const auto found = std::find(active_.rbegin(), active_.rend(), exception);
  if (found != active_.rend()) active_.erase(std::next(found).base());
  if (line_[index(exception)]) set_pending(exception, true);
}

}  // namespace assay::virtual_board

// Exceptions: which are enabled, pending and active, and which one the processor takes next
// (Armv7-M ARM DDI 0403E B1.5; Armv6-M is the same with two priority bits). Pure state, used by one
// thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace assay::virtual_board {

/// Exception numbers (B1.5.2).
enum Exception : int {
  exception_reset = 1,
  exception_nmi = 2,
  exception_hard_fault = 3,
  exception_memory = 4,
  exception_bus = 5,
  exception_usage = 6,
  exception_svc = 11,
  exception_debug_monitor = 12,
  exception_pendsv = 14,
  exception_systick = 15,
  exception_first_irq = 16,
};

/// The mask registers as the program left them.
struct PriorityMasks {
  bool primask = false;
  bool faultmask = false;
  std::uint8_t basepri = 0;
};

class Nvic {
 public:
  static constexpr int irq_count = 96;
  static constexpr int exception_count = exception_first_irq + irq_count;
  static constexpr int idle_priority = 256;  ///< of thread mode

  /// `priority_bits`: implemented bits of a priority, 2 on Armv6-M, 4 on STM32 Armv7-M parts.
  explicit Nvic(int priority_bits);
  void reset();

  /// Registers from 0xE000E100 (offset 0x100) to the last priority register; whole words.
  std::uint32_t read(std::uint32_t offset) const;
  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes);

  /// Priority of a system handler (SHPR1 to SHPR3); `exception` is 4 to 15.
  std::uint8_t priority(int exception) const { return priorities_[index(exception)]; }
  void set_priority(int exception, std::uint8_t value);
  /// AIRCR.PRIGROUP.
  void set_priority_group(unsigned group) { group_ = group; }
  unsigned priority_group() const { return group_; }

  /// Interrupt request line of a peripheral; a line that is still high when its handler returns
  /// pends again.
  void set_line(int irq, bool high);
  void set_pending(int exception, bool pending);
  bool is_pending(int exception) const { return pending_[index(exception)]; }
  void enable_system_handler(int exception, bool enabled) { enabled_[index(exception)] = enabled; }
  bool is_enabled(int exception) const { return enabled_[index(exception)]; }
  bool any_pending() const { return pending_count_ > 0; }

  /// Priority the processor runs at, with its masks (B1.5.4).
  int execution_priority(const PriorityMasks& masks) const;
  /// The pending exception that preempts now, or nothing.
  std::optional<int> next(const PriorityMasks& masks) const;
  /// Whether `exception` could be taken now.
  bool can_take(int exception, const PriorityMasks& masks) const;
  /// Whether WFI would wake: something would preempt if PRIMASK were clear (B1.5.19).
  bool wakes(PriorityMasks masks) const;
  /// Highest pending enabled exception whatever the masks, 0: none (ICSR.VECTPENDING).
  int highest_pending() const;

  void activate(int exception);
  /// Returns from the innermost active exception.
  void deactivate(int exception);
  /// Innermost active exception, 0 in thread mode.
  int current() const { return active_.empty() ? 0 : active_.back(); }
  std::size_t nesting() const { return active_.size(); }
  bool is_active(int exception) const;

 private:
  static std::size_t index(int exception) { return static_cast<std::size_t>(exception); }
  int fixed_or_set_priority(int exception) const;
  int group_priority(int priority) const;
  void each_irq_bit(std::uint32_t offset, std::uint32_t value, void (Nvic::*apply)(int, bool),
                    bool argument);
  void set_enabled(int exception, bool enabled) { enabled_[index(exception)] = enabled; }

  std::uint8_t priority_mask_;
  unsigned group_ = 0;
  std::array<bool, exception_count> enabled_{};
  std::array<bool, exception_count> pending_{};
  std::array<bool, exception_count> line_{};
  std::array<std::uint8_t, exception_count> priorities_{};
  std::vector<int> active_;
  int pending_count_ = 0;
};

}  // namespace assay::virtual_board

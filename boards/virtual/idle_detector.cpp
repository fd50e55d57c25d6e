#include "boards/virtual/idle_detector.hpp"

#include <algorithm>

namespace assay::virtual_board {

void IdleDetector::restart() {
  ++activity_;
  watching_ = false;
  watched_ = ~0u;
  pause_ = countdown_ = shortest_pause;
}

IdleDetector::Registers IdleDetector::registers() const {
  Registers values{};
  for (unsigned i = 0; i < 15; ++i)
    values[i] = engine_.core_register(i);
  values[15] = engine_.reg(UC_ARM_REG_XPSR);
  values[16] = engine_.reg(UC_ARM_REG_PRIMASK);
  return values;
}

// Either time to begin watching, or a watch that saw no repetition is over.
bool IdleDetector::look(std::uint32_t address) {
  if (watching_) {
    watching_ = false;
    watched_ = ~0u;
    pause_ = std::min(pause_ * 2, longest_pause);  // a long computation is looked at ever less
    countdown_ = pause_;
    return false;
  }
  watching_ = true;
  watched_ = address;
  countdown_ = watch_time;
  activity_at_look_ = activity_;
  registers_at_look_ = registers();
  ram_at_look_.clear();
  for (const Bank& bank : memory_.banks())
    if (bank.kind == BankKind::ram) ram_at_look_.push_back(bank.bytes);
  return false;
}

bool IdleDetector::repeats() {
  if (activity_ != activity_at_look_) {
    countdown_ = 1;  // give up this watch at the next block
    watched_ = ~0u;
    return false;
  }
  if (registers() != registers_at_look_) return false;
  std::size_t index = 0;
  for (const Bank& bank : memory_.banks())
    if (bank.kind == BankKind::ram && bank.bytes != ram_at_look_[index++]) return false;
  return true;
}

}  // namespace assay::virtual_board

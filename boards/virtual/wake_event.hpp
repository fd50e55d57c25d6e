// An event other threads may signal any number of times; one thread waits for it (eventfd).
#pragma once

#include <chrono>
#include <optional>

namespace assay::virtual_board {

/// Thread-safe.
class WakeEvent {
 public:
  WakeEvent();
  ~WakeEvent();
  WakeEvent(const WakeEvent&) = delete;
  WakeEvent& operator=(const WakeEvent&) = delete;

  void signal();
  /// Returns when signalled (and takes the signal), or after `timeout`.
  void wait(std::optional<std::chrono::nanoseconds> timeout);
  /// For poll(): readable when signalled.
  int descriptor() const { return descriptor_; }
  void clear();

 private:
  int descriptor_;
};

}  // namespace assay::virtual_board

// A byte link to a board: a serial port, a pty, or the pipes of a host process.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>

#include "harness/core/result.hpp"

namespace assay {

/// Bytes in order, possibly damaged or lost; the wire protocol above it repairs that. One thread.
class Link {
 public:
  virtual ~Link() = default;
  /// Waits up to `timeout` for at least one byte and returns how many were stored (0: none came).
  /// Errors: infrastructure when the device went away.
  virtual Result<std::size_t> read(std::span<std::byte> buffer,
                                   std::chrono::milliseconds timeout) = 0;
  /// Writes all bytes or fails. Errors: infrastructure.
  virtual Status write(std::span<const std::byte> data) = 0;
  /// For messages: "/dev/ttyACM0", "virtual:f405-a".
  virtual std::string name() const = 0;
};

}  // namespace assay

// The far end of one UART: a pty that exists as long as the board does, through resets and power
// cycles, and two rings between it and the modelled UART.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "boards/virtual/byte_ring.hpp"
#include "boards/virtual/wake_event.hpp"
#include "harness/core/result.hpp"

namespace assay::virtual_board {

/// The UART's side (push_output, pop_input and friends) belongs to whoever holds the board's lock;
/// a thread of its own moves bytes to and from the pty.
class Pty {
 public:
  /// `on_input` is called from the pty's thread when bytes have arrived, `on_space` when a full
  /// output ring has room again. Errors: infrastructure when no pty can be had.
  static Result<std::unique_ptr<Pty>> open(std::function<void()> on_input,
                                           std::function<void()> on_space);
  ~Pty();

  /// "/dev/pts/4"
  const std::string& path() const { return path_; }

  bool has_input() const { return !input_.empty(); }
  std::uint8_t pop_input();
  bool has_space() const { return output_.space() > 0; }
  /// Dropped when there is no space; look at has_space() first.
  void push_output(std::uint8_t byte);
  /// Drops what has not been read by either side: at a reset it belongs to firmware that is gone.
  void discard();

 private:
  Pty(int master, int slave, std::string path, std::function<void()> on_input,
      std::function<void()> on_space);
  void run();
  void read_input();
  void write_output();
  void kick();

  int master_;
  int slave_;  ///< kept open, so that output waits for a reader and no hang-up is seen
  std::string path_;
  std::function<void()> on_input_, on_space_;
  ByteRing input_, output_;
  std::mutex output_reader_;  ///< who takes bytes out of output_: the thread, or discard()
  WakeEvent wake_;
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> output_was_full_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace assay::virtual_board

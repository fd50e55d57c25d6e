// The device's side of the wire format (FORMAT.md): takes frames from the port, runs the model,
// answers. Knows the platform through targets/port/port.hpp and the model through
// targets/runtime/model.hpp alone, so the same code serves every part, the host target and the
// tests. Inputs are received where the model reads them, so the loop is as small for a large model
// as for a small one. Freestanding C++17: no heap, no exceptions, no RTTI. One thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "targets/wire/frame.hpp"
#include "targets/wire/protocol.hpp"

namespace assay::wire {

/// The loop around one model on one part. Constant-initialized to zeros, so it lies in .bss.
class FirmwareLoop {
 public:
  constexpr FirmwareLoop() = default;
  FirmwareLoop(const FirmwareLoop&) = delete;
  FirmwareLoop& operator=(const FirmwareLoop&) = delete;

  /// Starts the port. `part` is the name in the part's file ("stm32f405"); it must outlive the
  /// loop.
  void start(const char* part);
  /// Takes what has arrived, serves every whole frame in it, and sleeps when there was nothing.
  void poll();

 private:
  void adopt();
  void serve(const Frame& frame);
  void serve_hello(const Frame& frame);
  void serve_state(const Frame& frame);
  void serve_input(const Frame& frame);
  void serve_sample(const Frame& frame);
  void serve_measure(const Frame& frame);
  void serve_echo(const Frame& frame);
  void measure();
  void send_timing(std::uint16_t sequence);
  void send_error(std::uint16_t sequence, ErrorCode code, std::uint32_t detail);
  void put_counted(const void* data, std::size_t size);

  const char* part_ = nullptr;
  FrameReader reader_;
  FrameWriter writer_;
  std::uint8_t frame_[frame_head + max_plain_payload + frame_tail] = {};
  std::uint8_t chunk_[64] = {};
  std::uint32_t nonce_ = 0;  // 0: no session
  std::uint32_t damaged_ = 0;
  std::uint32_t overruns_at_hello_ = 0;
  std::uint32_t last_cycles_ = 0;  // of the latest inference
  // The last measurement, kept for a host that did not hear of it.
  bool timing_kept_ = false;
  std::uint32_t timing_id_ = 0;
  std::uint32_t timing_cycles_ = 0;
};

}  // namespace assay::wire

// The device's side of the wire format (FORMAT.md): takes frames from the port, runs the model,
// answers. Knows the platform through targets/port/port.hpp and the model through
// targets/runtime/model.hpp alone, so the same code serves every part, the host target and the
// tests. Freestanding C++17: no heap, no exceptions, no RTTI. One thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "targets/wire/frame.hpp"
#include "targets/wire/protocol.hpp"

namespace assay::wire {

/// Memory for the frame being read and for the port's receive ring.
struct FirmwareMemory {
  std::uint8_t* frame = nullptr;
  std::size_t frame_size = 0;
  std::uint8_t* ring = nullptr;
  std::size_t ring_size = 0;
};

/// The memory a model with `input_size` int8 inputs needs: one frame being read and two more
/// waiting in the ring, so that samples flow ahead of inference. Static storage.
template <std::size_t input_size>
struct FirmwareBuffers {
  static constexpr std::size_t measure_payload = 5 + input_size;  // the longest request
  static constexpr std::size_t payload =
      measure_payload < least_max_payload ? least_max_payload : measure_payload;
  std::uint8_t frame[frame_head + payload + frame_tail];
  std::uint8_t ring[2 * encoded_bound(payload) + ring_reserve + 1];

  FirmwareMemory memory() { return {frame, sizeof frame, ring, sizeof ring}; }
};

/// The loop around one model on one part. Constant-initialized to zeros, so it lies in .bss.
class FirmwareLoop {
 public:
  constexpr FirmwareLoop() = default;
  FirmwareLoop(const FirmwareLoop&) = delete;
  FirmwareLoop& operator=(const FirmwareLoop&) = delete;

  /// Starts the port with the ring. `part` is the name in the part's file ("stm32f405"); it and the
  /// memory must outlive the loop.
  void start(const char* part, const FirmwareMemory& memory);
  /// Takes what has arrived, serves every whole frame in it, and sleeps when there was nothing.
  void poll();

 private:
  void adopt(const FirmwareMemory& memory);
  void serve(const Frame& frame);
  void serve_hello(const Frame& frame);
  void serve_state(const Frame& frame);
  void serve_sample(const Frame& frame);
  void serve_measure(const Frame& frame);
  void serve_echo(const Frame& frame);
  void measure(const std::uint8_t* input, std::size_t count);
  void send_timing(std::uint16_t sequence);
  void send_error(std::uint16_t sequence, ErrorCode code, std::uint32_t detail);
  void put_counted(const void* data, std::size_t size);

  const char* part_ = nullptr;
  std::size_t max_payload_ = 0;
  std::size_t window_ = 0;
  FrameReader reader_;
  FrameWriter writer_;
  std::uint8_t chunk_[64] = {};
  std::uint32_t nonce_ = 0;  // 0: no session
  std::uint32_t damaged_ = 0;
  std::uint32_t overruns_at_hello_ = 0;
  // The last measurement, kept for a host that did not hear of it.
  std::uint32_t timing_id_ = 0;
  std::size_t timing_count_ = 0;  // 0: none kept
  std::uint32_t timing_cycles_[max_measurements] = {};
};

}  // namespace assay::wire

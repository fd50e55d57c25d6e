// Frames of the wire format (FORMAT.md): CRC-32, and COBS written and read as a stream, so that a
// sender needs 255 bytes and a receiver one buffer of the longest frame. Freestanding C++17, used
// on host and device alike. One thread per object.
#pragma once

#include <cstddef>
#include <cstdint>

#include "targets/wire/protocol.hpp"

namespace assay::wire {

/// CRC-32 as zlib's: continues `crc` (0 at the start) over `size` bytes.
std::uint32_t crc32(std::uint32_t crc, const std::uint8_t* data, std::size_t size);

/// Where encoded bytes go.
struct Sink {
  void (*write)(void* context, const std::uint8_t* data, std::size_t size) = nullptr;
  void* context = nullptr;
};

/// Writes one frame at a time: begin, any number of puts, end.
class FrameWriter {
 public:
  constexpr FrameWriter() = default;
  explicit constexpr FrameWriter(Sink sink) : sink_(sink) {}
  void begin(Type type, std::uint16_t sequence);
  void put(const std::uint8_t* data, std::size_t size);
  void put_u8(std::uint8_t value) { put(&value, 1); }
  void put_u16(std::uint16_t value);
  void put_u32(std::uint32_t value);
  void end();

 private:
  void stuff(const std::uint8_t* data, std::size_t size);
  void flush_block();

  Sink sink_;
  std::uint32_t crc_ = 0;
  std::uint8_t block_[255] = {};  // a code byte and up to 254 data bytes
  std::size_t used_ = 0;
  bool block_due_ = false;  // a block must follow even if it is empty
};

/// One good frame; `payload` lies in the reader's buffer until its next take(). Of a frame whose
/// input went to a place of its own it is what stands before the input, `size` counts both.
struct Frame {
  Type type{};
  std::uint16_t sequence = 0;
  const std::uint8_t* payload = nullptr;
  std::size_t size = 0;
};

/// Where the inputs of samples and measures go as they arrive.
struct InputPlace {
  std::uint8_t* data = nullptr;
  std::size_t size = 0;
};

/// Finds good frames in a stream of bytes.
class FrameReader {
 public:
  enum class Outcome {
    none,     ///< all bytes taken, no frame ended
    frame,    ///< frame() is valid
    damaged,  ///< something that was no good frame ended
  };

  constexpr FrameReader() = default;
  /// `capacity`: the longest frame taken, frame_head + payload + frame_tail. With a place for
  /// inputs those lie there, as does what is damaged on the way, and count nothing.
  constexpr FrameReader(std::uint8_t* buffer, std::size_t capacity, InputPlace input = {})
      : buffer_(buffer), capacity_(capacity), input_(input) {}
  /// Takes bytes up to the end of the next frame and returns how many it took; outcome() says why
  /// it stopped.
  std::size_t take(const std::uint8_t* data, std::size_t size);
  Outcome outcome() const { return outcome_; }
  const Frame& frame() const { return frame_; }

 private:
  struct Room {
    std::uint8_t* data;
    std::size_t size;
  };

  void append(const std::uint8_t* data, std::size_t size);
  Outcome finish();
  bool reads_input() const;
  Room room_at(std::size_t index);
  std::uint32_t checksum(std::size_t size);

  std::uint8_t* buffer_ = nullptr;
  std::size_t capacity_ = 0;
  InputPlace input_;
  std::size_t size_ = 0;       // decoded bytes
  std::size_t remaining_ = 0;  // data bytes left in the current block
  bool started_ = false;
  bool zero_due_ = false;  // a 0x00 stands before the next block
  bool overlong_ = false;
  Outcome outcome_ = Outcome::none;
  Frame frame_;
};

}  // namespace assay::wire

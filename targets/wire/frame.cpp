#include "targets/wire/frame.hpp"

namespace assay::wire {

namespace {

// A table for half bytes: 64 bytes of flash where the usual one takes 1 KB.
constexpr std::uint32_t crc_table[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};

constexpr std::uint8_t delimiter[1] = {0};

}  // namespace

std::uint32_t crc32(std::uint32_t crc, const std::uint8_t* data, std::size_t size) {
  crc = ~crc;
  for (std::size_t i = 0; i < size; ++i) {
    crc ^= data[i];
    crc = crc_table[crc & 15] ^ crc >> 4;
    crc = crc_table[crc & 15] ^ crc >> 4;
  }
  return ~crc;
}

void FrameWriter::begin(Type type, std::uint16_t sequence) {
  sink_.write(sink_.context, delimiter, 1);
  crc_ = 0;
  used_ = 1;
  block_due_ = true;
  put_u8(static_cast<std::uint8_t>(type));
  put_u16(sequence);
}

void FrameWriter::put(const std::uint8_t* data, std::size_t size) {
  crc_ = crc32(crc_, data, size);
  stuff(data, size);
}

void FrameWriter::put_u16(std::uint16_t value) {
  std::uint8_t bytes[2];
  wire::put_u16(bytes, value);
  put(bytes, sizeof bytes);
}

void FrameWriter::put_u32(std::uint32_t value) {
  std::uint8_t bytes[4];
  wire::put_u32(bytes, value);
  put(bytes, sizeof bytes);
}

void FrameWriter::end() {
  std::uint8_t bytes[frame_tail];
  wire::put_u32(bytes, crc_);
  stuff(bytes, sizeof bytes);
  if (used_ > 1 || block_due_) flush_block();
  sink_.write(sink_.context, delimiter, 1);
}

void FrameWriter::stuff(const std::uint8_t* data, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == 0) {
      flush_block();
      block_due_ = true;
      continue;
    }
    block_[used_++] = data[i];
    if (used_ == sizeof block_) {
      flush_block();
      block_due_ = false;
    }
  }
}

void FrameWriter::flush_block() {
  block_[0] = static_cast<std::uint8_t>(used_);
  sink_.write(sink_.context, block_, used_);
  used_ = 1;
}

std::size_t FrameReader::take(const std::uint8_t* data, std::size_t size) {
  outcome_ = Outcome::none;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint8_t byte = data[i];
    if (byte == 0) {
      outcome_ = finish();
      if (outcome_ != Outcome::none) return i + 1;
    } else if (remaining_ > 0) {
      append(byte);
      --remaining_;
    } else {
      if (zero_due_) append(0);
      remaining_ = byte - 1u;
      zero_due_ = byte != 255;
      started_ = true;
    }
  }
  return size;
}

void FrameReader::append(std::uint8_t byte) {
  if (size_ < capacity_)
    buffer_[size_++] = byte;
  else
    overlong_ = true;
}

FrameReader::Outcome FrameReader::finish() {
  const bool empty = !started_;
  bool good = remaining_ == 0 && !overlong_ && size_ >= frame_head + frame_tail;
  if (good) {
    const std::size_t covered = size_ - frame_tail;
    good = crc32(0, buffer_, covered) == get_u32(buffer_ + covered);
    frame_ = {static_cast<Type>(buffer_[0]), get_u16(buffer_ + 1), buffer_ + frame_head,
              covered - frame_head};
  }
  size_ = remaining_ = 0;
  started_ = zero_due_ = overlong_ = false;
  if (empty) return Outcome::none;
  return good ? Outcome::frame : Outcome::damaged;
}

}  // namespace assay::wire

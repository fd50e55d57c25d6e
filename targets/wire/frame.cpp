#include "targets/wire/frame.hpp"

#include <cstring>

namespace assay::wire {

namespace {

// A table for half bytes: 64 bytes of flash where the usual one takes 1 KB.
constexpr std::uint32_t crc_table[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};

constexpr std::uint8_t delimiter[1] = {0};

constexpr std::size_t input_begin = frame_head + input_head;

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
  for (std::size_t i = 0; i < size;) {
    if (data[i] == 0) {
      ++i;
      outcome_ = finish();
      if (outcome_ != Outcome::none) return i;
    } else if (remaining_ > 0) {
      const std::size_t most = i + remaining_ < size ? i + remaining_ : size;
      const std::size_t begin = i;
      while (i < most && data[i] != 0)
        ++i;
      append(data + begin, i - begin);
      remaining_ -= i - begin;
    } else {
      constexpr std::uint8_t zero[1] = {0};
      if (zero_due_) append(zero, 1);
      remaining_ = data[i] - 1u;
      zero_due_ = data[i] != 255;
      started_ = true;
      ++i;
    }
  }
  return size;
}

/// Whether the bytes from input_begin on go to the place of inputs.
bool FrameReader::reads_input() const {
  return input_.size > 0 && has_input(static_cast<Type>(buffer_[0]));
}

/// Where byte `index` of the frame lies, and how many may follow it there; 0: it lies nowhere.
FrameReader::Room FrameReader::room_at(std::size_t index) {
  if (index < input_begin) return {buffer_ + index, input_begin - index};
  if (reads_input()) {
    const std::size_t taken = index - input_begin;
    if (taken < input_.size) return {input_.data + taken, input_.size - taken};
    index -= input_.size;
  }
  return {buffer_ + index, index < capacity_ ? capacity_ - index : 0};
}

void FrameReader::append(const std::uint8_t* data, std::size_t size) {
  while (size > 0) {
    const Room room = room_at(size_);
    if (room.size == 0) {
      overlong_ = true;
      return;
    }
    const std::size_t count = size < room.size ? size : room.size;
    std::memcpy(room.data, data, count);
    size_ += count;
    data += count;
    size -= count;
  }
}

/// Of the frame's first `size` bytes.
std::uint32_t FrameReader::checksum(std::size_t size) {
  if (size <= input_begin || !reads_input()) return crc32(0, buffer_, size);
  const std::size_t inputs = size - input_begin < input_.size ? size - input_begin : input_.size;
  const std::uint32_t crc = crc32(crc32(0, buffer_, input_begin), input_.data, inputs);
  return crc32(crc, buffer_ + input_begin, size - input_begin - inputs);
}

FrameReader::Outcome FrameReader::finish() {
  const bool empty = !started_;
  bool good = remaining_ == 0 && !overlong_ && size_ >= frame_head + frame_tail;
  if (good) {
    const std::size_t covered = size_ - frame_tail;
    std::uint8_t sent[frame_tail];
    for (std::size_t i = 0; i < frame_tail; ++i)
      sent[i] = *room_at(covered + i).data;
    good = checksum(covered) == get_u32(sent);
    frame_ = {static_cast<Type>(buffer_[0]), get_u16(buffer_ + 1), buffer_ + frame_head,
              covered - frame_head};
  }
  size_ = remaining_ = 0;
  started_ = zero_due_ = overlong_ = false;
  if (empty) return Outcome::none;
  return good ? Outcome::frame : Outcome::damaged;
}

}  // namespace assay::wire

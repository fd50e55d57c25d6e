// A byte queue between one interrupt that fills it and one thread that empties it. Freestanding
// C++17; safe for exactly one writer and one reader on one core.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay::port {

/// Holds `size` - 1 bytes in storage of `size` bytes, so that full and empty look different.
class ByteRing {
 public:
  constexpr ByteRing() = default;

  /// Gives the ring its storage and empties it, before reader or writer use it.
  void adopt(std::uint8_t* storage, std::size_t size) {
    storage_ = storage;
    size_ = size;
    head_ = 0;
    tail_ = 0;
  }

  /// Writer: false when full (or without storage), and the byte is dropped.
  bool push(std::uint8_t byte) {
    const std::size_t head = head_;
    const std::size_t next = after(head);
    if (next == tail_) return false;
    storage_[head] = byte;
    head_ = next;
    return true;
  }

  /// Reader: moves up to `capacity` bytes out and returns how many; fewer than there are where they
  /// go around the storage's end, none only when it is empty.
  std::size_t pop(std::uint8_t* data, std::size_t capacity) {
    const std::size_t tail = tail_;
    const std::size_t head = head_;
    // Up to the writer or the storage's end; a next call takes what lies at its beginning.
    const std::size_t ready = (head >= tail ? head : size_) - tail;
    const std::size_t count = ready < capacity ? ready : capacity;
    for (std::size_t i = 0; i < count; ++i)
      data[i] = storage_[tail + i];
    tail_ = tail + count < size_ ? tail + count : 0;
    return count;
  }

  bool empty() const { return head_ == tail_; }

 private:
  std::size_t after(std::size_t position) const { return position + 1 < size_ ? position + 1 : 0; }

  // Volatile keeps bytes and positions in program order; one core needs no more.
  volatile std::uint8_t* storage_ = nullptr;
  std::size_t size_ = 0;
  volatile std::size_t head_ = 0;
  volatile std::size_t tail_ = 0;
};

}  // namespace assay::port

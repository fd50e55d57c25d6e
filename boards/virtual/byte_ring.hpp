// A queue of bytes between one producer thread and one consumer thread, without locks.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace assay::virtual_board {

class ByteRing {
 public:
  static constexpr std::size_t capacity = 1 << 16;

  bool empty() const { return tail_.load() == head_.load(); }
  std::size_t space() const { return capacity - (head_.load() - tail_.load()); }

  /// Producer. False when full.
  bool push(std::uint8_t byte) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) == capacity) return false;
    bytes_[head % capacity] = byte;
    head_.store(head + 1);
    return true;
  }
  /// Producer: the free stretch that can be written at once; commit with `produced`.
  std::span<std::uint8_t> free_stretch() {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    const std::size_t at = head % capacity;
    return {&bytes_[at], std::min(space(), capacity - at)};
  }
  void produced(std::size_t count) { head_.store(head_.load(std::memory_order_relaxed) + count); }

  /// Consumer; the ring must not be empty.
  std::uint8_t pop() {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    const std::uint8_t byte = bytes_[tail % capacity];
    tail_.store(tail + 1);
    return byte;
  }
  /// Consumer: the stretch that can be read at once; commit with `consumed`.
  std::span<const std::uint8_t> filled_stretch() const {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    const std::size_t at = tail % capacity;
    return {&bytes_[at], std::min(head_.load(std::memory_order_acquire) - tail, capacity - at)};
  }
  void consumed(std::size_t count) { tail_.store(tail_.load(std::memory_order_relaxed) + count); }
  /// Consumer: drops everything.
  void clear() { tail_.store(head_.load()); }

 private:
  std::array<std::uint8_t, capacity> bytes_{};
  std::atomic<std::size_t> head_{0};
  std::atomic<std::size_t> tail_{0};
};

}  // namespace assay::virtual_board

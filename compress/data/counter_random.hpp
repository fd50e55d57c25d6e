// Random numbers as a function of a position instead of a history, so that any of them can be had
// in any order and by any thread. Pure functions, thread-safe.
#pragma once

#include <cstdint>

namespace assay {

/// The finalizer of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014): a bijection of 64-bit numbers whose every output bit depends on every
/// input bit.
constexpr std::uint64_t scramble(std::uint64_t value) {
  value ^= value >> 30;
  value *= 0xbf58476d1ce4e5b9U;
  value ^= value >> 27;
  value *= 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

/// The numbers at one position (a key of up to three parts), by counter: number n is
/// scramble(key + n * golden), SplitMix64 with its state as an argument; the key is the parts
/// scrambled one after the other, each with the same odd increment.
class CounterRandom {
 public:
  constexpr CounterRandom(std::uint64_t a, std::uint64_t b, std::uint64_t c)
      : key_(scramble(scramble(scramble(a + golden) ^ (b + golden)) ^ (c + golden))) {}

  /// The next number of this position.
  constexpr std::uint64_t next() { return scramble(key_ + golden * ++counter_); }

  /// A number from 0 to `count` - 1, `count` below 2^32. The upper 32 bits scaled (Lemire 2019):
  /// its bias is at most count / 2^32.
  constexpr int below(int count) {
    return int((next() >> 32) * static_cast<std::uint64_t>(count) >> 32);
  }

  /// A number from `low` to `high`, both included.
  constexpr int between(int low, int high) { return low + below(high - low + 1); }

 private:
  static constexpr std::uint64_t golden = 0x9e3779b97f4a7c15U;  // 2^64 / golden ratio, odd

  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

}  // namespace assay

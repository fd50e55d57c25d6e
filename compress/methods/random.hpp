// Random draws that are the same with every standard library, as std::uniform_*_distribution's are
// not. One thread per object.
#pragma once

#include <cassert>
#include <cstdint>
#include <random>

namespace assay {

/// Numbers from std::mt19937_64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// 0 to count - 1, for a count of 1 to 2^32: the upper 32 bits of a draw times count, over 2^32.
  std::uint64_t below(std::uint64_t count) {
    assert(count > 0 && count <= std::uint64_t{1} << 32);
    return ((engine_() >> 32) * count) >> 32;
  }
  /// In [0, 1), with 53 random bits.
  double unit() { return double(engine_() >> 11) * 0x1p-53; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace assay
